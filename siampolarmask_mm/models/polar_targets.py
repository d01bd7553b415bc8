"""PolarTargetAssigner: which locations are positive, and what each must predict.

Shape shorthand:
    N: search crops    S: pixels of a search crop    H, W: the score map
    P: positive locations of all crops               K: rays
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from siampolarmask_mm.polar import (
    Outlines,
    cast_rays,
    mask_outlines,
    mean_centerness,
    opposite_centerness,
    polar_centerness,
)
from siampolarmask_mm.polar.rays import CROSSINGS
from siampolarmask_mm.registry import TASK_UTILS


class PolarTargets(NamedTuple):
    """What the head should predict.

    Attributes:
        positive: (N, H, W) whether the object is at a location.
        outlined: (N, H, W) the positive locations whose rays are known.
        rays: (P, K) lengths in pixels of the search crop, in the order of
            ``outlined.nonzero()``; 0 where a ray does not meet the object.
        centerness: (P,) of these rays, from 0 to 1.
        score_weights: (N, H, W) how much each location's score counts; their sum is 1.
        masks: (N, S, S) boolean, what the targets are of.
        is_outline: (N,) whether a mask is the object's, or a filled box.
    """

    positive: Tensor
    outlined: Tensor
    rays: Tensor
    centerness: Tensor
    score_weights: Tensor
    masks: Tensor | None = None
    is_outline: Tensor | None = None


REPRESENTATIONS = ('one_star', 'visible_union')
BALANCES = ('halves', 'equal')
CENTERNESS = dict(
    polar=polar_centerness, mean=mean_centerness, opposite=opposite_centerness
)


@TASK_UTILS.register_module()
class PolarTargetAssigner:
    """Tell each location whether the object is there, and with which rays.

    ``one_star``: the whole object is one star around its center of mass. Positive are the
    locations within ``radius`` strides of the mass center along each axis: those of them
    inside the object if any is, else all (a ring's center is outside it). Rays go to the
    farthest crossing with the outline.

    ``visible_union``: the object is the union of what its locations see. Positive are all
    locations inside the object. Rays go to where they first leave it.

    An object that lies between locations (smaller than a cell, or thin) has, in either
    case, the location nearest to its center of mass as its only positive one if there would
    be none; its rays go to the farthest crossing. An outline closes at the crop's border:
    what lies outside is not there. An empty mask has no positive location.

    Args:
        num_rays: K.
        stride: pixels of the search crop between neighboring locations.
        radius: of ``one_star``, in strides.
        representation: ``one_star`` or ``visible_union``.
        crossing: which length is the target, as in `siampolarmask_mm.polar.cast_rays`; if
            not given, ``last`` for one star, ``first`` for the union.
        centerness: the target of the centerness branch and the weight of a location's rays:
            ``polar`` (eq. 1), ``mean`` or ``opposite``, as in `siampolarmask_mm.polar`.
        balance: of the scores' loss. ``halves``: positives and negatives count the same,
            however few the positives are, as SiamRPN++ has it; scores then tell which
            location is the best, but are too large for probabilities. ``equal``: all
            locations count the same, so that 0.5 is where the object's edge is.

    Raises:
        ValueError: if an argument is none of these, or ``num_rays`` is below 3.

    Source: SiamPolarMask, section 3; the mass center and the center sampling of 1.5 strides
    are those of PolarMask (arXiv:1909.13226). The visible union is our own.
    """

    def __init__(
        self,
        num_rays: int = 36,
        stride: int = 8,
        radius: float = 1.5,
        representation: str = 'one_star',
        crossing: str | None = None,
        centerness: str = 'polar',
        balance: str = 'halves',
    ) -> None:
        if representation not in REPRESENTATIONS:
            raise ValueError(
                f'representation must be one of {REPRESENTATIONS}, got {representation!r}'
            )
        if crossing is None:
            crossing = 'last' if representation == 'one_star' else 'first'
        if crossing not in CROSSINGS:
            raise ValueError(f'crossing must be one of {CROSSINGS}, got {crossing!r}')
        if centerness not in CENTERNESS:
            raise ValueError(
                f'centerness must be one of {tuple(CENTERNESS)}, got {centerness!r}'
            )
        if balance not in BALANCES:
            raise ValueError(f'balance must be one of {BALANCES}, got {balance!r}')
        if num_rays < 3 or radius <= 0:
            raise ValueError(
                f'num_rays from 3 and radius above 0 expected, got {num_rays} and {radius}'
            )
        self.num_rays = num_rays
        self.stride = stride
        self.radius = radius
        self.representation = representation
        self.crossing = crossing
        self.centerness = CENTERNESS[centerness]
        self.balance = balance

    def assign(
        self, masks: Tensor, points: Tensor, is_outline: Tensor | None = None
    ) -> PolarTargets:
        """Compute the targets of a batch.

        Args:
            masks: (N, S, S) boolean, the object in each search crop; empty where it is not
                there (a negative pair).
            points: (H, W, 2) where the locations look at, in pixels of the search crop.
            is_outline: (N,) whether a mask is the object's, or a filled box because no more
                is known; all are, if not given. In a box, locations near its middle are
                positive, all others in it count for nothing, and no rays are known.
        """
        if is_outline is None:
            is_outline = torch.ones(len(masks), dtype=torch.bool, device=masks.device)
        positive = self.choose(masks, points, is_outline)
        outlined = positive & is_outline[:, None, None]
        image, row, column = outlined.nonzero(as_tuple=True)  # (P,)
        rays = self.rays(mask_outlines(masks), points[row, column], image)
        counts = positive | is_outline[:, None, None] | ~_look_up(masks, points)
        weights = self.score_weights(positive, counts)
        return PolarTargets(
            positive, outlined, rays, self.centerness(rays), weights, masks, is_outline
        )

    def score_weights(self, positive: Tensor, counts: Tensor) -> Tensor:
        """(N, H, W) how much each location's score counts, of those that do at all."""
        if self.balance == 'equal':
            return counts / counts.sum().clamp_min(1)
        negative = counts & ~positive
        return positive * (0.5 / positive.sum().clamp_min(1)) + negative * (
            0.5 / negative.sum().clamp_min(1)
        )

    def choose(self, masks: Tensor, points: Tensor, is_outline: Tensor) -> Tensor:
        """(N, H, W) whether each location (H, W, 2) is positive; see `assign`."""
        centers, exists = mass_centers(masks)
        offset = (points - centers[:, None, None]).abs()  # (N, H, W, 2)
        inside = _look_up(masks, points)
        near = (offset <= self.radius * self.stride).all(-1)
        positive = torch.where(_any(near & inside), near & inside, near)
        if self.representation == 'visible_union':
            positive = torch.where(is_outline[:, None, None], inside, positive)
        distance = offset.square().sum(-1).flatten(1)
        nearest = torch.zeros_like(distance, dtype=torch.bool)
        nearest.scatter_(1, distance.argmin(1, keepdim=True), True)
        positive = torch.where(_any(positive), positive, nearest.view_as(positive))
        return positive & exists[:, None, None]

    def rays(self, outlines: Outlines, points: Tensor, of: Tensor) -> Tensor:
        """(P, K) lengths from points (P, 2) to the objects ``of`` (P,) among outlines."""
        rays = cast_rays(outlines, points, self.num_rays, self.crossing, of)
        if self.crossing != 'first' or bool(rays.inside.all()):
            return rays.lengths
        outside = ~rays.inside
        rays.lengths[outside] = cast_rays(
            outlines, points[outside], self.num_rays, 'last', of[outside]
        ).lengths
        return rays.lengths


def _any(maps: Tensor) -> Tensor:
    """(N, 1, 1) whether anything is true in each map (N, H, W)."""
    return maps.flatten(1).any(1)[:, None, None]


def mass_centers(masks: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of each mask's pixels, all parts counted.

    Args:
        masks: (N, H, W) boolean.

    Returns:
        (N, 2) points in pixels (0 for an empty mask), and (N,) whether there is a pixel.
    """
    height, width = masks.shape[-2:]
    weight = masks.float()
    in_columns, in_rows = weight.sum(1), weight.sum(2)
    mass = in_rows.sum(1)
    x = (in_columns * torch.arange(width, device=masks.device)).sum(1)
    y = (in_rows * torch.arange(height, device=masks.device)).sum(1)
    return torch.stack([x, y], dim=-1) / mass.clamp_min(1)[:, None], mass > 0


def _look_up(masks: Tensor, points: Tensor) -> Tensor:
    """(N, H, W) the masks' nearest pixels to points (H, W, 2); False outside of them."""
    height, width = masks.shape[-2:]
    x, y = points.round().long().unbind(-1)
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return masks[:, y.clamp(0, height - 1), x.clamp(0, width - 1)].bool() & within
