"""Stars as points, boxes, areas and centers, all in closed form."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.polar import compiled, compiled_stars
from siampolarmask_mm.polar.outlines import Outlines
from siampolarmask_mm.polar.rays import (
    CROSSINGS,
    SAME_ANGLE,
    cast_rays,
    check_num_rays,
    direction_array,
    ray_directions,
)


def star_points(centers: Tensor, rays: Tensor) -> Tensor:
    """Decode stars to polygons, the tips of their rays.

    Args:
        centers: (..., 2) the points the rays leave from, in pixels.
        rays: (..., K) length of each ray, in pixels.

    Returns:
        (..., K, 2) the point at the end of each ray, in pixels.

    Raises:
        ValueError: if there is not one row of rays per center.

    Source: PolarMask (arXiv:1909.13226), section 3, mask assembling.
    """
    _check_rows(centers, rays)
    return centers[..., None, :] + rays[..., None] * ray_directions(rays.shape[-1], rays)


def _check_rows(centers: Tensor, rays: Tensor) -> None:
    if centers.shape != (*rays.shape[:-1], 2):
        raise ValueError(
            'one row of rays per center expected, got '
            f'{tuple(rays.shape)} rays for {tuple(centers.shape)} centers'
        )


def star_outlines(centers: Tensor, rays: Tensor) -> Outlines:
    """The outlines of stars (P, 2), (P, K)."""
    points = star_points(centers, rays)
    edges = torch.stack([points, points.roll(-1, dims=1)], dim=2)
    counts = torch.full(rays.shape[:1], rays.shape[1], device=rays.device)
    return Outlines(edges.flatten(0, 1), counts)


def star_boxes(centers: Tensor, rays: Tensor) -> Tensor:
    """(..., 4) the boxes around stars, (x1, y1, x2, y2) with edges between pixels."""
    points = star_points(centers, rays)
    return torch.cat([points.amin(-2), points.amax(-2)], dim=-1) + 0.5


def star_sizes(rays: Tensor) -> Tensor:
    """(..., 2) width and height of stars with rays (..., K), in pixels."""
    if compiled.fits(rays):
        columns = rays.reshape(-1, rays.shape[-1]).T  # (K, P), as the maps of a head lie
        sizes = compiled_stars.tip_spans(
            columns.to(at_least_float32(rays)).contiguous().numpy(),
            direction_array(rays.shape[-1]),
        )
        return torch.from_numpy(sizes).to(rays).view(*rays.shape[:-1], 2)
    sizes = [
        tips.amax(-1) - tips.amin(-1)
        for tips in (rays * part for part in ray_directions(rays.shape[-1], rays).T)
    ]
    return torch.stack(sizes, dim=-1)


def star_areas(rays: Tensor) -> Tensor:
    """(...) area of stars with rays (..., K), in square pixels: K triangles.

    In float32 at least, since areas overflow half precision.
    """
    rays = rays.to(at_least_float32(rays))
    sine = math.sin(2 * math.pi / rays.shape[-1])
    return (rays * rays.roll(-1, -1)).sum(-1) * (sine / 2)


def star_centroids(centers: Tensor, rays: Tensor) -> Tensor:
    """(..., 2) the centers of area; the star's own center where its area is 0."""
    if compiled.fits(rays):
        offsets = compiled_stars.centroid_offsets(
            rays.reshape(-1, rays.shape[-1]).double().numpy(),
            direction_array(rays.shape[-1]),
        )
        return centers + torch.from_numpy(offsets).to(centers).view(*rays.shape[:-1], 2)
    dtype = at_least_float32(rays)
    lengths = rays.to(dtype)
    longest = lengths.detach().amax(-1, keepdim=True).clamp_min(1e-12)
    lengths = lengths / longest  # whose products neither overflow nor vanish
    triangles = lengths * lengths.roll(-1, -1)  # (..., K) areas, times a constant
    # Each tip is a corner of the triangles before and after it.
    weights = lengths * (triangles + triangles.roll(1, -1))
    thirds = weights @ ray_directions(rays.shape[-1], lengths)  # (..., 2)
    total = triangles.sum(-1, keepdim=True)
    offset = torch.where(total > 0, thirds / (3 * total.clamp_min(1e-12)), 0) * longest
    return (centers.to(dtype) + offset).to(centers.dtype)


def at_least_float32(like: Tensor) -> torch.dtype:
    """The type in which half precision is computed."""
    return torch.promote_types(like.dtype, torch.float32)


def recast(centers: Tensor, rays: Tensor, new_centers: Tensor) -> Tensor:
    """Describe stars by rays from another center.

    Exact where the whole outline is visible from there, else its farthest crossings.

    Args:
        centers: (P, 2) in pixels.
        rays: (P, K) in pixels.
        new_centers: (P, 2) in pixels.

    Returns:
        (P, K) lengths in pixels, with the type of ``new_centers``; 0 for rays that miss
        the star.

    Raises:
        ValueError: if there is not one row of rays per center, old and new, or there are
            fewer than 3 in a row.
    """
    _check_rows(centers, rays)
    _check_rows(new_centers, rays)
    check_num_rays(rays.shape[1])
    if compiled.fits(centers, rays, new_centers):
        return _recast_compiled(centers, rays, new_centers)
    own = torch.arange(len(rays), device=rays.device)
    outlines = star_outlines(centers, rays)
    return cast_rays(outlines, new_centers, rays.shape[1], 'last', of=own).lengths


def _recast_compiled(centers: Tensor, rays: Tensor, new_centers: Tensor) -> Tensor:
    count, num_rays = rays.shape
    directions, own = direction_array(num_rays), np.arange(count)
    edges = compiled_stars.tip_edges(
        centers.double().numpy(), rays.double().numpy(), directions
    )
    lengths, _ = compiled.cast_rays(
        edges,
        own * num_rays,
        np.full(count, num_rays),
        new_centers.double().numpy(),
        own,
        directions,
        CROSSINGS.index('last'),
        SAME_ANGLE,
    )
    return torch.from_numpy(lengths).to(new_centers.dtype)
