"""Stars as points, boxes, areas and masks, all in closed form."""

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
    check_owners,
    direction_array,
    ray_directions,
)

# How many distances between pixels and centers plain code holds at once (8 bytes each, in
# about a dozen tensors).
PIXELS_AT_ONCE = 2**16


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


def star_distances(centers: Tensor, rays: Tensor, points: Tensor) -> Tensor:
    """How far along its own direction each point is from a star's outline.

    A point q lies in a sector between rays of lengths a and b; with q's direction
    u = s a^ + t b^ in their unit vectors, the edge between their tips is met at
    r = a b / (s b + t a).

    Args:
        centers: (P, 2) in pixels.
        rays: (P, K) in pixels, not negative.
        points: (M, 2) for all stars, or (P, M, 2), in pixels.

    Returns:
        (P, M) r - |q - c| in pixels: positive inside, 0 on the outline. Gradients reach
        rays and centers. Half precision is computed in float32.
    """
    reach, distance = _reach(centers, rays, points)
    return reach - distance


def _reach(centers: Tensor, rays: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """(P, M) the star's reach towards each point, and the point's distance."""
    rays = rays.to(at_least_float32(rays))
    offset = points.to(rays) - centers.to(rays)[:, None]  # (P, M, 2)
    distance = offset.square().sum(-1).clamp_min(1e-24).sqrt()
    x, y = (offset / distance[..., None]).unbind(-1)
    at_center = distance < 1e-9
    x = torch.where(at_center, 1.0, x)  # ray 0

    num_rays = rays.shape[-1]
    with torch.no_grad():
        turn = torch.atan2(y, x) * (num_rays / (2 * math.pi))
        sector = turn.floor().long() % num_rays
    directions = ray_directions(num_rays, rays)
    (ax, ay), (bx, by) = (
        d[sector].unbind(-1) for d in (directions, directions.roll(-1, 0))
    )
    sine = math.sin(2 * math.pi / num_rays)
    s, t = (x * by - y * bx) / sine, (y * ax - x * ay) / sine
    a, b = (r.gather(1, sector) for r in (rays, rays.roll(-1, 1)))
    return a * (b / (s * b + t * a).clamp_min(1e-12)), distance


def pixel_grid(size: tuple[int, int], like: Tensor) -> Tensor:
    """(H * W, 2) the centers of all pixels, row by row, in float32 or ``like``'s type."""
    dtype = at_least_float32(like)  # half precision cannot tell pixels 259 and 260 apart
    rows, columns = (torch.arange(n, device=like.device).to(dtype) for n in size)
    y, x = torch.meshgrid(rows, columns, indexing='ij')
    return torch.stack([x, y], dim=-1).flatten(0, 1)


def star_masks(centers: Tensor, rays: Tensor, size: tuple[int, int]) -> Tensor:
    """Rasterize stars: a pixel is inside if its center is, in closed form.

    Pixel q is inside if |q - c| <= r(angle of q - c), where r runs along the edge between
    the two neighboring ray tips. A sector with a ray of length 0 is empty.

    Args:
        centers: (P, 2) in pixels of the mask.
        rays: (P, K) in pixels of the mask.
        size: (H, W) of the mask.

    Returns:
        (P, H, W) boolean.
    """
    return paint(
        centers, rays, torch.arange(len(rays), device=rays.device), len(rays), size
    )


def paint(
    centers: Tensor, rays: Tensor, of: Tensor, num_masks: int, size: tuple[int, int]
) -> Tensor:
    """(N, H, W) boolean: the pixels in any of the stars (P) ``of`` (P,) each mask."""
    check_owners(of, len(rays), num_masks)
    if len(centers) != len(rays):
        raise ValueError(f'{len(rays)} centers expected, got {len(centers)}')
    centers, rays = centers.detach(), rays.detach()
    masks = torch.zeros(num_masks, *size, dtype=torch.bool, device=rays.device)
    if compiled.fits(centers, rays, of):
        compiled_stars.paint_stars(
            masks.numpy(),
            of.numpy(),
            centers.double().numpy(),
            rays.double().numpy(),
            direction_array(rays.shape[1]),
        )
    else:
        _paint_plain(masks, centers.double(), rays.double(), of)
    return masks


def _paint_plain(masks: Tensor, centers: Tensor, rays: Tensor, of: Tensor) -> None:
    pixels = pixel_grid(masks.shape[1:], centers)
    masks = masks.flatten(1)  # a view
    stars_at_once = max(1, PIXELS_AT_ONCE // max(len(pixels), 1))
    for part in torch.arange(len(rays), device=rays.device).split(stars_at_once):
        for first in range(0, len(pixels), PIXELS_AT_ONCE):
            some = pixels[first : first + PIXELS_AT_ONCE]
            reach, distance = _reach(centers[part], rays[part], some)
            inside = (distance <= reach * (1 + 1e-12)) & (reach > 0)
            star, pixel = inside.nonzero(as_tuple=True)
            masks[of[part][star], first + pixel] = True


def soft_star_masks(
    centers: Tensor, rays: Tensor, size: tuple[int, int], softness: float = 1.0
) -> Tensor:
    """Rasterize stars with soft edges, so that gradients reach rays and centers.

    Args:
        centers: (P, 2) in pixels of the mask.
        rays: (P, K) in pixels of the mask.
        size: (H, W) of the mask.
        softness: pixels from the outline at which a pixel counts 0.73, or outside 0.27.

    Returns:
        (P, H, W) from 0 to 1: the sigmoid of `star_distances` / softness.

    Raises:
        ValueError: if ``softness`` is not above 0.
    """
    if softness <= 0:
        raise ValueError(f'softness above 0 expected, got {softness}')
    if compiled.fits(centers, rays):
        masks = rays.new_empty(len(rays), *size, dtype=at_least_float32(rays))
        compiled_stars.soften_stars(
            masks.numpy(),
            centers.double().numpy(),
            rays.double().numpy(),
            direction_array(rays.shape[1]),
            softness,
        )
        return masks
    distances = star_distances(centers, rays, pixel_grid(size, centers))
    return (distances / softness).sigmoid().view(len(rays), *size)
