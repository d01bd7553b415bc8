"""Training pairs as pictures: what the network sees, and what it is to answer."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from mmtrack.structures import TrackDataSample
from torch import Tensor

from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.polar import star_points
from siampolarmask_mm.visualization.overlay import contact_strip, draw_mask, draw_star

POSITIVE, NEGATIVE, IGNORED = (40, 200, 80), (40, 40, 60), (120, 120, 120)


def draw_pair(
    images: Sequence[np.ndarray],
    sample: TrackDataSample,
    targets: PolarTargets,
    points: Tensor,
) -> np.ndarray:
    """Template, search crop and class map of a pair, side by side.

    The search crop shows the object's outline, or its box if there is no mask, the
    positive locations as dots, and the rays of the one that is most central.

    Args:
        images: (template, search crop), each (S, S, 3) uint8 RGB.
        sample: the pair's; of a negative pair, whose label is 0, the other object shows.
        targets: of this pair alone (N = 1).
        points: (H, W, 2) where the locations look at, in pixels of the search crop.

    Returns:
        (S, 3 S and gaps, 3) uint8 RGB, with S of the search crop.
    """
    template, search = images
    size = search.shape[0]
    template = _draw_object(template, sample.gt_instances, label=1)
    template = _in_middle(template, size)
    is_positive = bool(sample.search_gt_instances.labels[0])
    search = _draw_object(search, sample.search_gt_instances, 2 if is_positive else 3)
    search = _draw_targets(search, targets, points)
    return contact_strip([template, search, _class_map(targets, size)])


def _draw_object(image: np.ndarray, instances: object, label: int) -> np.ndarray:
    if 'masks' in instances:
        return draw_mask(image, instances.masks.masks[0].astype(bool), label, 0.3)
    image = image.copy()
    x1, y1, x2, y2 = np.rint(instances.bboxes[0].numpy()).astype(int).tolist()
    cv2.rectangle(image, (x1, y1), (x2, y2), (255, 255, 255), 1)
    return image


def _draw_targets(image: np.ndarray, targets: PolarTargets, points: Tensor) -> np.ndarray:
    if len(targets.rays):
        best = int(targets.centerness.argmax())
        center = points[targets.outlined[0]][best]
        tips = star_points(center, targets.rays[best])
        image = draw_star(image, center.numpy(), tips.numpy(), label=2)
    for x, y in points[targets.positive[0]].round().int().tolist():
        cv2.circle(image, (x, y), 1, POSITIVE, -1)
    return image


def _class_map(targets: PolarTargets, size: int) -> np.ndarray:
    """(S, S, 3) the score map, a square per location, with borders as wide as its grid."""
    positive, counts = targets.positive[0].numpy(), targets.score_weights[0].numpy() > 0
    cells = np.full((*positive.shape, 3), IGNORED, np.uint8)
    cells[counts] = NEGATIVE
    cells[positive] = POSITIVE
    cell = size // max(positive.shape)
    return _in_middle(cells.repeat(cell, 0).repeat(cell, 1), size)


def _in_middle(image: np.ndarray, size: int) -> np.ndarray:
    """The image in the middle of a black (size, size) one."""
    canvas = np.zeros((size, size, 3), np.uint8)
    top, left = ((size - n) // 2 for n in image.shape[:2])
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas


def contact_sheet(pictures: Sequence[np.ndarray], columns: int, gap: int = 8) -> np.ndarray:
    """Pictures of one size in rows, with white between them."""
    blank = np.full_like(pictures[0], 255)
    filled = [*pictures, *[blank] * (-len(pictures) % columns)]
    rows = [
        contact_strip(filled[i : i + columns], gap) for i in range(0, len(filled), columns)
    ]
    white = np.full((gap, rows[0].shape[1], 3), 255, np.uint8)
    return np.vstack([part for row in rows for part in (row, white)][:-1])
