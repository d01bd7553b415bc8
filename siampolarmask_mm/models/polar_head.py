"""PolarHead: a score, a centerness and the rays of a star at every location.

Shape shorthand:
    N: pairs of template and search     C: channels of a level
    H, W: the score map                 K: rays
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmtrack.models.task_modules.track import depthwise_correlation
from torch import Tensor, nn

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
class PolarHead(BaseModule):
    """Correlates template and search level by level and predicts a star per location.

    Args:
        in_channels: C, the same in every level.
        num_levels: how many levels the backbone and neck give.
        num_rays: K.
        stride: pixels of the search crop between neighboring locations.
        feat_channels: channels of the towers.
        num_convs: 3x3 convolutions in each of the two towers.
        init_radius: ray length in strides that an untrained head predicts.
        matching: config of a MaskMatching, whose features are added to the correlation's;
            none, as in the paper, if not given.
        init_cfg: of mmengine's BaseModule.

    Source: SiamPolarMask, section 3 and figure 2 (36 rays: a 38-vector per location).
    """

    LARGEST_EXPONENT = 6.0  # e^6 strides are far outside any crop; keeps exp finite

    def __init__(  # noqa: PLR0913
        self,
        in_channels: int = 256,
        *,
        num_levels: int = 3,
        num_rays: int = 36,
        stride: int = 8,
        feat_channels: int = 256,
        num_convs: int = 4,
        init_radius: float = 3.0,
        matching: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_levels = num_levels
        self.num_rays = num_rays
        self.stride = stride
        self.reduce = nn.Conv2d(num_levels * in_channels, feat_channels, 1)
        self.score_tower = _tower(feat_channels, num_convs)
        self.ray_tower = _tower(feat_channels, num_convs)
        self.score = nn.Conv2d(feat_channels, 1, 3, padding=1)
        self.centerness = nn.Conv2d(feat_channels, 1, 3, padding=1)
        self.rays = nn.Conv2d(feat_channels, num_rays, 3, padding=1)
        self.ray_scale = nn.Parameter(torch.ones(()))
        self._init_radius = init_radius
        self.matching = None
        if matching is not None:
            channels = dict(
                in_channels=num_levels * in_channels, out_channels=feat_channels
            )
            self.matching = MODELS.build(
                matching, default_args=dict(channels, stride=stride)
            )

    def init_weights(self) -> None:
        """Small outputs, rays of ``init_radius`` strides."""
        super().init_weights()
        for layer in (self.score, self.centerness, self.rays):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.rays.bias, math.log(self._init_radius))

    def describe_template(
        self, levels: tuple[Tensor, ...], masks: Tensor | None, num_cells: int
    ) -> tuple[Tensor, ...]:
        """Keep of a template what `forward` takes.

        Args:
            levels: per level (N, C, h, w), of the whole template crop.
            masks: (N, S, S) the object in the crop; only matching looks at it.
            num_cells: the correlation's kernel is the middle ``num_cells`` squared.

        Returns:
            Per level (N, C, num_cells, num_cells), then what MaskMatching remembers.

        Raises:
            ValueError: if matching lacks the masks.
        """
        kernels = tuple(middle(level, (num_cells, num_cells)) for level in levels)
        if self.matching is None:
            return kernels
        if masks is None:
            raise ValueError('masks of the templates expected for matching, got none')
        return kernels + self.matching.remember(levels, masks)

    @property
    def uses_previous(self) -> bool:
        """Whether the mask of the frame before is looked at."""
        return self.matching is not None and self.matching.use_previous

    def num_locations(
        self, template: tuple[Tensor, ...], search: tuple[Tensor, ...]
    ) -> tuple[int, int]:
        """(H, W) of the score map that `forward` would give."""
        (_, _, h, w), (_, _, height, width) = template[0].shape, search[0].shape
        return height - h + 1, width - w + 1

    def forward(
        self,
        template: tuple[Tensor, ...],
        search: tuple[Tensor, ...],
        previous: Tensor | None = None,
    ) -> PolarPrediction:
        """Predict a star at each place where the template fits into the search features.

        Args:
            template: as `describe_template` gives it: per level (N, C, h, w), ...
            search: per level (N, C, h + H - 1, w + W - 1).
            previous: (N, 2, H, W) the mask of the frame before, as MaskMatching takes it.
        """
        kernels, remembered = template[: self.num_levels], template[self.num_levels :]
        similarity = torch.cat(
            [depthwise_correlation(s, t) for t, s in zip(kernels, search, strict=True)],
            dim=1,
        )
        features = self.reduce(similarity)
        if self.matching is not None:
            seen = tuple(middle(level, features.shape[-2:]) for level in search)
            features = features + self.matching(remembered, seen, previous)
        score_features = self.score_tower(features)
        exponent = self.ray_scale * self.rays(self.ray_tower(features)).float()
        return PolarPrediction(
            scores=self.score(score_features)[:, 0],
            centerness=self.centerness(score_features)[:, 0],
            rays=exponent.clamp(max=self.LARGEST_EXPONENT).exp() * self.stride,
        )


def middle(features: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., height, width) the middle of larger maps, for a size of (height, width)."""
    height, width = size
    top = (features.shape[-2] - height) // 2
    left = (features.shape[-1] - width) // 2
    return features[..., top : top + height, left : left + width]


def _tower(channels: int, num_convs: int) -> nn.Sequential:
    norm_cfg = dict(type='GN', num_groups=math.gcd(channels, 32))
    return nn.Sequential(
        *(
            ConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg)
            for _ in range(num_convs)
        )
    )
