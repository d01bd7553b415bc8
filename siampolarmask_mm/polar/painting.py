"""Stars as masks, and how far points are inside them, in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from siampolarmask_mm.polar import compiled, compiled_stars
from siampolarmask_mm.polar.rays import check_owners, direction_array, ray_directions
from siampolarmask_mm.polar.stars import at_least_float32

# How many distances between pixels and centers plain code holds at once (8 bytes each, in
# about a dozen tensors).
PIXELS_AT_ONCE = 2**16


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
