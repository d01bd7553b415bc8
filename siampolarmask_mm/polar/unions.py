"""One mask from many stars: what a single star cannot hold, many that overlap can."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from siampolarmask_mm.polar.stars import PIXELS_AT_ONCE, paint, star_distances


def union_masks(
    centers: Tensor,
    rays: Tensor,
    of: Tensor,
    num_objects: int,
    size: tuple[int, int],
    reach: float | None = None,
) -> Tensor:
    """Rasterize the union of the stars of each object.

    Args:
        centers: (P, 2) in pixels of the mask.
        rays: (P, K) in pixels of the mask.
        of: (P,) the object that each star belongs to, from 0.
        num_objects: N.
        size: (H, W) of a mask.
        reach: longest ray that counts, in pixels; longer ones end there, so that a star
            speaks only for what is near its center, and one wrong ray spoils little.

    Returns:
        (N, H, W) boolean; an object without stars is empty.
    """
    if reach is not None:
        rays = rays.clamp_max(reach)
    return paint(centers, rays, of, num_objects, size)


def fuse_stars(
    centers: Tensor,
    rays: Tensor,
    scores: Tensor,
    size: tuple[int, int],
    reach: float = 16.0,
    softness: float = 2.0,
    doubt: float = 0.1,
) -> Tensor:
    """Let stars vote, pixel by pixel, whether the object is there.

    Each star says how surely a pixel is inside it, by its signed distance. Votes are
    weighted by the star's score and by how near the pixel is to its center::

        confidence = sum_i w_i sigmoid(d_i / softness) / (sum_i w_i + doubt)

    Above 0.5 the majority is for it: with hard votes and without doubt, the sign of the
    weighted median of the stars' signed distances. A wrong ray is outvoted where the stars
    that are right weigh more.

    Args:
        centers: (P, 2) in pixels of the mask.
        rays: (P, K) in pixels of the mask.
        scores: (P,) how surely the object is at each center, from 0 to 1.
        size: (H, W) of the mask.
        reach: distance from its center up to which a star is heard, in pixels. Its weight
            falls as (1 - (distance / reach)^2)^2 (Tukey's biweight).
        softness: pixels from the outline at which a vote is 0.73, or outside 0.27.
        doubt: weight of the vote against, so that a place heard from weak or distant stars
            alone is not taken for the object; a star of score 1 weighs 1 at its center.

    Returns:
        (H, W) the confidence from 0 to 1; 0 where no star is heard.

    Raises:
        ValueError: if ``reach``, ``softness`` or ``doubt`` is not above 0.
    """
    for name, value in dict(reach=reach, softness=softness, doubt=doubt).items():
        if value <= 0:
            raise ValueError(f'{name} above 0 expected, got {value}')
    height, width = size
    votes = rays.new_zeros(height * width)
    weights = rays.new_zeros(height * width)
    half = math.ceil(reach)
    steps = torch.arange(-half, half + 1, device=rays.device)
    window = torch.stack(torch.meshgrid(steps, steps, indexing='xy'), -1).flatten(0, 1)
    stars_at_once = max(1, PIXELS_AT_ONCE // len(window))
    for part in torch.arange(len(rays), device=rays.device).split(stars_at_once):
        pixels = centers[part].round().long()[:, None] + window  # (P, M, 2)
        away = (pixels - centers[part][:, None]).square().sum(-1) / reach**2
        x, y = pixels.unbind(-1)
        heard = (away < 1) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        weight = (scores[part, None] * (1 - away).square())[heard]
        inside = (star_distances(centers[part], rays[part], pixels) / softness).sigmoid()
        vote = inside[heard] * weight
        index = (y * width + x)[heard]
        votes = votes.index_add(0, index, vote.to(votes))
        weights = weights.index_add(0, index, weight.to(weights))
    return (votes / (weights + doubt)).view(height, width)
