"""What is remembered of an object, and how a new look changes it.

Shape shorthand:
    H, W: the score map    K: rays    S: pixels of the search crop
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models.decoded import Decoded, Star
from siampolarmask_mm.models.lost_and_found import LostAndFound
from siampolarmask_mm.models.mask_matching import mask_shares
from siampolarmask_mm.models.polar_decoder import PolarDecoder
from siampolarmask_mm.models.polar_targets import mass_centers
from siampolarmask_mm.models.previous_mask import (
    confidence_shares,
    crop_to_cells,
    star_shares,
)
from siampolarmask_mm.models.search_view import SearchView
from siampolarmask_mm.polar import (
    cast_rays,
    mask_outlines,
    polygon_outlines,
    star_boxes,
)

SMALLEST_SIDE = 10.0  # of a box, in pixels of the image; keeps the crop's scale finite


class Look(NamedTuple):
    """What is seen of one object in a frame.

    Attributes:
        crop: the search crop.
        decoded: of the decoder, in pixels of the crop; what is followed.
        view: the window and its scores, for pictures.
        refined: what a MaskRefiner made of it, if there is one. That is better to look at,
            and worse to follow: a refiner has learned to go on from masks that were nearly
            right, and believes one that slips off.
    """

    crop: Crop
    decoded: Decoded
    view: SearchView | None = None
    refined: Decoded | None = None

    @property
    def drawn(self) -> Decoded:
        """Whose mask is reported."""
        return self.decoded if self.refined is None else self.refined


@dataclass
class TrackedObject:
    """What is remembered of an object from frame to frame, in pixels of the image.

    Attributes:
        templates: features of template crops; the first frame's, then those that a
            `TemplateMemory` added. Each has tensors with one row.
        star: the last one.
        box: (4,) around the object, (x1, y1, x2, y2).
        size_correction: of the box around a predicted star; see ``calibrate_size``.
        threshold: of a union's confidence; see `PolarDecoder`.
        reference: the score that the object has in its own first frame.
        score: of the last frame; -1 in the first, as in mmtrack.
        confidence: the last frame's score relative to ``reference``, from 0 to 1.
        frames_lost: for how many frames it has been lost, 0 while it is followed.
        frames_since_template: for how many frames no template has been added.
        look: at the last frame; None if it is lost there or was given there.
        view: of the last frame's search, lost or not; None where it was given.
        given_mask: (h, w) of the frame where it was given, only there.
    """

    templates: list[tuple[Tensor, ...]]
    star: Star
    box: Tensor
    size_correction: float = 1.0
    threshold: float | None = None
    reference: float = 1.0
    score: float = -1.0
    confidence: float = 1.0
    frames_lost: int = 0
    frames_since_template: int = 0
    look: Look | None = None
    view: SearchView | None = None
    given_mask: np.ndarray | None = None

    @property
    def lost(self) -> bool:
        """Whether it was not found in the last frame."""
        return self.frames_lost > 0

    def previous_shares(
        self, crop: Crop, num_locations: tuple[int, int], stride: int
    ) -> Tensor | None:
        """What of each location's cell was the object's in the last frame.

        Args:
            crop: of this frame, where the locations are.
            num_locations: (H, W).
            stride: pixels of the crop between neighboring locations.

        Returns:
            (H, W) from 0 to 1, of what was seen or of the given mask; None if the object
            is lost, or was given without a mask.
        """
        if self.look is not None:
            to_cells = crop_to_cells(self.look.crop, crop, num_locations, stride)
            seen = self.look.decoded
            if seen.raw is None:
                return star_shares(*seen.choice.star, to_cells, num_locations)
            return confidence_shares(seen.confidence, to_cells, num_locations)
        if self.given_mask is not None:
            mask = torch.from_numpy(crop.cut_mask(self.given_mask)).float()
            return mask_shares(mask[None], num_locations, stride)[0]
        return None

    @property
    def star_size(self) -> Tensor:
        """(2,) width and height of a predicted star that would have the object's box."""
        return box_size(self.box) / self.size_correction

    def calibrate_size(self, look: Look) -> None:
        """Make the size that is found in the first frame the one that is given there."""
        found = box_size(star_boxes(*look.decoded.choice.star)) / look.crop.scale
        ratio = float((box_size(self.box) / found).prod().sqrt())
        self.size_correction = min(max(ratio, 0.5), 2.0)

    def calibrate_threshold(self, look: Look, decoder: PolarDecoder) -> None:
        """Make the union that is found in the first frame most like the mask known there.

        A box without a mask tells nothing: what fills it best is more than the object.

        Args:
            look: at the first frame.
            decoder: that unites.
        """
        if self.given_mask is not None:
            truth = torch.from_numpy(look.crop.cut_mask(self.given_mask)).bool()
            self.threshold = decoder.find_threshold(look.decoded.raw, truth)

    def calibrate_confidence(self, look: Look) -> None:
        """Make the score that is found in the first frame the one of full confidence."""
        self.reference = max(look.decoded.choice.score, 1e-6)

    def update(
        self,
        look: Look,
        decoder: PolarDecoder,
        frame_size: tuple[int, int],
        lost_and_found: LostAndFound | None = None,
    ) -> None:
        """Remember what is seen in a frame of (h, w) pixels.

        Of an object that is lost there, only that it is.
        """
        choice = look.decoded.choice
        self.given_mask = None
        self.frames_since_template += 1
        self.score = choice.score
        self.view = look.view
        self.confidence = min(choice.score / self.reference, 1.0)
        if lost_and_found and lost_and_found.is_lost(self.confidence, self.lost):
            self.frames_lost += 1
            self.look = None
            return
        self.frames_lost = 0
        self.look = look
        crop = look.crop
        seen = Star(crop.to_image(choice.star.center), choice.star.rays / crop.scale)
        self.star = decoder.smooth(self.star, seen, choice)
        box, factor = star_boxes(*self.star), self.size_correction
        if decoder.decoding != 'one_star':
            box, factor = self._box_of_mask(look, decoder.update_rate), 1.0
        self.box = resize_in_frame(box, factor, frame_size, SMALLEST_SIDE)

    def _box_of_mask(self, look: Look, update_rate: float | None) -> Tensor:
        """(4,) around the mask's middle, between the last box's size and the mask's.

        Sizes are averaged as ratios, so that growth and shrinkage by one factor are
        followed equally fast.
        """
        edges = look.decoded.box - 0.5  # as points
        corners = look.crop.to_image(edges.view(2, 2))
        middle, size = corners.mean(0) + 0.5, corners[1] - corners[0]
        choice = look.decoded.choice
        rate = 1.0
        if update_rate is not None:
            rate = update_rate * choice.score * choice.penalty
        size = box_size(self.box) ** (1 - rate) * size**rate
        return torch.cat([middle - size / 2, middle + size / 2])


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
