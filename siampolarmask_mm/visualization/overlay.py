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

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) boolean.
        label: the object's label, for its color.
        opacity: of the tint, 0 to 1.
    """
    color = label_colors()[label]
    drawn = image.copy()
    drawn[mask] = np.round((1 - opacity) * image[mask] + opacity * color).astype(np.uint8)
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    thickness = max(1, round(max(image.shape) / 640))
    return cv2.drawContours(drawn, outlines, -1, (255, 255, 255), thickness, cv2.LINE_AA)


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
    color = label_colors()[label].tolist()
    drawn = image.copy()
    start = _sixteenths(center)
    for tip in tips:
        cv2.line(drawn, start, _sixteenths(tip), color, 1, cv2.LINE_AA, shift=4)
    cv2.circle(drawn, start, 2 * 16, (255, 255, 255), -1, cv2.LINE_AA, shift=4)
    return drawn


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
