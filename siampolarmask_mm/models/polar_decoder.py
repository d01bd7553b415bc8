"""PolarDecoder: from the maps of scores and rays to one star.

Shape shorthand:
    H, W: the score map    K: rays
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.polar import recast, star_centroids, star_points
from siampolarmask_mm.registry import TASK_UTILS


class Star(NamedTuple):
    """A star polygon; the frame of its pixels is its holder's.

    Attributes:
        center: (2,) point in pixels.
        rays: (K,) lengths in pixels.
    """

    center: Tensor
    rays: Tensor


class Choice(NamedTuple):
    """The location that the decoder took.

    Attributes:
        star: in pixels of the search crop.
        score: its probability, with centerness if that counts, from 0 to 1.
        penalty: of its change in scale and ratio, from 0 to 1 (no change).
    """

    star: Star
    score: float
    penalty: float


@TASK_UTILS.register_module()
class PolarDecoder:
    """The best location's star, as the paper tracks.

    Args:
        window_influence: w in eq. 7, the cosine window's share, 0 to 1.
        penalty_k: how strongly a change in scale and ratio counts against a location.
        update_rate: how far the new star replaces the previous one, times its score and
            penalty; None takes the new star as it is.
        use_centerness: multiply scores by the predicted centerness, as SiamCAR does; the
            paper's eq. 7 does not name it.

    Raises:
        ValueError: if ``window_influence`` is not from 0 to 1.

    Source: SiamPolarMask, eq. 7 and section 4.3.
    """

    def __init__(
        self,
        window_influence: float = 0.4,
        penalty_k: float = 0.04,
        update_rate: float | None = 0.3,
        use_centerness: bool = True,
    ) -> None:
        if not 0 <= window_influence <= 1:
            raise ValueError(
                f'window_influence from 0 to 1 expected, got {window_influence}'
            )
        self.window_influence = window_influence
        self.penalty_k = penalty_k
        self.update_rate = update_rate
        self.use_centerness = use_centerness

    def choose(
        self, prediction: PolarPrediction, points: Tensor, previous_wh: Tensor
    ) -> Choice:
        """Take the location where (1 - w) score penalty + w window is largest.

        Args:
            prediction: of one pair, without the dimension N.
            points: (H, W, 2) where the locations look at, in pixels of the search crop.
            previous_wh: (2,) the object's size so far, in pixels of the search crop.
        """
        scores = prediction.scores.sigmoid()
        if self.use_centerness:
            scores = scores * prediction.centerness.sigmoid()
        rays = prediction.rays.permute(1, 2, 0)  # (H, W, K)
        outline = star_points(torch.zeros_like(points), rays)  # (H, W, K, 2)
        sizes = outline.amax(-2) - outline.amin(-2)  # (H, W, 2)
        penalty = change_penalty(sizes, previous_wh, self.penalty_k)

        w = self.window_influence
        ranking = (1 - w) * scores * penalty + w * cosine_window(*scores.shape, like=scores)
        row, column = divmod(int(ranking.argmax()), scores.shape[1])
        return Choice(
            Star(points[row, column], rays[row, column]),
            score=float(scores[row, column]),
            penalty=float(penalty[row, column]),
        )

    def smooth(self, previous: Star, new: Star, choice: Choice) -> Star:
        """Average two stars ray by ray, each seen from its own center of area.

        The new center counts in full, so that the mean lags behind in shape, not in place;
        growth and shrinkage are the same.

        Args:
            previous: in any frame.
            new: the star of ``choice`` in the same frame.
            choice: for its score and penalty.

        Differs: the paper averages rays of different origins, which deforms the star.
        """
        if self.update_rate is None:
            return new
        rate = self.update_rate * choice.score * choice.penalty
        center, new_rays = _about_centroid(new)
        _, previous_rays = _about_centroid(previous)
        return Star(center, (1 - rate) * previous_rays + rate * new_rays)


def _about_centroid(star: Star) -> Star:
    center, rays = star.center[None], star.rays[None]
    centroid = star_centroids(center, rays)
    return Star(centroid[0], recast(center, rays, centroid)[0])


def change_penalty(sizes_wh: Tensor, previous_wh: Tensor, k: float) -> Tensor:
    """exp(-k (max(s / s', s' / s) max(r / r', r' / r) - 1)).

    s is the side of the box with its context, r the ratio of width to height; growth and
    shrinkage by one factor count the same.

    Args:
        sizes_wh: (..., 2) widths and heights.
        previous_wh: (2,) those to compare with, in the same pixels.
        k: strength; 0 gives 1.

    Returns:
        (...) from 0 to 1.

    Source: the proposal selection of SiamRPN (Li et al., CVPR 2018); "- 1", which makes no
    change cost nothing, is from its published code.
    """
    sizes_wh, previous_wh = sizes_wh.clamp_min(1e-3), previous_wh.clamp_min(1e-3)
    scale = _context_side(sizes_wh) / _context_side(previous_wh)
    ratio = (sizes_wh[..., 0] / sizes_wh[..., 1]) / (
        previous_wh[..., 0] / previous_wh[..., 1]
    )
    change = torch.maximum(scale, 1 / scale) * torch.maximum(ratio, 1 / ratio)
    return (-k * (change - 1)).exp()


def _context_side(size_wh: Tensor) -> Tensor:
    padding = size_wh.mean(-1, keepdim=True)
    return (size_wh + padding).prod(-1).sqrt()


def cosine_window(height: int, width: int, like: Tensor) -> Tensor:
    """(H, W) Hann window, 0 at the border and 1 in the middle."""
    rows, columns = (
        torch.hann_window(n, periodic=False, dtype=like.dtype, device=like.device)
        for n in (height, width)
    )
    return torch.outer(rows, columns)
