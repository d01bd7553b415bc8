"""PreviousMask: where the object was in the frame before, told to the network.

Shape shorthand:
    N: search crops    S: pixels of a search crop    H, W: the score map
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate

from siampolarmask_mm.crops import Crop, sample
from siampolarmask_mm.models.mask_matching import mask_shares
from siampolarmask_mm.polar import soft_star_masks
from siampolarmask_mm.registry import TASK_UTILS

CELL_SOFTNESS = 0.3  # of a star's outline in cells: that of its confidence, over a cell


@TASK_UTILS.register_module()
class PreviousMask:
    """Makes the maps that MaskMatching takes of the mask in the frame before.

    In tracking, that is the last frame's mask in this frame's search crop. In training on
    pairs there is none, so one is made up of the mask that is to be found: as of an object
    that moved and changed since, and as roughly as a network draws it. Some are left out,
    as in tracking when an object is lost or was given by its box; and some lie far off, so
    that the network does not trust them blindly.

    Args:
        unknown: share of training pairs without any.
        motion: pixels of the search crop that an object moves between frames along each
            axis, as a standard deviation.
        far: share of training pairs in which the object moves anywhere up to
            ``farthest``.
        farthest: pixels of the search crop.
        growth: change in size between frames, as a standard deviation of its logarithm.
        roughness: how far outlines are off; 0.25 moves them by about a stride.
        partial: share of training pairs in which only a part of the object was found in the
            frame before, so that the network finds the rest again.

    Raises:
        ValueError: if a share is not from 0 to 1.

    Source: that a network which sees the mask before draws the next one better is
    MaskTrack's (arXiv:1612.02646), which also learns from masks made up of still images'.
    """

    def __init__(
        self,
        unknown: float = 0.25,
        *,
        motion: float = 8.0,
        far: float = 0.2,
        farthest: float = 64.0,
        growth: float = 0.08,
        roughness: float = 0.25,
        partial: float = 0.0,
    ) -> None:
        for name, share in dict(unknown=unknown, far=far, partial=partial).items():
            if not 0 <= share <= 1:
                raise ValueError(f'{name} from 0 to 1 expected, got {share}')
        self.unknown = unknown
        self.motion = motion
        self.far = far
        self.farthest = farthest
        self.growth = growth
        self.roughness = roughness
        self.partial = partial

    def make_up(
        self, masks: Tensor, is_outline: Tensor, num_locations: tuple[int, int], stride: int
    ) -> Tensor:
        """Maps for training, of the masks (N, S, S) that are to be found.

        Args:
            masks: boolean; of a negative pair, that of the other object.
            is_outline: (N,) whether a mask is known, or a box stands for it, of which no
                map is made.
            num_locations: (H, W).
            stride: pixels between neighboring locations.

        Returns:
            (N, 2, H, W) as `tell` gives them.
        """
        with torch.autocast(masks.device.type, enabled=False):  # places need float32
            shares = mask_shares(masks.float(), num_locations, stride)[:, None]
            shares = self._roughen(self._cut(self._move(shares, stride)))[:, 0]
        told = torch.rand(len(masks), device=masks.device) >= self.unknown
        return tell(shares, told & is_outline)

    def _move(self, shares: Tensor, stride: int) -> Tensor:
        """Resize each map (N, 1, H, W) about its object's middle, and shift it."""
        count, _, height, width = shares.shape
        extent = shares.new_tensor([width - 1, height - 1]) / 2
        shift = self.motion * torch.randn(count, 2, device=shares.device)
        anywhere = self.farthest * (2 * torch.rand(count, 2, device=shares.device) - 1)
        is_far = torch.rand(count, 1, device=shares.device) < self.far
        shift = torch.where(is_far, anywhere, shift) / stride / extent  # of -1 to 1
        factor = (self.growth * torch.randn(count, device=shares.device)).exp()
        middle = _middle(shares)
        theta = torch.zeros(count, 2, 3, device=shares.device)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / factor
        theta[:, :, 2] = middle - (middle + shift) / factor[:, None]
        grid = affine_grid(theta, shares.shape, align_corners=True)
        return grid_sample(shares, grid, align_corners=True)

    def _cut(self, shares: Tensor) -> Tensor:
        """Leave of some maps (N, 1, H, W) what lies on one side of a line through them."""
        if not self.partial:
            return shares
        count = len(shares)
        angle = 2 * math.pi * torch.rand(count, device=shares.device)
        normal = torch.stack([angle.cos(), angle.sin()], dim=1)
        offset = _places(shares) - _middle(shares)[:, None, None]  # (N, H, W, 2)
        along = (offset * normal[:, None, None]).sum(-1)[:, None]
        mass = shares.sum((1, 2, 3)).clamp_min(1e-6)
        spread = ((shares * along.square()).sum((1, 2, 3)) / mass).sqrt()
        line = spread * (1.5 * torch.rand(count, device=shares.device) - 1)
        is_cut = torch.rand(count, device=shares.device) < self.partial
        gone = (along < line[:, None, None, None]) & is_cut[:, None, None, None]
        return shares.masked_fill(gone, 0)

    def _roughen(self, shares: Tensor) -> Tensor:
        """Move outlines here and there, out or in."""
        bumps = torch.randn(len(shares), 1, 6, 6, device=shares.device)
        bumps = interpolate(bumps, shares.shape[-2:], mode='bicubic', align_corners=True)
        soft = avg_pool2d(shares, 3, 1, 1)
        return (8 * (soft + self.roughness * bumps - 0.5)).sigmoid()


def _places(shares: Tensor) -> Tensor:
    """(H, W, 2) x and y of each location of (..., H, W), from -1 to 1."""
    y, x = (torch.linspace(-1, 1, n, device=shares.device) for n in shares.shape[-2:])
    return torch.stack(torch.broadcast_tensors(x, y[:, None]), dim=-1)


def _middle(shares: Tensor) -> Tensor:
    """(N, 2) of the mass of each map (N, 1, H, W), from -1 to 1."""
    mass = shares.sum((1, 2, 3)).clamp_min(1e-6)
    weighted = shares[:, 0, :, :, None] * _places(shares)
    return weighted.sum((1, 2)) / mass[:, None]


def tell(shares: Tensor, known: Tensor) -> Tensor:
    """Maps of the object and of what is not the object; both 0 where nothing is known.

    Args:
        shares: (N, H, W) of each location's cell that were the object's.
        known: (N,) whether a mask is.

    Returns:
        (N, 2, H, W).
    """
    return torch.stack([shares, 1 - shares], dim=1) * known[:, None, None, None]


def crop_to_cells(
    seen: Crop, crop: Crop, num_locations: tuple[int, int], stride: int
) -> np.ndarray:
    """(3, 3) from points of one crop to rows and columns of locations in another.

    Args:
        seen: neither turned nor mirrored.
        crop: where the locations are; neither turned nor mirrored.
        num_locations: (H, W).
        stride: pixels of ``crop`` between neighboring locations.
    """
    scale = crop.scale / (stride * seen.scale)
    x, y = (
        (was - now) * crop.scale / stride + (cells - 1) / 2 - seen.middle * scale
        for was, now, cells in zip(
            seen.center, crop.center, num_locations[::-1], strict=True
        )
    )
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]])


def confidence_shares(
    confidence: Tensor, to_cells: np.ndarray, num_locations: tuple[int, int]
) -> Tensor:
    """What of each location's cell is the object's, by a confidence in another crop.

    Only the cells are sampled, from means of as many pixels as a cell covers.

    Args:
        confidence: (S, S) from 0 to 1; outside of it there is no object.
        to_cells: of `crop_to_cells`.
        num_locations: (H, W).

    Returns:
        (H, W) from 0 to 1.
    """
    side = 2 * round(0.5 / to_cells[0, 0]) + 1  # of a cell, which is a pixel wider
    means = cv2.blur(confidence.numpy(), (side, side), borderType=cv2.BORDER_CONSTANT)
    return torch.from_numpy(sample(means, to_cells, num_locations, outside=0))


def star_shares(
    center: Tensor, rays: Tensor, to_cells: np.ndarray, num_locations: tuple[int, int]
) -> Tensor:
    """The same by a star (2,), (K,) in another crop, whose confidence is not needed."""
    scale, offset = float(to_cells[0, 0]), torch.from_numpy(to_cells[:2, 2]).to(center)
    center, rays = center * scale + offset, rays * scale
    return soft_star_masks(center[None], rays[None], num_locations, CELL_SOFTNESS)[0]
