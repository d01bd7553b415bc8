"""PolarHead: a score, a centerness and the rays of a star at every location.

Shape shorthand:
    N: pairs of template and search    H, W: the score map    K: rays
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.models.siamese_head import SiameseHead, as_lengths, init_small
from siampolarmask_mm.registry import MODELS


class PolarPrediction(NamedTuple):
    """What the head predicts at every location.

    Attributes:
        scores: (N, H, W) logits of "the object is here".
        centerness: (N, H, W) logits of the polar centerness.
        rays: (N, K, H, W) ray lengths in pixels of the search crop, above 0.
    """

    scores: Tensor
    centerness: Tensor
    rays: Tensor


@MODELS.register_module()
class PolarHead(SiameseHead):
    """Correlates template and search level by level and predicts a star per location.

    Args:
        in_channels: the same in every level.
        num_rays: K.
        init_radius: ray length in strides that an untrained head predicts.
        trunk: other arguments of SiameseHead.

    Source: SiamPolarMask, section 3 and figure 2 (36 rays: a 38-vector per location).
    """

    SHAPE = 'rays'
    TOWER = 'ray_tower'
    PREDICTION = PolarPrediction

    def __init__(
        self,
        in_channels: int = 256,
        *,
        num_rays: int = 36,
        init_radius: float = 3.0,
        **trunk: object,
    ) -> None:
        super().__init__(
            in_channels,
            output=lambda channels: nn.Conv2d(channels, num_rays, 3, padding=1),
            num_rays=num_rays,
            **trunk,
        )
        self.ray_scale = nn.Parameter(torch.ones(()))
        self._init_radius = init_radius

    def init_weights(self) -> None:
        """Small outputs, rays of ``init_radius`` strides."""
        super().init_weights()
        init_small(self.rays)
        nn.init.constant_(self.rays.bias, math.log(self._init_radius))

    def predict_shape(self, features: Tensor) -> Tensor:
        """(N, K, H, W) ray lengths."""
        exponent = self.ray_scale * self.rays(self.ray_tower(features)).float()
        return as_lengths(exponent, self.stride)

    def shape_loss(
        self,
        loss: nn.Module,
        prediction: PolarPrediction,
        targets: PolarTargets,
        points: Tensor,  # noqa: ARG002
    ) -> Tensor:
        """Compare the stars of the locations whose rays are known."""
        image, row, column = targets.outlined.nonzero(as_tuple=True)
        rays = prediction.rays[image, :, row, column]
        return loss(rays, targets.rays, targets.centerness)
