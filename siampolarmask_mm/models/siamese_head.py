"""SiameseHead: compares template and search, and scores where the object is.

Shape shorthand:
    N: pairs of template and search     C: channels of a level
    H, W: the score map                 S: pixels of a search crop
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmtrack.models.task_modules.track import depthwise_correlation
from torch import Tensor, nn

from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.registry import MODELS


class Prediction(NamedTuple):
    """What a head predicts.

    Attributes:
        scores: (N, H, W) logits of "the object is here".
        centerness: (N, H, W) logits of the polar centerness.
        shape: (N, ...) the object's shape, as the head describes it; float32.
    """

    scores: Tensor
    centerness: Tensor
    shape: Tensor


class SiameseHead(BaseModule):
    """Correlates template and search level by level and scores every location.

    How the object's shape is predicted is a subclass's, which has a tower and a last layer
    for it.

    Args:
        in_channels: C, the same in every level.
        output: makes the last layer of the shape, for a number of channels.
        num_levels: how many levels the backbone and neck give.
        num_rays: of the stars that are reported, and that the centerness is learned from.
        stride: pixels of the search crop between neighboring locations.
        feat_channels: channels of the towers.
        num_convs: 3x3 convolutions in each of the two towers.
        matching: config of a MaskMatching, whose features are added to the correlation's;
            none, as in the paper, if not given.
        init_cfg: of mmengine's BaseModule.

    Attributes:
        SHAPE: the last layer's name and that of the shape's loss.
        TOWER: the name of the shape's tower.
        PREDICTION: the NamedTuple that is predicted: scores, centerness and the shape.

    Source: SiamPolarMask, section 3 and figure 2, without the rays.
    """

    SHAPE = 'shape'
    TOWER = 'shape_tower'
    PREDICTION = Prediction

    def __init__(  # noqa: PLR0913
        self,
        in_channels: int = 256,
        *,
        output: Callable[[int], nn.Module],
        num_levels: int = 3,
        num_rays: int = 36,
        stride: int = 8,
        feat_channels: int = 256,
        num_convs: int = 4,
        matching: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_levels = num_levels
        self.num_rays = num_rays
        self.stride = stride
        self.reduce = nn.Conv2d(num_levels * in_channels, feat_channels, 1)
        self.score_tower = _tower(feat_channels, num_convs)
        self.add_module(self.TOWER, _tower(feat_channels, num_convs))
        self.score = nn.Conv2d(feat_channels, 1, 3, padding=1)
        self.centerness = nn.Conv2d(feat_channels, 1, 3, padding=1)
        self.add_module(self.SHAPE, output(feat_channels))
        self.matching = None
        if matching is not None:
            channels = dict(
                in_channels=num_levels * in_channels, out_channels=feat_channels
            )
            self.matching = MODELS.build(
                matching, default_args=dict(channels, stride=stride)
            )

    def init_weights(self) -> None:
        """Small scores and centerness."""
        super().init_weights()
        for layer in (self.score, self.centerness):
            init_small(layer)

    @abstractmethod
    def predict_shape(self, features: Tensor) -> Tensor:
        """The shape, from features (N, C, H, W) of the comparison; float32."""

    @abstractmethod
    def shape_loss(
        self, loss: nn.Module, prediction: Prediction, targets: PolarTargets, points: Tensor
    ) -> Tensor:
        """How far predicted shapes are off.

        Args:
            loss: compares predictions with targets.
            prediction: of N pairs.
            targets: for them.
            points: (H, W, 2) where the locations look at, in pixels of the search crop.

        Returns:
            A scalar; 0, with gradients of 0, if no shape is known.
        """

    @property
    def decoder_args(self) -> dict[str, object]:
        """What the head's decoder has to know of it, by the arguments' names."""
        return {}

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
    ) -> Prediction:
        """Look for the object at each place where the template fits into the search.

        Args:
            template: as `describe_template` gives it: per level (N, C, h, w), ...
            search: per level (N, C, h + H - 1, w + W - 1).
            previous: (N, 2, H, W) the mask of the frame before, as MaskMatching takes it.
        """
        return self.predict(self.compare(template, search, previous))

    def compare(
        self,
        template: tuple[Tensor, ...],
        search: tuple[Tensor, ...],
        previous: Tensor | None = None,
    ) -> Tensor:
        """(N, ``feat_channels``, H, W) features of the comparison; see `forward`."""
        kernels, remembered = template[: self.num_levels], template[self.num_levels :]
        similarity = torch.cat(
            [depthwise_correlation(s, t) for t, s in zip(kernels, search, strict=True)],
            dim=1,
        )
        features = self.reduce(similarity)
        if self.matching is None:
            return features
        seen = tuple(middle(level, features.shape[-2:]) for level in search)
        return features + self.matching(remembered, seen, previous)

    def predict(self, features: Tensor) -> Prediction:
        """What is predicted of features of the comparison (N, ``feat_channels``, H, W)."""
        score_features = self.score_tower(features)
        return self.PREDICTION(
            self.score(score_features)[:, 0],
            self.centerness(score_features)[:, 0],
            self.predict_shape(features),
        )


def middle(features: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., height, width) the middle of larger maps, for a size of (height, width)."""
    height, width = size
    top = (features.shape[-2] - height) // 2
    left = (features.shape[-1] - width) // 2
    return features[..., top : top + height, left : left + width]


def init_small(layer: nn.Module) -> None:
    """Let a last layer begin near 0."""
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)


def conv_norm(in_channels: int, out_channels: int) -> ConvModule:
    """A 3x3 convolution with GroupNorm and ReLU."""
    norm_cfg = dict(type='GN', num_groups=math.gcd(out_channels, 32))
    return ConvModule(in_channels, out_channels, 3, padding=1, norm_cfg=norm_cfg)


LARGEST_EXPONENT = 6.0  # e^6 strides are far outside any crop; keeps exp finite


def as_lengths(exponent: Tensor, stride: int) -> Tensor:
    """What a layer gives, as lengths above 0 in pixels; 0 is a stride."""
    return exponent.clamp(max=LARGEST_EXPONENT).exp() * stride


def _tower(channels: int, num_convs: int) -> nn.Sequential:
    return nn.Sequential(*(conv_norm(channels, channels) for _ in range(num_convs)))
