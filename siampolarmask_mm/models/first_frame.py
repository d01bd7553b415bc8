"""What is known of an object in its first frame: a mask, else a box, else a point.

Shape shorthand:
    N: objects    S: pixels of a template crop
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from siampolarmask_mm.crops import Crop


def template_masks(
    crops: Sequence[Crop], boxes: Tensor, masks: Sequence[np.ndarray | None]
) -> Tensor:
    """Cut the objects' masks to their template crops; a box stands for a missing mask.

    Args:
        crops: N, of S pixels.
        boxes: (N, 4) in pixels of the image.
        masks: N of (h, w), or None where only the box is known.

    Returns:
        (N, S, S) boolean.
    """
    return torch.stack(
        [
            fill_box(_box_in_crop(box, crop), crop.size)
            if mask is None
            else torch.from_numpy(crop.cut_mask(mask)).bool()
            for crop, box, mask in zip(crops, boxes, masks, strict=True)
        ]
    )


def fill_box(box_xyxy: Tensor, size: int) -> Tensor:
    """(size, size) boolean: the pixels whose centers lie in a box (4,)."""
    x1, y1, x2, y2 = (box_xyxy.cpu() - 0.5).unbind()
    pixels = torch.arange(size)
    across, down = (pixels >= x1) & (pixels < x2), (pixels >= y1) & (pixels < y2)
    return down[:, None] & across


def _box_in_crop(box_xyxy: Tensor, crop: Crop) -> Tensor:
    # A box's edges lie half a pixel off the pixel centers, in both frames.
    return crop.from_image(box_xyxy.view(2, 2) - 0.5).view(4) + 0.5


def object_masks(instances: Sequence[InstanceData], size: int) -> tuple[Tensor, Tensor]:
    """The objects in training crops; a box stands for a missing mask.

    Args:
        instances: N, each of one object: with ``masks`` (BitmapMasks of one), or with
            ``bboxes`` (1, 4) alone, in pixels of the crop.
        size: S.

    Returns:
        (N, S, S) boolean, and (N,) whether it is the object's mask.
    """
    is_outline = torch.tensor(['masks' in item for item in instances])
    masks = [
        torch.from_numpy(item.masks.masks[0]).bool()
        if 'masks' in item
        else fill_box(item.bboxes[0], size)
        for item in instances
    ]
    return torch.stack(masks), is_outline
