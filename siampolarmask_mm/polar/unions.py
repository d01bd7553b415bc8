"""One mask from many stars: what a single star cannot hold, many that overlap can."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from siampolarmask_mm.polar import compiled, compiled_unions
from siampolarmask_mm.polar.painting import PIXELS_AT_ONCE, paint, star_distances
from siampolarmask_mm.polar.rays import direction_array
from siampolarmask_mm.polar.stars import at_least_float32


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


def covering_scores(
    centers: Tensor,
    rays: Tensor,
    scores: Tensor,
    size: tuple[int, int],
    reach: float | None = None,
) -> Tensor:
    """The highest score of the stars that a pixel is in.

    Where it is above a threshold is the union, as `union_masks` has it, of the stars whose
    scores are: one map holds the unions for all thresholds.

    Args:
        centers: (P, 2) in pixels of the map.
        rays: (P, K) in pixels of the map.
        scores: (P,) above 0.
        size: (H, W) of the map.
        reach: longest ray that counts, in pixels.

    Returns:
        (H, W); 0 outside all stars.

    Raises:
        ValueError: if there is not one center and score for each row of rays.
    """
    _check_numbers(centers, rays, scores)
    centers, rays, scores = centers.detach(), rays.detach(), scores.detach()
    if reach is not None:
        rays = rays.clamp_max(reach)
    canvas = scores.new_zeros(size, dtype=at_least_float32(scores))
    if not len(rays):
        return canvas
    scores, order = scores.to(canvas).sort(descending=True)
    centers, rays = centers[order].double(), rays[order].double()
    if compiled.fits(centers, rays, scores):
        compiled_unions.paint_scores(
            *(part.numpy() for part in (canvas, centers, rays, scores)),
            direction_array(rays.shape[1]),
        )
        return canvas
    half = min(math.ceil(float(rays.max())), max(size) + 1)
    canvas = canvas.flatten()
    for part, pixels, index, seen in _windows(centers, half, size):
        inside = seen & (star_distances(centers[part], rays[part], pixels) >= -1e-9)
        score = scores[part, None].expand_as(index)[inside]
        canvas = canvas.scatter_reduce(0, index[inside], score, 'amax')
    return canvas.view(size)


def fuse_stars(
    centers: Tensor,
    rays: Tensor,
    scores: Tensor,
    size: tuple[int, int],
    reach: float = 16.0,
    softness: float = 2.0,
    doubt: float = 0.5,
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
        ValueError: if ``reach``, ``softness`` or ``doubt`` is not above 0, or there is not
            one center and score for each row of rays.
    """
    for name, value in dict(reach=reach, softness=softness, doubt=doubt).items():
        if value <= 0:
            raise ValueError(f'{name} above 0 expected, got {value}')
    _check_numbers(centers, rays, scores)
    if compiled.fits(centers, rays, scores):
        confidence = torch.zeros(size, dtype=at_least_float32(rays))
        compiled_unions.hear_stars(
            confidence.numpy(),
            *(part.double().numpy() for part in (centers, rays, scores)),
            direction_array(rays.shape[1]),
            reach,
            softness,
            doubt,
        )
        return confidence
    votes, weights = rays.new_zeros(2, size[0] * size[1])
    for part, pixels, index, seen in _windows(centers, math.ceil(reach), size):
        away = (pixels - centers[part][:, None]).square().sum(-1) / reach**2
        heard = seen & (away < 1)
        weight = (scores[part, None] * (1 - away).square())[heard]
        inside = (star_distances(centers[part], rays[part], pixels) / softness).sigmoid()
        votes = votes.index_add(0, index[heard], (inside[heard] * weight).to(votes))
        weights = weights.index_add(0, index[heard], weight.to(weights))
    return (votes / (weights + doubt)).view(size)


def _check_numbers(centers: Tensor, rays: Tensor, scores: Tensor) -> None:
    if not len(centers) == len(rays) == len(scores):
        raise ValueError(
            f'a center and a score for each of {len(rays)} stars expected, got '
            f'{len(centers)} and {len(scores)}'
        )


def _windows(
    centers: Tensor, half: int, size: tuple[int, int]
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Pixels around centers (P, 2), up to ``half`` away along each axis.

    Yields:
        As many stars as are held at once, their (p, M, 2) pixels, these pixels' (p, M)
        indices in a map of ``size``, and (p, M) whether they lie in it.
    """
    height, width = size
    steps = torch.arange(-half, half + 1, device=centers.device)
    window = torch.stack(torch.meshgrid(steps, steps, indexing='xy'), -1).flatten(0, 1)
    at_once = max(1, PIXELS_AT_ONCE // len(window))
    for part in torch.arange(len(centers), device=centers.device).split(at_once):
        pixels = centers[part].detach().round().long()[:, None] + window  # (p, M, 2)
        x, y = pixels.unbind(-1)
        seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        yield part, pixels, y * width + x, seen
