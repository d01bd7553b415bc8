"""What is known of an object in its first frame: a mask, else a box, else a point.

Shape shorthand:
    N: objects    S: pixels of a template crop
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models.confidence import mask_box


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
            fill_box(_box_in_crop(box, crop), (crop.size, crop.size))
            if mask is None
            else torch.from_numpy(crop.cut_mask(mask)).bool()
            for crop, box, mask in zip(crops, boxes, masks, strict=True)
        ]
    )


def fill_box(box_xyxy: Tensor, size: tuple[int, int]) -> Tensor:
    """(height, width) boolean: the pixels whose centers lie in a box (4,)."""
    x1, y1, x2, y2 = (box_xyxy.cpu() - 0.5).unbind()
    rows, columns = map(torch.arange, size)
    across, down = (columns >= x1) & (columns < x2), (rows >= y1) & (rows < y2)
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
        else fill_box(item.bboxes[0], (size, size))
        for item in instances
    ]
    return torch.stack(masks), is_outline


def grow_from_point(
    point: Tensor,
    frame_size: tuple[int, int],
    look: Callable[[Tensor, np.ndarray], tuple[np.ndarray, float]],
    *,
    first_sides: Sequence[float] = (0.08, 0.16, 0.32),
    num_looks: int = 5,
) -> np.ndarray:
    """The mask that the network itself sees around a point.

    At first the object is taken for a disc around the point. What the network finds when
    it is told so, as far as it hangs together with the point, is taken for the object when
    it looks again, by then at the size that it found; and so on until the mask no longer
    changes, or does not hold the point. A point tells no size: of what grows from small and
    large discs, the mask is taken that the network finds again best, by its score times the
    overlap of its last two masks.

    Args:
        point: (2,) on the object, in pixels of the image.
        frame_size: (h, w) of the image.
        look: called with a box (4,) and a mask (h, w) of 0 and 1, both in pixels of the
            image; gives the mask (h, w), boolean, that is found in the same image when an
            object is started with them, and its score from 0 to 1.
        first_sides: sides of the discs' boxes, as shares of the image's, sqrt(h w).
        num_looks: most calls of ``look`` for each of them.

    Returns:
        (h, w) uint8 of 0 and 1; the first disc if nothing is found at the point.

    Raises:
        ValueError: if the point lies outside of the image.
    """
    height, width = frame_size
    x, y = point.round().long().tolist()
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(
            f'a point within {width} x {height} pixels expected, got {point.tolist()}'
        )
    rows, columns = np.ogrid[:height, :width]
    away = (columns - x) ** 2 + (rows - y) ** 2
    best, most_trust = None, -1.0
    for side in first_sides:
        disc = (away <= (side * (height * width) ** 0.5 / 2) ** 2).astype(np.uint8)
        mask, trust = _grow(disc, (y, x), look, num_looks)
        if trust > most_trust:
            best, most_trust = mask, trust
    return best


def _grow(
    mask: np.ndarray, pixel: tuple[int, int], look: Callable, num_looks: int
) -> tuple[np.ndarray, float]:
    """What a mask grows to around a pixel (row, column), and how far to trust it."""
    trust = 0.0
    for _ in range(num_looks):
        found, score = look(mask_box(torch.from_numpy(mask)), mask)
        _, parts = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
        if not found[pixel]:
            return mask, 0.0
        found = (parts == parts[pixel]).astype(np.uint8)
        trust = score * (found & mask).sum() / (found | mask).sum()
        if np.array_equal(found, mask):
            break
        mask = found
    return mask, float(trust)
