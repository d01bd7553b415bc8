"""A box at every location, as SiamCAR has it.

Shape shorthand:
    N: pairs of template and search    H, W: the score map    P: locations with a box
    S: pixels of a search crop
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from siampolarmask_mm.models.controls.shape_decoder import ShapeDecoder
from siampolarmask_mm.models.decoded import Star
from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.models.siamese_head import (
    Prediction,
    SiameseHead,
    as_lengths,
    init_small,
)
from siampolarmask_mm.polar import ray_directions
from siampolarmask_mm.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class BoxHead(SiameseHead):
    """Predicts at every location how far the box's left, top, right and bottom are.

    Args:
        in_channels: the same in every level.
        init_radius: distance in strides that an untrained head predicts.
        trunk: other arguments of SiameseHead.

    Source: SiamCAR (arXiv:1911.07241).
    Differs: locations are those of the stars: inside the mask, not the box, with the
    stars' centerness as their weight.
    """

    SHAPE = 'box'
    TOWER = 'box_tower'

    def __init__(
        self, in_channels: int = 256, *, init_radius: float = 3.0, **trunk: object
    ) -> None:
        super().__init__(
            in_channels,
            output=lambda channels: nn.Conv2d(channels, 4, 3, padding=1),
            **trunk,
        )
        self.box_scale = nn.Parameter(torch.ones(()))
        self._init_radius = init_radius

    def init_weights(self) -> None:
        """Small outputs, distances of ``init_radius`` strides."""
        super().init_weights()
        init_small(self.box)
        nn.init.constant_(self.box.bias, math.log(self._init_radius))

    @property
    def decoder_args(self) -> dict[str, object]:
        """Of a BoxDecoder."""
        return dict(num_rays=self.num_rays)

    def predict_shape(self, features: Tensor) -> Tensor:
        """(N, 4, H, W) distances to left, top, right, bottom in pixels, above 0."""
        exponent = self.box_scale * self.box(self.box_tower(features)).float()
        return as_lengths(exponent, self.stride)

    def shape_loss(
        self, loss: nn.Module, prediction: Prediction, targets: PolarTargets, points: Tensor
    ) -> Tensor:
        """Compare boxes (P, 4) of the locations whose object is known by its mask."""
        image, row, column = targets.outlined.nonzero(as_tuple=True)
        boxes = around(points[row, column], prediction.shape[image, :, row, column])
        return loss(
            boxes,
            mask_boxes(targets.masks)[image],
            targets.centerness,
            avg_factor=targets.centerness.sum().clamp_min(1e-6),
        )


@TASK_UTILS.register_module()
class BoxDecoder(ShapeDecoder):
    """Fills the box of the chosen location.

    Confidence is the share of a pixel that the box covers, so that nothing is to be
    calibrated.

    Args are those of ShapeDecoder.
    """

    @property
    def seeks_threshold(self) -> bool:
        """False: a box has none."""
        return False

    def sizes(self, prediction: Prediction, points: Tensor) -> Tensor:  # noqa: ARG002
        """Of the boxes."""
        left, top, right, bottom = prediction.shape
        return torch.stack([left + right, top + bottom], dim=-1)

    def star(
        self, prediction: Prediction, points: Tensor, location: tuple[int, int]
    ) -> Star:
        """Whose rays end at the box."""
        row, column = location
        left_top, right_bottom = prediction.shape[:, row, column].view(2, 2)
        directions = ray_directions(self.num_rays, points)  # (K, 2)
        ahead = torch.where(directions > 0, right_bottom, left_top)
        reach = ahead / directions.abs().clamp_min(1e-6)
        return Star(points[location], reach.amin(-1))

    def raw_confidence(
        self, prediction: Prediction, points: Tensor, location: tuple[int, int], size: int
    ) -> Tensor:
        """How much of each pixel is in the box."""
        row, column = location
        box = around(points[location], prediction.shape[:, row, column])
        edges = torch.arange(size + 1, dtype=box.dtype)
        x, y = (
            (edges[1:].minimum(high) - edges[:-1].maximum(low)).clamp_min(0)
            for low, high in (box[[0, 2]], box[[1, 3]])
        )
        return torch.outer(y, x)


def around(points: Tensor, distances: Tensor) -> Tensor:
    """(..., 4) boxes, with edges between pixels, around points (..., 2).

    Args:
        points: in pixels.
        distances: (..., 4) to left, top, right, bottom.
    """
    left_top, right_bottom = distances.split(2, dim=-1)
    return torch.cat([points - left_top, points + right_bottom], dim=-1) + 0.5


def mask_boxes(masks: Tensor) -> Tensor:
    """(N, 4) boxes around masks (N, S, S), with edges between pixels; 0 if empty."""
    ends = []
    for occupied in (masks.any(1), masks.any(2)):  # columns, rows
        first = occupied.float().argmax(1)
        last = occupied.shape[1] - occupied.flip(1).float().argmax(1)
        ends.append(torch.stack([first, last], dim=1) * occupied.any(1)[:, None])
    return torch.stack(ends, dim=2).flatten(1).float()
