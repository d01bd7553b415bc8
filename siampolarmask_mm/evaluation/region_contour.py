"""J and F: how well two masks agree in region and in contour.

Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation" (CVPR 2016), section 5, and the DAVIS challenge's definition of the cases
that the paper leaves open.

Shape shorthand:
    H, W: an image    T: frames of a video
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

BOUNDARY_TOLERANCE = 0.008  # of the image's diagonal


class Statistics(NamedTuple):
    """A measure over the frames of one object.

    Attributes:
        mean: over frames.
        recall: share of frames above 0.5.
        decay: mean of the first quarter of frames minus mean of the last.
    """

    mean: float
    recall: float
    decay: float


def region_similarity(mask: np.ndarray, truth: np.ndarray) -> float:
    """J, the intersection over union of two masks.

    Args:
        mask: (H, W) boolean.
        truth: (H, W) boolean.

    Returns:
        From 0 to 1; 1 if both are empty.

    Raises:
        ValueError: if the masks differ in size or are not boolean.
    """
    _check_sizes(mask, truth)
    mask, truth = _cut(mask, truth, 0)
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def contour_accuracy(
    mask: np.ndarray, truth: np.ndarray, tolerance: float = BOUNDARY_TOLERANCE
) -> float:
    """F, the harmonic mean of the contours' precision and recall.

    A contour's pixel is right if the other contour passes within the tolerance.

    Args:
        mask: (H, W) boolean.
        truth: (H, W) boolean.
        tolerance: distance as a share of the image's diagonal, rounded up to whole pixels;
            from 1 on, the distance in pixels.

    Returns:
        From 0 to 1; 1 if neither mask has a contour, 0 if one of them has none.

    Raises:
        ValueError: if the masks differ in size or are not boolean.
    """
    _check_sizes(mask, truth)
    reach = tolerance if tolerance >= 1 else math.ceil(tolerance * math.hypot(*mask.shape))
    contour, true_contour = map(contour_map, _cut(mask, truth, math.ceil(reach) + 1))
    found, wanted = np.count_nonzero(contour), np.count_nonzero(true_contour)
    if not found or not wanted:
        return float(found == wanted)
    precision = np.count_nonzero(contour & _within(true_contour, reach)) / found
    recall = np.count_nonzero(true_contour & _within(contour, reach)) / wanted
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def contour_map(mask: np.ndarray) -> np.ndarray:
    """The pixels that differ from their right, lower or lower right neighbor.

    In the last row only the right neighbor counts, in the last column only the lower one.

    Args:
        mask: (H, W) boolean.

    Returns:
        (H, W) boolean.
    """
    below = np.vstack([mask[1:], mask[-1:]])
    right = np.hstack([mask[:, 1:], mask[:, -1:]])
    below_right = np.hstack([below[:, 1:], below[:, -1:]])
    return (mask ^ right) | (mask ^ below) | (mask ^ below_right)


def statistics(values: np.ndarray) -> Statistics:
    """Mean, recall and decay of a measure.

    Args:
        values: (T,) one per evaluated frame, from 0 to 1.

    Raises:
        ValueError: if there is no frame.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        raise ValueError('a measure over at least one frame expected, got none')
    # Quarters share the frame at their border.
    borders = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    first, last = (
        values[start : stop + 1].mean()
        for start, stop in ((borders[0], borders[1]), (borders[3], borders[4]))
    )
    return Statistics(
        mean=float(values.mean()),
        recall=float((values > 0.5).mean()),
        decay=float(first - last),
    )


def _within(contour: np.ndarray, reach: float) -> np.ndarray:
    """The pixels at most ``reach`` from a contour: it, widened by a disk row by row."""
    contour = contour.view(np.uint8)
    widened = np.zeros_like(contour)
    height = len(contour)
    for shift in range(min(int(reach), height - 1) + 1):
        half = int(math.sqrt(reach**2 - shift**2) + 1e-9)
        row = cv2.dilate(contour, np.ones((1, 2 * half + 1), np.uint8))
        widened[shift:] |= row[: height - shift]
        widened[: height - shift] |= row[shift:]
    return widened.view(bool)


def _cut(mask: np.ndarray, truth: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Both masks, without the rows and columns that are further than this from either."""
    x, y, width, height = cv2.boundingRect((mask | truth).view(np.uint8))
    window = (
        slice(max(y - margin, 0), y + height + margin),
        slice(max(x - margin, 0), x + width + margin),
    )
    return mask[window], truth[window]


def _check_sizes(mask: np.ndarray, truth: np.ndarray) -> None:
    for array in (mask, truth):
        if array.dtype != bool:
            raise ValueError(f'boolean masks expected, got {array.dtype}')
    if mask.shape != truth.shape:
        raise ValueError(f'masks of one size expected, got {mask.shape} and {truth.shape}')
