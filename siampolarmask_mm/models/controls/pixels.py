"""A logit for every pixel at a fine stride, instead of a shape at every location.

Shape shorthand:
    N: pairs of template and search    H, W: the score map    S: pixels of a search crop
    F: pixels of the fine map from location to location
    h, w: the fine map, F (H - 1) + 1 and F (W - 1) + 1
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from siampolarmask_mm.models.confidence import spread_scores
from siampolarmask_mm.models.controls.shape_decoder import ShapeDecoder, star_of_mask
from siampolarmask_mm.models.decoded import Star
from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.models.siamese_head import (
    Prediction,
    SiameseHead,
    conv_norm,
    init_small,
)
from siampolarmask_mm.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class PixelHead(SiameseHead):
    """Predicts a logit per pixel from the tower's features, upsampled to a fine stride.

    Each doubling of the resolution is followed by a 3x3 convolution that halves the
    channels. The first and the last pixel lie at the first and the last location; what
    lies outside of the locations is not predicted.

    Args:
        in_channels: the same in every level.
        stride: pixels of the search crop between neighboring locations.
        pixel_stride: pixels of the search crop between neighboring logits: ``stride``, or
            that divided by a power of two.
        feat_channels: channels of the towers.
        trunk: other arguments of SiameseHead.

    Raises:
        ValueError: if ``pixel_stride`` is none of these.
    """

    SHAPE = 'pixels'
    TOWER = 'pixel_tower'

    def __init__(
        self,
        in_channels: int = 256,
        *,
        stride: int = 8,
        pixel_stride: int = 2,
        feat_channels: int = 256,
        **trunk: object,
    ) -> None:
        factor, rest = divmod(stride, pixel_stride)
        if rest or factor.bit_count() != 1:
            raise ValueError(
                f'pixel_stride of {stride}, or that divided by a power of two, expected, '
                f'got {pixel_stride}'
            )
        channels = [feat_channels]
        while len(channels) < factor.bit_length():
            channels.append(max(channels[-1] // 2, 8))
        super().__init__(
            in_channels,
            output=lambda _: nn.Conv2d(channels[-1], 1, 1),
            stride=stride,
            feat_channels=feat_channels,
            **trunk,
        )
        self.refine = nn.ModuleList(
            conv_norm(*pair) for pair in itertools.pairwise(channels)
        )

    def init_weights(self) -> None:
        """Small outputs."""
        super().init_weights()
        init_small(self.pixels)

    @property
    def decoder_args(self) -> dict[str, object]:
        """Of a PixelDecoder."""
        return dict(num_rays=self.num_rays)

    def predict_shape(self, features: Tensor) -> Tensor:
        """(N, h, w) logits."""
        features = self.pixel_tower(features)
        for layer in self.refine:
            size = [2 * n - 1 for n in features.shape[-2:]]
            features = layer(
                interpolate(features, size, mode='bilinear', align_corners=True)
            )
        return self.pixels(features)[:, 0].float()

    def shape_loss(
        self, loss: nn.Module, prediction: Prediction, targets: PolarTargets, points: Tensor
    ) -> Tensor:
        """Compare all pixels of the pairs with a mask, which may be empty."""
        logits = prediction.shape[targets.is_outline].flatten(1)
        if len(logits) == 0:
            return prediction.shape.sum() * 0
        x, y = (
            torch.linspace(*ends, n, device=points.device).round().long()
            for ends, n in (
                (points[0, [0, -1], 0].tolist(), prediction.shape.shape[2]),
                (points[[0, -1], 0, 1].tolist(), prediction.shape.shape[1]),
            )
        )
        truth = targets.masks[targets.is_outline][:, y[:, None], x]
        return loss(logits, truth.flatten(1).float())


@TASK_UTILS.register_module()
class PixelDecoder(ShapeDecoder):
    """Interpolates the fine map; the object is what hangs together with the location.

    A location's size, which eq. 7 compares with the last, is that of the part of the mask
    that it is in, and 0 outside.

    Args are those of ShapeDecoder.
    """

    def sizes(self, prediction: Prediction, points: Tensor) -> Tensor:
        """Of the parts that the locations are in."""
        parts, boxes = _parts(prediction.shape)
        factor = _factor(prediction)
        wh = boxes[parts[::factor, ::factor]]  # (H, W, 2)
        return torch.from_numpy(wh).to(points) * (_stride(points) / factor)

    def star(
        self, prediction: Prediction, points: Tensor, location: tuple[int, int]
    ) -> Star:
        """Of the part that the location is in."""
        factor = _factor(prediction)
        row, column = (factor * n for n in location)
        parts, _ = _parts(prediction.shape)
        own = torch.from_numpy((parts == parts[row, column]) & (parts > 0))
        rays = star_of_mask(own, points.new_tensor([column, row]), self.num_rays)
        return Star(points[location], rays * (_stride(points) / factor))

    def raw_confidence(
        self,
        prediction: Prediction,
        points: Tensor,
        location: tuple[int, int],  # noqa: ARG002
        size: int,
    ) -> Tensor:
        """Of all pixels."""
        stride = round(_stride(points) / _factor(prediction))
        return spread_scores(prediction.shape.sigmoid(), points, stride, size)


def _factor(prediction: Prediction) -> int:
    """F."""
    return (prediction.shape.shape[0] - 1) // (prediction.scores.shape[0] - 1)


def _stride(points: Tensor) -> float:
    return float(points[0, 1, 0] - points[0, 0, 0])


def _parts(logits: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) the number of the part that each pixel is in, 0 outside; (parts, 2) sizes."""
    mask = (logits > 0).numpy().view(np.uint8)
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    sizes = boxes[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    sizes[0] = 0
    return parts, sizes
