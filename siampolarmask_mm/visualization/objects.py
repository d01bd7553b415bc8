"""All that is known of the objects in a frame, drawn over it.

Each of the private functions draws one part, as far as the instances have it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData

from siampolarmask_mm.polar import star_points
from siampolarmask_mm.visualization.overlay import (
    draw_box,
    draw_mask,
    draw_scores,
    draw_star,
    draw_tag,
)

Labels = Sequence[int]


def draw_objects(
    image: np.ndarray,
    instances: InstanceData,
    parts: Sequence[str] = ('masks',),
    labels: Labels | None = None,
) -> np.ndarray:
    """A copy of an RGB image with its objects, as far as there is something to draw.

    Args:
        image: (H, W, 3) uint8 RGB.
        instances: N, as `SiamPolarMask.predict_ope` reports them, or of a ground truth.
        parts: ``masks`` (boxes, where there are none), ``boxes``, ``rays`` with
            their centers, the search ``window``, its ``scores``, and ``tags`` with label
            and confidence.
        labels: (N,) for colors and tags; 1 to N if not given.

    Raises:
        ValueError: if a part is none of these.
    """
    unknown = [part for part in parts if part not in _DRAWINGS]
    if unknown:
        raise ValueError(f'parts of {tuple(_DRAWINGS)} expected, got {unknown}')
    labels = range(1, len(instances) + 1) if labels is None else labels
    for part, draw in _DRAWINGS.items():
        if part in parts:
            image = draw(image, instances, labels)
    return image


def _scores(image: np.ndarray, instances: InstanceData, labels: Labels) -> np.ndarray:
    for _, view in _searches(instances, labels):
        image = draw_scores(image, view.cells.numpy(), view.scores.numpy())
    return image


def _masks(image: np.ndarray, instances: InstanceData, labels: Labels) -> np.ndarray:
    if 'masks' not in instances:
        return _boxes(image, instances, labels)
    masks = instances.masks
    masks = masks.cpu().numpy() if torch.is_tensor(masks) else masks.to_ndarray()
    for label, mask in zip(labels, masks.astype(bool), strict=True):
        image = draw_mask(image, mask, label)
    return image


def _boxes(image: np.ndarray, instances: InstanceData, labels: Labels) -> np.ndarray:
    boxes = instances.bboxes.cpu().numpy() if 'bboxes' in instances else []
    for label, box in zip(labels, boxes, strict=False):
        image = draw_box(image, box, label)
    return image


def _window(image: np.ndarray, instances: InstanceData, labels: Labels) -> np.ndarray:
    for label, view in _searches(instances, labels):
        image = draw_box(image, view.window.numpy(), label)
    return image


def _rays(image: np.ndarray, instances: InstanceData, labels: Labels) -> np.ndarray:
    if 'rays' not in instances:
        return image
    tips = star_points(instances.centers, instances.rays).cpu().numpy()
    centers = instances.centers.cpu().numpy()
    for label, center, star_tips in zip(labels, centers, tips, strict=True):
        image = draw_star(image, center, star_tips, label)
    return image


def _tags(image: np.ndarray, instances: InstanceData, labels: Labels) -> np.ndarray:
    if 'confidences' not in instances:
        return image
    rows = instances.bboxes, instances.confidences, instances.lost
    rows = [row.tolist() for row in rows]
    for label, box, confidence, lost in zip(labels, *rows, strict=True):
        text = f'{label} lost' if lost else f'{label}: {confidence:.2f}'
        image = draw_tag(image, text, (box[0], box[1] - 2), label)
    return image


def _searches(instances: InstanceData, labels: Labels) -> list[tuple]:
    views = zip(labels, instances.get('searches', []), strict=False)
    return [(label, view) for label, view in views if view is not None]


_DRAWINGS = dict(
    scores=_scores, masks=_masks, boxes=_boxes, window=_window, rays=_rays, tags=_tags
)
