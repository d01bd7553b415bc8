"""Which objects a sample gives the tracker, and where they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmtrack.structures import TrackDataSample
from mmtrack.structures.bbox import quad2bbox_cxcywh
from torch import Tensor


class GivenObjects(NamedTuple):
    """Objects that a frame gives; N of them.

    Attributes:
        rows: which of the sample's instances they are.
        boxes: (N, 4) in pixels of the image.
        masks: N of (h, w), or None where only the box is known.
        num_instances: how many instances the sample has, given or not.
        points: (N, 2) a pixel of each object, where that is all that is known; boxes are
            then 0.
    """

    rows: list[int]
    boxes: Tensor
    masks: list[np.ndarray | None]
    num_instances: int
    points: Tensor | None = None


def given_objects(sample: TrackDataSample) -> GivenObjects:
    """The objects that are new to the tracker in a sample's frame.

    An instance is given where its entry among the ``instances`` of the sample's metainfo
    has ``given`` true, as `DAVISDataset` has it. Instances that do not say so are given in
    frame 0, as those of mmtrack's own datasets. Where the entry has ``prompt='box'``, the
    mask is not told. Where there are no ``bboxes``, ``points`` (N, 2) say which pixel is
    on each object.

    Raises:
        ValueError: if there is not one box per instance.
    """
    found = sample.get('gt_instances')
    if found is None or len(found) == 0:
        return GivenObjects([], torch.zeros(0, 4), [], 0)
    points = None if 'bboxes' in found else found.points
    boxes = _as_boxes(found.bboxes) if points is None else torch.zeros(len(points), 4)
    entries = sample.metainfo.get('instances') or [{}] * len(boxes)
    if len(entries) != len(boxes):
        raise ValueError(
            f'one box per instance expected, got {len(boxes)} for {len(entries)}'
        )
    first = sample.frame_id == 0
    rows = [i for i, entry in enumerate(entries) if entry.get('given', first)]
    shown = [i for i in rows if 'masks' in found and entries[i].get('prompt') != 'box']
    return GivenObjects(
        rows,
        boxes[rows],
        [found.masks.masks[i] if i in shown else None for i in rows],
        len(boxes),
        None if points is None else points[rows],
    )


def _as_boxes(rows: Tensor) -> Tensor:
    """(N, 4) boxes of what mmtrack gives: one row or N, of 4 numbers or a quad of 8."""
    rows = rows.reshape(-1, rows.shape[-1])
    if rows.shape[-1] == 8:
        return torch.stack([bbox_cxcywh_to_xyxy(quad2bbox_cxcywh(row)) for row in rows])
    return rows
