"""ShapeDecoder: what decoders of shapes that are no stars have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from siampolarmask_mm.models.decoded import Star
from siampolarmask_mm.models.polar_decoder import PolarDecoder
from siampolarmask_mm.models.siamese_head import Prediction
from siampolarmask_mm.polar import cast_rays, mask_outlines


class ShapeDecoder(PolarDecoder, ABC):
    """Chooses a location as for stars, and makes the mask of what is predicted there.

    The mask's box drives the next crop. The star that is reported is what the location
    would see of its shape, with rays to the farthest crossings.

    Args:
        window_influence: w in eq. 7, see `PolarDecoder`, as are the next three.
        penalty_k: of a change in scale and ratio, here of the shape's box.
        update_rate: how far the new box's size replaces the previous one.
        use_centerness: multiply scores by the predicted centerness.
        num_rays: K of the reported star; the head's.
        threshold: of the confidence, 0 to 1; None finds, in the first frame, the one that
            best reproduces the given mask.
        edges: config of a GuidedFilter that fits the confidence to the image; none, if not
            given.
    """

    def __init__(
        self,
        window_influence: float = 0.4,
        penalty_k: float = 0.04,
        update_rate: float | None = 0.3,
        use_centerness: bool = True,
        *,
        num_rays: int = 36,
        threshold: float | None = None,
        edges: dict | None = None,
    ) -> None:
        super().__init__(
            window_influence,
            penalty_k,
            update_rate,
            use_centerness,
            threshold=threshold,
            edges=edges,
        )
        self.decoding = 'shape'
        self.num_rays = num_rays

    @abstractmethod
    def sizes(self, prediction: Prediction, points: Tensor) -> Tensor:
        """(H, W, 2) width and height of the shape that each location predicts."""

    @abstractmethod
    def star(
        self, prediction: Prediction, points: Tensor, location: tuple[int, int]
    ) -> Star:
        """The star that a location, (row, column), sees of its shape."""

    @abstractmethod
    def raw_confidence(
        self, prediction: Prediction, points: Tensor, location: tuple[int, int], size: int
    ) -> Tensor:
        """(S, S) confidence before its threshold, if a location was chosen."""


def star_of_mask(mask: Tensor, center: Tensor, num_rays: int) -> Tensor:
    """(K,) rays from a point (2,) to the farthest crossings with a mask's outline.

    At least half a pixel of the mask (H, W), so that a star has an extent.
    """
    rays = cast_rays(mask_outlines(mask[None]), center[None], num_rays, 'last').lengths[0]
    return rays.clamp_min(0.5)


def extents(occupied: Tensor) -> Tensor:
    """(...) length from the first to the last that is true along dimension 0; 0 if none."""
    count = len(occupied)
    numbers = torch.arange(count, device=occupied.device)
    numbers = numbers.view(-1, *[1] * (occupied.ndim - 1))
    last = (occupied * (numbers + 1)).amax(0)
    first = (occupied * (count - numbers)).amax(0)
    return (last + first - count).clamp_min(0)
