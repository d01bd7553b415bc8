"""How alike two stars of one center are, and how central a center is.

All of these are ratios of lengths, so lengths are scaled to 1 first, and half precision is
computed in float32: huge rays do not overflow. Stars below `SMALLEST` have no extent.
"""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST = 1e-3  # pixels


def polar_centerness(rays: Tensor) -> Tensor:
    """The root of the shortest over the longest ray.

    Args:
        rays: (..., K) lengths, not negative.

    Returns:
        (...) from 0 (a ray has no length) to 1 (a circle around its center).

    Source: SiamPolarMask, eq. 1, after PolarMask (arXiv:1909.13226).
    """
    (rays,), result = _scaled(rays)
    return result(_root(_ratio(rays.amin(-1), rays.amax(-1))))


def mean_centerness(rays: Tensor) -> Tensor:
    """The root of the mean of shortest / mean and mean / longest ray.

    One short ray, which eq. 1 takes for the whole, counts for half.

    Args:
        rays: (..., K) lengths, not negative.

    Returns:
        (...) from 0 (no ray has a length) to 1 (a circle around its center).

    Source: SiamPolar (Neurocomputing 2021).
    """
    (rays,), result = _scaled(rays)
    mean = rays.mean(-1)
    shortest, longest = rays.amin(-1), rays.amax(-1)
    return result(_root((_ratio(shortest, mean) + _ratio(mean, longest)) / 2))


def opposite_centerness(rays: Tensor) -> Tensor:
    """The root of the mean of shorter over longer ray, over all pairs of opposite rays.

    Of an ellipse's center it is 1, however long the ellipse: FCOS's centerness, which
    compares left with right and top with bottom, in K / 2 directions.

    Args:
        rays: (..., K) lengths, not negative, K even.

    Returns:
        (...) from 0 to 1; pairs without extent count 0.

    Raises:
        ValueError: if K is odd.

    Source: after FCOS (arXiv:1904.01355), eq. 3.
    """
    if rays.shape[-1] % 2:
        raise ValueError(f'an even number of rays expected, got {rays.shape[-1]}')
    (rays,), result = _scaled(rays)
    one, other = rays.chunk(2, dim=-1)
    ratios = _ratio(torch.minimum(one, other), torch.maximum(one, other))
    return result(_root(ratios.mean(-1)))


def polar_iou(rays: Tensor, other: Tensor) -> Tensor:
    """Overlap of two stars of one center, ray by ray.

    Not the IoU of their areas: lengths are not squared, so circles of radius 1 and 2 about
    one center overlap by 0.5, where their areas overlap by 0.25.

    Args:
        rays: (..., K) lengths, not negative.
        other: (..., K) lengths, not negative.

    Returns:
        (...) from 0 to 1; 1 for two stars without extent.

    Source: SiamPolarMask, eq. 4, after PolarMask (arXiv:1909.13226).
    """
    (rays, other), result = _scaled(rays, other)
    smaller = torch.minimum(rays, other).sum(-1)
    larger = torch.maximum(rays, other).sum(-1)
    return result(torch.where(larger > 0, smaller / larger.clamp_min(1e-6), 1))


def area_iou(rays: Tensor, other: Tensor) -> Tensor:
    """Overlap of the areas of two stars of one center, exactly.

    Eq. 2 and 3 integrate min(d, d*)^2 over max(d, d*)^2 around the center. Between two
    neighboring rays both outlines are straight, so the integral is that of two triangles
    and of what they share: one of them or, where their edges cross, a quadrilateral.

    Args:
        rays: (..., K) lengths, not negative.
        other: (..., K) lengths, not negative.

    Returns:
        (...) from 0 to 1; 1 for two stars without extent.

    Source: SiamPolarMask, eq. 2 and 3.
    """
    (rays, other), result = _scaled(rays, other)
    a, b = rays, rays.roll(-1, -1)
    c, d = other, other.roll(-1, -1)
    near, far = torch.minimum(a, c), torch.minimum(b, d)
    # In the oblique coordinates of the two rays, edges cross at
    # (a c (d - b), b d (a - c)) / (c (d - b) + d (a - c)); where they do, both differences
    # have one sign, so that nothing cancels.
    p, q = a - c, d - b
    crossing = p * q > 0
    det = torch.where(crossing, q * c + p * d, 1)
    s, t = a * c * q / det, b * d * p / det
    shared = torch.where(crossing, near * t + far * s, near * far).sum(-1)
    union = (a * b).sum(-1) + (c * d).sum(-1) - shared
    return result(torch.where(union > 0, shared / union.clamp_min(1e-12), 1).clamp(0, 1))


def _scaled(*stars: Tensor):  # noqa: ANN202
    """Stars divided by their longest ray, and what gives a result its type back."""
    dtype = stars[0].dtype
    if dtype in (torch.float16, torch.bfloat16):
        stars = tuple(rays.float() for rays in stars)
    longest = torch.stack([rays.detach().amax(-1) for rays in stars]).amax(0)[..., None]
    stars = tuple(
        torch.where(longest > SMALLEST, rays / longest.clamp_min(SMALLEST), 0)
        for rays in stars
    )
    return stars, lambda result: result.to(dtype)


def _ratio(smaller: Tensor, larger: Tensor) -> Tensor:
    return smaller / larger.clamp_min(1e-6)


def _root(x: Tensor) -> Tensor:
    """The square root, with a gradient of 0 at 0."""
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1).sqrt(), 0)
