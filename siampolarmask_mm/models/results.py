"""How tracked objects are reported: masks in the image, each pixel of one object at most.

All work is done where objects are, not on the whole image.

Shape shorthand:
    N: objects    h, w: the image    K: rays    S: pixels of a search crop
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from siampolarmask_mm.models.confidence import MAJORITY, paste_confidence
from siampolarmask_mm.models.tracked_object import Look, TrackedObject
from siampolarmask_mm.polar import star_boxes, star_masks
from siampolarmask_mm.threads import in_threads

GIVEN = np.inf  # surer than any confidence


class Patch(NamedTuple):
    """A mask in the part of the image where it lies.

    Attributes:
        left, top: first column and row of that part in the image.
        mask: (height, width) boolean.
        confidence: of the same size, float32; only compared with another object's.
    """

    left: int
    top: int
    mask: np.ndarray
    confidence: np.ndarray

    @property
    def box(self) -> tuple[int, int, int, int]:
        """First and last column and row, the last ones excluded."""
        height, width = self.mask.shape
        return self.left, self.top, self.left + width, self.top + height

    def paste_into(self, image: np.ndarray) -> None:
        """Set its part of an image (h, w) to the mask."""
        x1, y1, x2, y2 = self.box
        image[y1:y2, x1:x2] = self.mask

    def in_image(self, frame_size: tuple[int, int]) -> np.ndarray:
        """(h, w) boolean: the mask in an image of that size."""
        image = np.zeros(frame_size, dtype=bool)
        self.paste_into(image)
        return image

    def within(self, part: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Views of mask and confidence in a part x1, y1, x2, y2 of the image."""
        x1, y1, x2, y2 = part
        rows = slice(y1 - self.top, y2 - self.top)
        columns = slice(x1 - self.left, x2 - self.left)
        return self.mask[rows, columns], self.confidence[rows, columns]


def draw_masks(
    objects: Sequence[TrackedObject | None], decoding: str, frame_size: tuple[int, int]
) -> list[Patch | None]:
    """The mask of each of N objects, as if it were alone; None where there is none.

    Args:
        objects: N; None are not there yet.
        decoding: of the PolarDecoder: which mask is an object's, its star's or that of the
            crop's confidence.
        frame_size: (h, w) of the image.
    """
    several = len(objects) > 1
    return in_threads(lambda item: _patch(item, decoding, frame_size, several), objects)


def describe(
    objects: Sequence[TrackedObject | None],
    patches: Sequence[Patch | None],
    num_rays: int,
    frame_size: tuple[int, int],
) -> InstanceData:
    """N objects as `SiamPolarMask.predict_ope` reports them.

    Args:
        objects: N; None are not there yet.
        patches: N, of their masks; None where there is none.
        num_rays: K.
        frame_size: (h, w) of the image.
    """
    count = len(objects)
    masks = np.zeros((count, *frame_size), dtype=bool)
    for mask, patch in zip(masks, patches, strict=True):
        if patch is not None:
            patch.paste_into(mask)
    boxes, centers = torch.zeros(count, 4), torch.zeros(count, 2)
    rays, scores, confidences = torch.zeros(count, num_rays), [0.0] * count, [0.0] * count
    for i, item in enumerate(objects):
        if item is not None:
            boxes[i], (centers[i], rays[i]) = item.box, item.star
            scores[i], confidences[i] = item.score, item.confidence
    return InstanceData(
        bboxes=boxes,
        scores=torch.tensor(scores),
        masks=torch.from_numpy(masks),
        centers=centers,
        rays=rays,
        confidences=torch.tensor(confidences),
        lost=torch.tensor(
            [item is not None and item.lost for item in objects], dtype=torch.bool
        ),
        searches=[item and item.view for item in objects],
    )


def _patch(
    item: TrackedObject | None, decoding: str, frame_size: tuple[int, int], several: bool
) -> Patch | None:
    """The mask of an object; None if it has none."""
    if item is None or item.lost:
        return None
    if item.given_mask is not None:
        mask = np.array(item.given_mask, dtype=bool)
        return Patch(0, 0, mask, np.full(frame_size, GIVEN, np.float32))
    if item.look is None or decoding == 'one_star':
        left, top, right, bottom = _part(star_boxes(*item.star), 0, frame_size)
        size = bottom - top, right - left
        corner = item.star.center.new_tensor([left, top])
        mask = star_masks((item.star.center - corner)[None], item.star.rays[None], size)[0]
        confidence = np.full(size, GIVEN, np.float32)
        if item.look is not None and several:
            # A star's own confidence only says where its outline is.
            confidence = item.score * _paste(item.look, (left, top, right, bottom))
        return Patch(left, top, mask.numpy(), confidence)
    scale = item.look.crop.scale
    corners = item.look.crop.to_image(item.look.drawn.box.view(2, 2) - 0.5) + 0.5
    # Between the centers of two pixels of the crop, confidence falls from one to the other.
    part = _part(corners.flatten(), 1 / scale, frame_size)
    confidence = _paste(item.look, part)
    return Patch(*part[:2], confidence > MAJORITY, confidence)


def _part(
    box_xyxy: Tensor, margin: float, frame_size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The part of an image of (h, w) pixels that holds a box: x1, y1, x2, y2."""
    x1, y1, x2, y2 = box_xyxy.tolist()
    height, width = frame_size
    left = min(max(math.floor(x1 - margin), 0), width)
    top = min(max(math.floor(y1 - margin), 0), height)
    right = min(max(math.ceil(x2 + margin), left), width)
    bottom = min(max(math.ceil(y2 + margin), top), height)
    return left, top, right, bottom


def _paste(look: Look, part: tuple[int, int, int, int]) -> np.ndarray:
    return paste_confidence(look.drawn.confidence, look.crop, part)


def separate_all(patches: Sequence[Patch | None]) -> None:
    """Leave each pixel of N masks to the surest one, in place."""
    for i, one in enumerate(patches):
        for other in patches[i + 1 :]:
            separate(one, other)


def separate(one: Patch | None, other: Patch | None) -> None:
    """Leave each pixel of two masks to the surer one, in place; to the first if equal."""
    if one is None or other is None:
        return
    left, top = max(one.left, other.left), max(one.top, other.top)
    right, bottom = (min(one.box[i], other.box[i]) for i in (2, 3))
    if left >= right or top >= bottom:
        return
    here = left, top, right, bottom
    (mask, sure), (other_mask, other_sure) = one.within(here), other.within(here)
    both = mask & other_mask
    other_mask[both & (sure >= other_sure)] = False
    mask[both & (sure < other_sure)] = False
