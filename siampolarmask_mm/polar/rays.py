"""Rays from centers to the outlines of objects, exactly."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.polar import compiled
from siampolarmask_mm.polar.outlines import Outlines

CROSSINGS = ('last', 'first', 'best')

# Angles, in rays, that differ by less are the same: a corner that lies on a ray but for
# rounding lies on it, whatever computed its angle.
SAME_ANGLE = 1e-9


class Rays(NamedTuple):
    """What K rays from each of P centers meet.

    Attributes:
        lengths: (P, K) in pixels; 0 where a ray never meets the object.
        crossings: (P, K) how often each ray crosses the outline.
    """

    lengths: Tensor
    crossings: Tensor

    @property
    def valid(self) -> Tensor:
        """(P, K) whether each ray meets the object."""
        return self.crossings > 0

    @property
    def inside(self) -> Tensor:
        """(P,) whether each center lies inside the object."""
        return self.crossings[:, 0] % 2 == 1


def ray_directions(num_rays: int, like: Tensor) -> Tensor:
    """(K, 2) unit vectors of the rays, with the type and device of ``like``."""
    return torch.from_numpy(direction_array(num_rays)).to(like, copy=True)


@cache
def direction_array(num_rays: int) -> np.ndarray:
    """(K, 2) float64 unit vectors of the rays; the same array each time."""
    angles = np.arange(num_rays) * (2 * math.pi / num_rays)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    directions[np.abs(directions) < 1e-12] = 0  # straight right, down, left and up
    return directions


def cast_rays(
    outlines: Outlines,
    centers: Tensor,
    num_rays: int,
    crossing: str,
    of: Tensor | None = None,
) -> Rays:
    """Find how far rays from each center reach, exactly.

    No ray is marched: an edge is met by just the rays whose angles lie between those of its
    two ends, and the distance is in closed form. A ray through a corner meets only one of
    the two edges that join there. Computed in float64.

    Args:
        outlines: of N objects.
        centers: (P, 2) the points the rays leave from, in pixels.
        num_rays: K.
        crossing: which length to give. ``last``: to the farthest crossing; the star
            encloses all parts. ``first``: to where the ray first leaves the object; what a
            center inside can see of it. ``best``: to the exit that maximizes the IoU, in
            area, of a thin sector around the ray with the object.
        of: (P,) the object that each center looks at; need not be given if N is 1.

    Returns:
        Lengths with the type and device of ``centers``. With numba and on a CPU, compiled
        code gives the same as the plain one.

    Raises:
        ValueError: if ``crossing`` is none of the three, if ``num_rays`` is below 3, or if
            ``of`` is missing or does not fit.
    """
    if crossing not in CROSSINGS:
        raise ValueError(f'crossing must be one of {CROSSINGS}, got {crossing!r}')
    check_num_rays(num_rays)
    if of is None:
        if len(outlines.counts) != 1:
            raise ValueError(
                f'of= expected, to tell which of {len(outlines.counts)} objects each '
                'center looks at'
            )
        of = torch.zeros(len(centers), dtype=torch.long, device=centers.device)
    check_owners(of, len(centers), len(outlines.counts))
    if compiled.fits(*outlines, centers, of):
        return Rays(*_cast_compiled(outlines, centers, num_rays, crossing, of))
    return Rays(*_cast_plain(outlines, centers, num_rays, crossing, of))


def check_num_rays(num_rays: int) -> None:
    """Raise a ValueError below 3."""
    if num_rays < 3:
        raise ValueError(f'a star needs at least 3 rays, got {num_rays}')


def check_owners(of: Tensor, number: int, num_objects: int) -> None:
    """Raise a ValueError unless ``of`` names one of N objects for each of a number."""
    if of.shape != (number,):
        raise ValueError(f'one object for each of {number} expected, got {tuple(of.shape)}')
    if number and not (of.min() >= 0 and of.max() < num_objects):
        raise ValueError(
            f'objects from 0 to {num_objects - 1} expected, got {int(of.min())} to '
            f'{int(of.max())}'
        )


def _cast_compiled(
    outlines: Outlines, centers: Tensor, num_rays: int, crossing: str, of: Tensor
) -> tuple[Tensor, Tensor]:
    lengths, crossings = compiled.cast_rays(
        outlines.edges.reshape(-1, 4).double().numpy(),
        outlines.starts.numpy(),
        outlines.counts.numpy(),
        centers.double().numpy(),
        of.numpy(),
        direction_array(num_rays),
        CROSSINGS.index(crossing),
        SAME_ANGLE,
    )
    return torch.from_numpy(lengths).to(centers.dtype), torch.from_numpy(crossings)


def _cast_plain(
    outlines: Outlines, centers: Tensor, num_rays: int, crossing: str, of: Tensor
) -> tuple[Tensor, Tensor]:
    # (M,) all pairs of a center and an edge of its object
    center, nth = _expand(outlines.counts[of])
    ends = outlines.edges.double()[outlines.starts[of][center] + nth]
    ends = ends - centers.double()[center, None]  # (M, 2, 2)

    # An end at angle u (in rays) starts with ray ceil(u); half-open, so that two edges
    # that share a corner never both take the ray through it.
    angle = torch.atan2(ends[..., 1], ends[..., 0]) * (num_rays / (2 * math.pi))
    after = (angle - SAME_ANGLE).ceil().long()  # (M, 2)
    low, high = after.amin(-1), after.amax(-1)
    wraps = (angle[:, 0] - angle[:, 1]).abs() > num_rays / 2
    start = torch.where(wraps, high, low)
    met = torch.where(wraps, low + num_rays - high, high - low)  # rays that meet the edge

    edge, nth = _expand(met)  # (L,) one per crossing
    ray = (start[edge] + nth) % num_rays
    slot = center[edge] * num_rays + ray
    distance = _crossing_distance(ends[edge], ray_directions(num_rays, ends)[ray])
    size = len(centers) * num_rays
    count = slot.bincount(minlength=size)
    inside = count[::num_rays] % 2 == 1
    if crossing != 'last':
        distance, slot = _exits(distance, slot, count, inside[slot // num_rays], crossing)
    lengths = distance.new_zeros(size).scatter_reduce_(
        0, slot, distance, 'amin' if crossing == 'first' else 'amax', include_self=False
    )
    shape = (len(centers), num_rays)
    return lengths.view(shape).to(centers.dtype), count.view(shape)


def _expand(counts: Tensor) -> tuple[Tensor, Tensor]:
    """For each of the things counted: whose it is, and its number there."""
    index = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    first = counts.cumsum(0) - counts
    return index, torch.arange(len(index), device=counts.device) - first[index]


def _crossing_distance(ends: Tensor, directions: Tensor) -> Tensor:
    """(L,) distance along each direction (L, 2) to the edge between two ends (L, 2, 2)."""
    directions = directions[:, None]
    beside = directions[..., 0] * ends[..., 1] - directions[..., 1] * ends[..., 0]  # (L, 2)
    along = (directions * ends).sum(-1)  # (L, 2)
    share = (beside[:, 0] / (beside[:, 0] - beside[:, 1])).nan_to_num(0.5).clamp(0, 1)
    return (along[:, 0] + share * (along[:, 1] - along[:, 0])).clamp_min(0)


def _exits(
    distance: Tensor, slot: Tensor, count: Tensor, inside: Tensor, crossing: str
) -> tuple[Tensor, Tensor]:
    """Of crossings (L,) of rays (slots), keep those where the ray leaves the object.

    For ``best``, keep only each ray's exit at which its sector's IoU is largest.
    """
    by_distance = distance.argsort()
    order = by_distance[slot[by_distance].argsort(stable=True)]
    distance, slot, inside = distance[order], slot[order], inside[order]
    position = torch.arange(len(slot), device=slot.device)
    position = position - (count.cumsum(0) - count)[slot]
    leaves = (position % 2 == 0) == inside
    if crossing == 'best':
        before = distance.roll(1).where(position > 0, distance.new_zeros(()))
        gain = (distance.square() - before.square()).where(leaves, distance.new_zeros(()))
        running = gain.cumsum(0)
        total = gain.new_zeros(len(count)).index_add_(0, slot, gain)
        shared = running - (total.cumsum(0) - total)[slot]
        iou = shared / (distance.square() + total[slot] - shared).clamp_min(1e-12)
        iou = iou.where(leaves, iou.new_tensor(-1.0))
        highest = iou.new_zeros(len(count)).scatter_reduce_(
            0, slot, iou, 'amax', include_self=False
        )
        leaves = leaves & (iou >= highest[slot] - 1e-12)
    return distance[leaves], slot[leaves]
