"""PolarTargetAssigner: which locations are positive, and what each must predict.

Shape shorthand:
    N: search crops    S: pixels of a search crop    H, W: the score map
    P: positive locations of all crops               K: rays
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from siampolarmask_mm.polar import cast_rays, mask_edges, polar_centerness
from siampolarmask_mm.registry import TASK_UTILS


class PolarTargets(NamedTuple):
    """What the head should predict.

    Attributes:
        positive: (N, H, W) whether the object is at a location.
        rays: (P, K) lengths in pixels of the search crop, in the order of
            ``positive.nonzero()``; 0 where a ray does not meet the object.
        centerness: (P,) eq. 1 of these rays.
    """

    positive: Tensor
    rays: Tensor
    centerness: Tensor


@TASK_UTILS.register_module()
class PolarTargetAssigner:
    """One star around the object's center of mass.

    Positive are the locations within ``radius`` strides of the mass center along each
    axis: those of them inside the object if any is, else all (a ring's center is outside
    it). Each gets the rays from where it stands to the farthest crossing with the outline,
    which closes at the crop's border. An empty mask has no positive location.

    Args:
        num_rays: K.
        stride: pixels of the search crop between neighboring locations.
        radius: in strides.

    Source: SiamPolarMask, section 3; the mass center and the center sampling of 1.5 strides
    are those of PolarMask (arXiv:1909.13226).
    """

    def __init__(self, num_rays: int = 36, stride: int = 8, radius: float = 1.5) -> None:
        self.num_rays = num_rays
        self.stride = stride
        self.radius = radius

    def assign(self, masks: Tensor, points: Tensor) -> PolarTargets:
        """Compute the targets of a batch.

        Args:
            masks: (N, S, S) boolean, the object in each search crop; empty where it is not
                there (a negative pair).
            points: (H, W, 2) where the locations look at, in pixels of the search crop.
        """
        center, exists = mass_centers(masks)
        offset = (points - center[:, None, None]).abs()  # (N, H, W, 2)
        near = (offset <= self.radius * self.stride).all(-1) & exists[:, None, None]
        inside = near & _look_up(masks, points)
        has_inside = inside.flatten(1).any(1)[:, None, None]
        positive = torch.where(has_inside, inside, near)

        image, row, column = positive.nonzero(as_tuple=True)  # (P,)
        lengths = cast_rays(
            mask_edges(masks)[image], points[row, column][:, None], self.num_rays, 'last'
        ).lengths[:, 0]
        return PolarTargets(positive, lengths, polar_centerness(lengths))


def mass_centers(masks: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of each mask's pixels, all parts counted.

    Args:
        masks: (N, H, W) boolean.

    Returns:
        (N, 2) points in pixels (0 for an empty mask), and (N,) whether there is a pixel.
    """
    height, width = masks.shape[-2:]
    weight = masks.float()
    mass = weight.sum((1, 2))
    x = (weight.sum(1) * torch.arange(width, device=masks.device)).sum(1)
    y = (weight.sum(2) * torch.arange(height, device=masks.device)).sum(1)
    return torch.stack([x, y], dim=-1) / mass.clamp_min(1)[:, None], mass > 0


def _look_up(masks: Tensor, points: Tensor) -> Tensor:
    """(N, H, W) the masks' nearest pixels to points (H, W, 2); False outside of them."""
    height, width = masks.shape[-2:]
    x, y = points.round().long().unbind(-1)
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return masks[:, y.clamp(0, height - 1), x.clamp(0, width - 1)].bool() & within
