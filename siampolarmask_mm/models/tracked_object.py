"""What is remembered of an object, how a new look changes it, and how it is reported.

Shape shorthand:
    H, W: the score map    K: rays
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models.polar_decoder import MAJORITY, Decoded, PolarDecoder, Star
from siampolarmask_mm.models.polar_targets import mass_centers
from siampolarmask_mm.polar import (
    cast_rays,
    mask_outlines,
    polygon_outlines,
    star_boxes,
    star_masks,
)

SMALLEST_SIDE = 10.0  # of a box, in pixels of the image; keeps the crop's scale finite


class Look(NamedTuple):
    """What is seen of one object in a frame.

    Attributes:
        crop: the search crop.
        decoded: of the decoder, in pixels of the crop.
    """

    crop: Crop
    decoded: Decoded


@dataclass
class TrackedObject:
    """What is remembered of an object from frame to frame, in pixels of the image.

    Attributes:
        template: features of the first frame's crop, per level (1, C, h, w).
        star: the last one.
        box: (4,) around it, (x1, y1, x2, y2).
        size_correction: of the box around a predicted star; see ``calibrate_size``.
        threshold: of a union's locations; see `PolarDecoder`.
        score: of the last frame; -1 in the first, as in mmtrack.
        look: the last one, if not ``star`` but its confidence makes the mask.
    """

    template: tuple[Tensor, ...]
    star: Star
    box: Tensor
    size_correction: float = 1.0
    threshold: float | None = None
    score: float = -1.0
    look: Look | None = None

    def calibrate_size(self, look: Look) -> None:
        """Make the size that is found in the first frame the one that is given there."""
        found = box_size(star_boxes(*look.decoded.choice.star)) / look.crop.scale
        ratio = float((box_size(self.box) / found).prod().sqrt())
        self.size_correction = min(max(ratio, 0.5), 2.0)

    def calibrate_threshold(
        self, look: Look, decoder: PolarDecoder, mask: np.ndarray | None
    ) -> None:
        """Make the union that is found in the first frame most like what is given there.

        Args:
            look: at the first frame.
            decoder: that unites.
            mask: (h, w) the true one; the star stands for it if not given.
        """
        if mask is None:
            center = look.crop.from_image(self.star.center)[None]
            rays = self.star.rays[None] * look.crop.scale
            truth = star_masks(center, rays, (look.crop.size,) * 2)[0]
        else:
            truth = torch.from_numpy(look.crop.cut_mask(mask)).bool()
        self.threshold = decoder.find_threshold(look.decoded.confidence, truth)

    def update(
        self, look: Look, decoder: PolarDecoder, frame_size: tuple[int, int]
    ) -> None:
        """Remember what is seen in a frame of (h, w) pixels."""
        (choice, _, box), crop = look.decoded, look.crop
        seen = Star(crop.to_image(choice.star.center), choice.star.rays / crop.scale)
        self.star = decoder.smooth(self.star, seen, choice)
        if decoder.decoding == 'visible_union':
            self.look, factor = look, 1.0
            found = crop.to_image(box.view(2, 2) - 0.5).view(4) + 0.5
            rate = decoder.update_rate
            rate = 1.0 if rate is None else rate * choice.score * choice.penalty
            half = ((1 - rate) * box_size(self.box) + rate * box_size(found)) / 2
            middle = (found[:2] + found[2:]) / 2
            box = torch.cat([middle - half, middle + half])
        else:
            box, factor = star_boxes(*self.star), self.size_correction
        self.box = resize_in_frame(box, factor, frame_size, SMALLEST_SIDE)
        self.score = choice.score

    def paste(self, frame_size: tuple[int, int]) -> Tensor:
        """(h, w) boolean: the mask of the last look in a frame of that size."""
        crop = self.look.crop
        shift = [c - crop.middle / crop.scale for c in crop.center]
        to_image = np.array([[1 / crop.scale, 0, shift[0]], [0, 1 / crop.scale, shift[1]]])
        confidence = self.look.decoded.confidence.numpy()
        return torch.from_numpy(
            cv2.warpAffine(confidence, to_image, frame_size[::-1]) > MAJORITY
        )


def describe(
    objects: Sequence[TrackedObject],
    frame_size: tuple[int, int],
    given_masks: Sequence[np.ndarray | None] = (),
) -> InstanceData:
    """N objects as `SiamPolarMask.predict_ope` reports them.

    Args:
        objects: N.
        frame_size: (h, w) of the image.
        given_masks: in the first frame, N of (h, w), or None where only a box is known.
    """
    centers = torch.stack([item.star.center for item in objects])
    rays = torch.stack([item.star.rays for item in objects])
    scores = torch.tensor([item.score for item in objects])
    masks = star_masks(centers, rays, frame_size)
    for i, item in enumerate(objects):
        if item.look is not None:
            masks[i] = item.paste(frame_size)
    if len(masks) > 1:  # a pixel belongs to one object, the surest
        surest = torch.where(masks, scores[:, None, None], -torch.inf).argmax(0)
        masks &= surest == torch.arange(len(masks))[:, None, None]
    for i, given in enumerate(given_masks):
        if given is not None:
            masks[i] = torch.from_numpy(given).bool()
    return InstanceData(
        bboxes=torch.stack([item.box for item in objects]),
        scores=scores,
        masks=masks,
        centers=centers,
        rays=rays,
    )


def first_star(box: Tensor, mask: np.ndarray | None, num_rays: int) -> Star:
    """The star of a given mask (h, w), else of a box (4,), in pixels of the image.

    Raises:
        ValueError: if the mask has no pixel.
    """
    if mask is None:
        x1, y1, x2, y2 = (box - 0.5).unbind()
        corners = torch.stack([x1, y1, x2, y1, x2, y2, x1, y2]).view(4, 2)
        center, outline = corners.mean(0), polygon_outlines([[corners]])
    else:
        masks = torch.from_numpy(np.ascontiguousarray(mask)).bool()[None]
        if not masks.any():
            raise ValueError(
                'an object with at least one pixel expected, got an empty mask'
            )
        center, outline = mass_centers(masks)[0][0], mask_outlines(masks)
    return Star(center, cast_rays(outline, center[None], num_rays, 'last').lengths[0])


def box_size(box_xyxy: Tensor) -> Tensor:
    """(2,) width and height of a box (4,)."""
    return box_xyxy[2:] - box_xyxy[:2]


def resize_in_frame(
    box_xyxy: Tensor, factor: float, frame_size: tuple[int, int], smallest: float
) -> Tensor:
    """Resize a box about its middle, which stays within the frame of (h, w) pixels.

    Its sides stay between ``smallest`` and the frame's.
    """
    limit = box_xyxy.new_tensor([frame_size[1], frame_size[0]])
    middle = ((box_xyxy[:2] + box_xyxy[2:]) / 2).clamp(torch.zeros(2), limit)
    half = (factor * box_size(box_xyxy)).clamp(torch.full((2,), smallest), limit) / 2
    return torch.cat([middle - half, middle + half])
