"""Confidence of each pixel of a search crop: where it comes from, what is made of it.

A mask is where its confidence is above `MAJORITY`.

Shape shorthand:
    H, W: the score map    K: rays    S: pixels of a search crop
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.polar import soft_star_masks, star_boxes

MAJORITY = 0.5
SOFTNESS = 2.0  # pixels from a star's outline at which a pixel is 0.73 inside


def star_confidence(center: Tensor, rays: Tensor, size: int) -> Tensor:
    """Confidence that falls across the outline of a star (2,), (K,).

    Returns:
        (S, S) the sigmoid of the distance to the outline (`star_distances`) by `SOFTNESS`;
        0 far outside.
    """
    confidence = rays.new_zeros(size, size)
    margin = 6 * SOFTNESS  # where it is below 0.003
    box = star_boxes(center, rays) + rays.new_tensor([-margin, -margin, margin, margin])
    left, top, right, bottom = box.round().long().clamp(0, size).tolist()
    if left < right and top < bottom:
        origin = center - center.new_tensor([left, top])
        window = (bottom - top, right - left)
        confidence[top:bottom, left:right] = soft_star_masks(
            origin[None], rays[None], window, SOFTNESS
        )[0]
    return confidence


def spread_scores(scores: Tensor, points: Tensor, stride: int, size: int) -> Tensor:
    """(S, S) scores (H, W) interpolated between their points; 0 outside of these."""
    height, width = ((n - 1) * stride + 1 for n in scores.shape)
    inner = interpolate(
        scores[None, None], (height, width), mode='bilinear', align_corners=True
    )[0, 0]
    left, top = (round(float(p)) for p in points[0, 0])
    return pad(inner, (left, size - left - width, top, size - top - height))


def unite_at(raw: Tensor, point: Tensor, threshold: float) -> Tensor:
    """What a raw confidence (S, S) says of the object at a point (2,), from 0 to 1.

    Its mask is where the raw confidence is above a threshold, lowered such that the point
    is in it, and hangs together with the point.
    """
    threshold = max(min(threshold, 0.99 * value_at(raw, point)), 1e-4)
    return keep_part(move_majority(raw, threshold), point)


def move_majority(confidence: Tensor, threshold: float) -> Tensor:
    """Move confidences in logits such that ``threshold`` goes to 0.5; 0 and 1 stay."""
    odds = threshold / (1 - threshold)
    return confidence / (confidence + (1 - confidence) * odds)


def keep_part(confidence: Tensor, point: Tensor) -> Tensor:
    """Set confidences (S, S) to 0 in parts of the mask that do not hang together.

    Args:
        confidence: from 0 to 1.
        point: (2,) in the part that is kept; if it is in none, all are.
    """
    mask = (confidence > MAJORITY).numpy()
    x, y = pixel_at(point)
    if not mask[y, x]:
        return confidence
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    window = slice(top, top + height), slice(left, left + width)
    num_parts, parts = cv2.connectedComponents(mask[window].view(np.uint8), connectivity=8)
    if num_parts <= 2:
        return confidence
    others = (parts > 0) & (parts != parts[y - top, x - left])
    confidence = confidence.clone()
    confidence[window][torch.from_numpy(others)] = 0
    return confidence


def value_at(image: Tensor | np.ndarray, point: Tensor) -> float:
    """Value of the pixel (H, W) that a point (2,) is in."""
    x, y = pixel_at(point)
    return float(image[y, x])


def pixel_at(point: Tensor) -> tuple[int, int]:
    """Column and row of the pixel that a point (2,) is in."""
    x, y = point.tolist()
    return round(x), round(y)


def best_threshold(
    confidence: Tensor, truth: Tensor, lowest: float, highest: float
) -> float:
    """The threshold of a confidence (S, S) that best reproduces a true mask (S, S).

    Of all that do so nearly as well (within 0.01 of the best overlap), the middle one.

    Args:
        confidence: from 0 to 1.
        truth: boolean.
        lowest: threshold that may be.
        highest: threshold that may be.
    """
    num_bins = 200
    bins = (confidence * num_bins).long().clamp(0, num_bins - 1)
    # How many pixels there are, and are in the truth, above each bin's lower end.
    counts, hits = (
        torch.bincount(some.flatten(), minlength=num_bins).flip(0).cumsum(0).flip(0)
        for some in (bins, bins[truth])
    )
    overlaps = hits / (counts + truth.sum() - hits).clamp_min(1)
    first, last = round(lowest * num_bins), round(highest * num_bins)
    overlaps = overlaps[first : last + 1]
    good = (overlaps >= overlaps.max() - 0.01).nonzero()[:, 0]
    return (first + int(good[len(good) // 2])) / num_bins


def paste_confidence(
    confidence: Tensor, crop: Crop, part: tuple[int, int, int, int]
) -> np.ndarray:
    """A crop's confidence (S, S) in a part x1, y1, x2, y2 of the image, interpolated.

    Returns:
        (y2 - y1, x2 - x1) float32; 0 outside the crop.
    """
    left, top, right, bottom = part
    if left == right or top == bottom:
        return np.zeros((bottom - top, right - left), np.float32)
    x, y = crop.from_image(torch.tensor([left, top], dtype=torch.float64)).tolist()
    return cv2.warpAffine(
        confidence.numpy(),
        np.array([[crop.scale, 0, x], [0, crop.scale, y]]),
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )


def mask_box(mask: Tensor) -> Tensor | None:
    """(4,) around a mask (H, W), with edges between pixels; None if it is empty."""
    left, top, width, height = cv2.boundingRect(mask.numpy().view(np.uint8))
    if width == 0:
        return None
    return torch.tensor([left, top, left + width, top + height], dtype=torch.float32)
