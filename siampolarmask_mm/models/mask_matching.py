"""MaskMatching: what the first frame's mask tells about every search location.

Shape shorthand:
    N: pairs of template and search     C: channels of all levels together
    H, W: the score map                 L: its H W locations
    h, w: the template's features       T: its h w locations
    S: pixels of a template crop
"""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, normalize, pad

from siampolarmask_mm.polar.stars import at_least_float32
from siampolarmask_mm.registry import MODELS

FOREGROUND = 0.5  # share of the mask from which a template location is foreground
CONTRAST = 8.0  # cosine similarities differ by tenths, other features by ones


@MODELS.register_module()
class MaskMatching(BaseModule):
    """Compares search locations with the template's foreground and background.

    A learned embedding of all levels gives, for every search location, three numbers: the
    mean of its largest cosine similarities to the template's foreground locations, that to
    its background locations, and their difference. Beside them goes a skip of the search
    features, each channel scaled by the template's mean foreground; and, if wanted, where
    the object was in the frame before (`PreviousMask`).

    Foreground are the template locations half of whose cell the mask covers; if there is
    none, the one that it covers most. With fewer than ``top_k`` locations on a side all of
    them count; a side without any has similarity 0.

    Args:
        in_channels: C.
        out_channels: of what is added to the head's features.
        stride: pixels of the template crop between neighboring locations.
        embed_channels: of the embedding.
        top_k: how many similarities the mean is of.
        use_previous: whether to look at the mask of the frame before.
        init_cfg: of mmengine's BaseModule.

    Source: our own; matching all pixels with the first frame's foreground and background
    is VideoMatch's (arXiv:1809.01123), as is the mean of the largest similarities.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 8,
        embed_channels: int = 64,
        top_k: int = 3,
        use_previous: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.stride = stride
        self.top_k = top_k
        self.use_previous = use_previous
        self.embed = nn.Conv2d(in_channels, embed_channels, 1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1)
        self.gain = nn.Linear(in_channels, out_channels)
        self.compare = nn.Conv2d(5 if use_previous else 3, out_channels, 1)

    def remember(self, levels: tuple[Tensor, ...], masks: Tensor) -> tuple[Tensor, ...]:
        """Keep of a template what `forward` takes.

        Args:
            levels: per level (N, ., h, w), of the whole template crop.
            masks: (N, S, S) the object in the crop, boolean or from 0 to 1.

        Returns:
            (N, T, .) unit embeddings, (N, T) shares of the mask, (N, C) mean foreground.
        """
        features = torch.cat(levels, dim=1)  # (N, C, h, w)
        shares = mask_shares(masks.to(features), features.shape[-2:], self.stride)
        shares = shares.flatten(1)  # (N, T)
        mass = shares.sum(1, keepdim=True).clamp_min(1e-6)
        mean = torch.einsum('nct,nt->nc', features.flatten(2), shares / mass)
        return self._embed(features), shares, mean

    def forward(
        self,
        template: tuple[Tensor, ...],
        levels: tuple[Tensor, ...],
        previous: Tensor | None = None,
    ) -> Tensor:
        """Compare the search features at the score map's locations with a template.

        Args:
            template: as `remember` gives it.
            levels: per level (N, ., H, W).
            previous: (N, 2, H, W) as `PreviousMask` gives it; unknown if not given. Taken
                only with ``use_previous``.

        Returns:
            (N, out_channels, H, W).
        """
        embeddings, shares, mean = template
        features = torch.cat(levels, dim=1)  # (N, C, H, W)
        likeness = self._embed(features) @ embeddings.transpose(1, 2)  # (N, L, T)
        foreground = is_foreground(shares)
        to_object = mean_of_largest(likeness, foreground, self.top_k)  # (N, L)
        to_background = mean_of_largest(likeness, ~foreground, self.top_k)
        maps = torch.stack([to_object, to_background, to_object - to_background], dim=1)
        maps = CONTRAST * maps.unflatten(2, features.shape[-2:])  # (N, 3, H, W)
        if self.use_previous:
            if previous is None:
                previous = maps.new_zeros(len(maps), 2, *maps.shape[-2:])
            maps = torch.cat([maps, previous.to(maps)], dim=1)
        gain = 1 + self.gain(mean)[..., None, None]  # (N, out_channels, 1, 1)
        return self.skip(features) * gain + self.compare(maps)

    def _embed(self, features: Tensor) -> Tensor:
        """(N, L, .) unit vectors; squares of half precision would overflow."""
        embedding = self.embed(features).flatten(2).transpose(1, 2)
        return normalize(embedding.to(at_least_float32(embedding)), dim=-1).to(embedding)


def mask_shares(masks: Tensor, num_locations: tuple[int, int], stride: int) -> Tensor:
    """How much of each location's cell a mask covers.

    A cell is the ``stride + 1`` (for even strides) pixels around its location; the middle
    of the locations is the mask's middle. Outside of the mask there is no object.

    Args:
        masks: (N, S, S) from 0 to 1.
        num_locations: (h, w).
        stride: pixels between neighboring locations.

    Returns:
        (N, h, w) from 0 to 1.
    """
    half = stride // 2
    # What the outermost cells take beyond the mask; below 0 they begin inside of it.
    above, beside = (
        half - (size - 1 - (n - 1) * stride) // 2
        for size, n in zip(masks.shape[1:], num_locations, strict=True)
    )
    padded = pad(masks, (beside, beside, above, above))
    return avg_pool2d(padded[:, None], 2 * half + 1, stride)[:, 0]


def is_foreground(shares: Tensor) -> Tensor:
    """(N, T) whether locations are foreground, given their shares (N, T) of a mask."""
    largest = shares.amax(1, keepdim=True)
    return (shares >= largest.clamp_max(FOREGROUND)) & (largest > 0)


def mean_of_largest(likeness: Tensor, counted: Tensor, top_k: int) -> Tensor:
    """(N, L) the mean of the ``top_k`` largest of (N, L, T) among those (N, T) counted.

    Of all that are counted, if these are fewer; 0 if there is none.
    """
    top_k = min(top_k, likeness.shape[-1])
    largest = likeness.masked_fill(~counted[:, None], -torch.inf).topk(top_k, dim=-1)[0]
    found = counted.sum(1).clamp(1, top_k)[:, None]
    return largest.where(largest.isfinite(), 0).sum(-1) / found
