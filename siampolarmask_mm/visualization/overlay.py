"""Drawing into frames: (H, W, 3) uint8 arrays in RGB order."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from siampolarmask_mm.label_images import label_colors


def draw_mask(
    image: np.ndarray, mask: np.ndarray, label: int, opacity: float = 0.45
) -> np.ndarray:
    """A copy of the image with a mask tinted in its label's color, outlined in white.

    A dark line around the white one shows it on light pictures as well.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) boolean.
        label: the object's label, for its color.
        opacity: of the tint, 0 to 1.
    """
    drawn = image.copy()
    pixels = mask.astype(np.uint8)
    x, y, width, height = cv2.boundingRect(pixels)
    here = slice(y, y + height), slice(x, x + width)
    outlines, _ = cv2.findContours(
        pixels[here], cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(x, y)
    )
    thickness = line_width(image)
    cv2.drawContours(drawn, outlines, -1, (0, 0, 0), thickness + 2, cv2.LINE_AA)
    inside = mask[here]  # where the tint covers the dark line
    tint = opacity * label_colors()[label]
    drawn[here][inside] = np.round((1 - opacity) * image[here][inside] + tint)
    return cv2.drawContours(drawn, outlines, -1, (255, 255, 255), thickness, cv2.LINE_AA)


def line_width(image: np.ndarray) -> int:
    """Pixels of a thin line in an image of that size."""
    return max(1, round(max(image.shape) / 640))


def draw_star(
    image: np.ndarray, center: np.ndarray, tips: np.ndarray, label: int
) -> np.ndarray:
    """A copy of the image with a star's rays and center.

    Args:
        image: (H, W, 3) uint8 RGB.
        center: (2,) point in pixels.
        tips: (K, 2) points at the rays' ends, in pixels.
        label: the object's label, for its color.
    """
    color = bright_color(label)
    drawn = image.copy()
    start = _sixteenths(center)
    for tip in tips:
        cv2.line(drawn, start, _sixteenths(tip), color, 1, cv2.LINE_AA, shift=4)
    for color, radius in (((0, 0, 0), 3), ((255, 255, 255), 2)):
        cv2.circle(drawn, start, radius * 16, color, -1, cv2.LINE_AA, shift=4)
    return drawn


def draw_box(image: np.ndarray, box_xyxy: np.ndarray, label: int) -> np.ndarray:
    """A copy of the image with a box (4,), edges between pixels, in its label's color."""
    drawn, thickness = image.copy(), line_width(image)
    # Its corners as points; a sixteenth is the unit of cv2's shift.
    corners = [_sixteenths(corner) for corner in np.reshape(box_xyxy, (2, 2)) - 0.5]
    for color, width in (
        ((0, 0, 0), thickness + 2),
        (bright_color(label), thickness),
    ):
        cv2.rectangle(drawn, *corners, color, width, cv2.LINE_AA, shift=4)
    return drawn


def draw_tag(
    image: np.ndarray, text: str, corner: tuple[float, float], label: int
) -> np.ndarray:
    """A copy of the image with white words on the label's color, all within the image.

    Args:
        image: (H, W, 3) uint8 RGB.
        text: of ASCII characters.
        corner: (x, y) of its lower left, in pixels.
        label: the object's label, for its color.
    """
    drawn = image.copy()
    scale, thickness = max(0.4, max(image.shape) / 1800), line_width(image)
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, height), below = cv2.getTextSize(text, font, scale, thickness)
    width, height = width + 6, height + below + 4
    x = max(0, min(round(corner[0]), image.shape[1] - width))
    y = max(height, min(round(corner[1]), image.shape[0]))
    color = label_colors()[label].tolist()
    cv2.rectangle(drawn, (x, y - height), (x + width, y), color, -1)
    cv2.rectangle(drawn, (x, y - height), (x + width, y), (255, 255, 255), 1)
    origin = (x + 3, y - below - 1)
    cv2.putText(drawn, text, origin, font, scale, (255, 255, 255), thickness, cv2.LINE_AA)
    return drawn


def draw_scores(image: np.ndarray, box_xyxy: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """A copy of the image with a score map glowing over a part of it.

    Args:
        image: (H, W, 3) uint8 RGB.
        box_xyxy: (4,) what the map covers, edges between pixels; may leave the image.
        scores: (h, w) from 0, nothing to see, to 1.
    """
    (x1, y1, x2, y2), (rows, columns) = np.asarray(box_xyxy, float), scores.shape
    across, down = (x2 - x1) / columns, (y2 - y1) / rows
    # From the centers of the map's cells to those of the image's pixels.
    matrix = np.array([[across, 0, x1 + (across - 1) / 2], [0, down, y1 + (down - 1) / 2]])
    spread = cv2.warpAffine(
        scores.astype(np.float32), matrix, image.shape[1::-1], flags=cv2.INTER_LINEAR
    )
    hot = cv2.applyColorMap(
        (255 * spread.clip(0, 1)).astype(np.uint8), cv2.COLORMAP_INFERNO
    )
    share = 0.7 * spread.clip(0, 1)[..., None]
    return np.round((1 - share) * image + share * hot[..., ::-1]).astype(np.uint8)


def bright_color(label: int) -> tuple[int, int, int]:
    """The label's color as bright as its hue can be, for lines over dark pictures."""
    color = label_colors()[label].astype(float)
    return tuple(int(part) for part in color * (255 / max(color.max(), 1)))


def draw_labels(image: np.ndarray, labels: np.ndarray, opacity: float = 0.45) -> np.ndarray:
    """A copy of the image with every object of an (H, W) label image tinted."""
    for label in np.unique(labels):
        if label > 0:
            image = draw_mask(image, labels == label, int(label), opacity)
    return image


def contact_strip(images: Sequence[np.ndarray], gap: int = 4) -> np.ndarray:
    """Images of one height side by side, with white between them."""
    white = np.full((images[0].shape[0], gap, 3), 255, dtype=np.uint8)
    parts = [part for image in images for part in (image, white)]
    return np.hstack(parts[:-1])


def _sixteenths(point: np.ndarray) -> tuple[int, int]:
    x, y = np.round(np.asarray(point) * 16).astype(int)
    return int(x), int(y)
