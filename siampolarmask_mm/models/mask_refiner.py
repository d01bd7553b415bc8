"""MaskRefiner: redraws what stars agree on by what the backbone's first layers see.

Shape shorthand:
    N: search crops    S: pixels of a search crop    C: channels of the head's features
    H, W: the score map    h, w: maps at a finer stride, over the whole crop
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from siampolarmask_mm.models.polar_decoder import PolarDecoder
from siampolarmask_mm.models.siamese_head import Prediction, init_small
from siampolarmask_mm.registry import MODELS
from siampolarmask_mm.threads import in_threads

SUREST = 0.98  # confidences beyond count as this one: stars are never that sure


@MODELS.register_module()
class MaskRefiner(BaseModule):
    """Corrects a confidence, in logits, stride by stride from coarse to fine.

    At every stride of the fine features, two 3x3 convolutions see them, what came from the
    coarser stride, and the confidence. What comes out at the finest stride is added to the
    confidence's logits, and interpolated to the crop; untrained, nothing changes much.

    In tracking, masks that are reported are redrawn, and with them those that a
    TemplateMemory remembers, and these alone are fitted to the image by the decoder's
    ``edges``; what is followed, and boxes with it, is the union as it is.

    Sizes must be such that maps of all strides begin and end at the crop's first and last
    pixel, S = 1 + a multiple of the coarsest stride, as with SOTMobileNetV2.

    Args:
        in_channels: C.
        fine_channels: of the backbone's finer features, the finest first.
        channels: of the convolutions at these strides.
        strides: pixels of the crop between neighbors in these features.
        stride: of the head's features.
        roughness: in training, confidences are made wrong, since they are too good on pairs
            that the network has learned from: by the sum, in logits, of bumps as large as a
            location and of others four times as large, both of this standard deviation
            where they are highest.
        max_pairs: of a training batch whose masks are redrawn; all if not given. Stars are
            united on the CPU, which takes most of an iteration's time on a GPU.
        init_cfg: of mmengine's BaseModule.

    Raises:
        ValueError: if ``max_pairs`` is below 1.

    Source: refining coarse masks by finer features top-down is SharpMask's
    (arXiv:1603.08695), and SiamMask's for a tracker (arXiv:1812.05050, section 3.2); that
    what is refined is a confidence of stars, not features of one location, is ours.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        fine_channels: Sequence[int] = (16, 24),
        channels: Sequence[int] = (16, 32),
        strides: Sequence[int] = (2, 4),
        stride: int = 8,
        roughness: float = 0.7,
        max_pairs: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if max_pairs is not None and max_pairs < 1:
            raise ValueError(f'max_pairs of 1 or more expected, got {max_pairs}')
        self.strides = tuple(strides)
        self.stride = stride
        self.roughness = roughness
        self.max_pairs = max_pairs
        coarser = [*channels[1:], channels[-1]]
        self.reduce = _conv(in_channels, channels[-1], 1)
        self.narrow = nn.ModuleList(
            _conv(before, own, 1) for before, own in zip(coarser, channels, strict=True)
        )
        self.refine = nn.ModuleList(
            nn.Sequential(_conv(own + fine + 1, own, 3), _conv(own, own, 3))
            for own, fine in zip(channels, fine_channels, strict=True)
        )
        self.correct = nn.Conv2d(channels[0], 1, 3, padding=1)

    def init_weights(self) -> None:
        """A small correction."""
        super().init_weights()
        init_small(self.correct)

    def forward(
        self, confidence: Tensor, fine: Sequence[Tensor], features: Tensor
    ) -> Tensor:
        """Redraw.

        Args:
            confidence: (N, S, S) raw, from 0 to 1.
            fine: per fine stride (N, ., h, w), the finest first.
            features: (N, C, H, W) of the head, see `SiameseHead.compare`.

        Returns:
            (N, S, S) logits.

        Raises:
            ValueError: if fine features do not begin and end where the crop does, or the
                head's cannot lie in its middle.
        """
        size = confidence.shape[-1]
        for stride, own in zip(self.strides, fine, strict=True):
            cells = (size - 1) / stride + 1
            if own.shape[-1] != cells:
                raise ValueError(
                    f'{cells:g} features at stride {stride} of {size} pixels expected, '
                    f'got {own.shape[-1]}'
                )
        logits = confidence.clamp(1 - SUREST, SUREST).logit()[:, None]
        if self.training and self.roughness:
            logits = logits + self.roughness * self._bumps(logits)
        cells = [(n - 1) // self.stride + 1 for n in logits.shape[-2:]]
        seen = surround(self.reduce(features), cells)
        layers = zip(self.strides, fine, self.narrow, self.refine, strict=True)
        for stride, own, narrow, refine in reversed(list(layers)):
            seen = _resize(narrow(seen), own.shape[-2:])
            drawn = logits[..., ::stride, ::stride]
            seen = refine(torch.cat([seen, own, drawn.to(seen)], dim=1))
        corrected = drawn + self.correct(seen).float()
        return _resize(corrected, (size, size))[:, 0]

    def _bumps(self, logits: Tensor) -> Tensor:
        count, size = len(logits), logits.shape[-1]
        bumps = torch.zeros_like(logits)
        for cell in (self.stride, 4 * self.stride):
            coarse = torch.randn(count, 1, size // cell, size // cell, device=logits.device)
            bumps += interpolate(coarse, (size, size), mode='bilinear')
        return bumps


def raw_confidences(
    decoder: PolarDecoder, prediction: Prediction, points: Tensor, size: int
) -> Tensor:
    """What a decoder's stars agree on, seen from where the score is largest.

    Args:
        decoder: of unions.
        prediction: of N search crops.
        points: (H, W, 2) where the locations look at, in pixels of the crop.
        size: S.

    Returns:
        (N, S, S) from 0 to 1, on the CPU, without gradients.
    """
    points = points.cpu()
    width = prediction.scores.shape[-1]

    def unite(*parts: Tensor) -> Tensor:
        own = type(prediction)(*parts)
        location = divmod(int(own.scores.argmax()), width)
        return decoder.raw_confidence(own, points, location, size)

    parts = (part.detach().float().cpu() for part in prediction)
    return torch.stack(in_threads(unite, *parts))


def surround(features: Tensor, cells: Sequence[int]) -> Tensor:
    """Zeros around (..., H, W) up to a size of (height, width), evenly on all sides.

    Raises:
        ValueError: if that is not possible.
    """
    around = [n - m for n, m in zip(cells, features.shape[-2:], strict=True)]
    if any(n < 0 or n % 2 for n in around):
        raise ValueError(
            f"an even number of locations fewer than the crop's {tuple(cells)} expected, "
            f'got {tuple(features.shape[-2:])}'
        )
    down, across = (n // 2 for n in around)
    return pad(features, (across, across, down, down))


def _resize(maps: Tensor, size: Sequence[int]) -> Tensor:
    return interpolate(maps, tuple(size), mode='bilinear', align_corners=True)


def _conv(in_channels: int, out_channels: int, size: int) -> ConvModule:
    return ConvModule(
        in_channels, out_channels, size, padding=size // 2, norm_cfg=dict(type='BN')
    )
