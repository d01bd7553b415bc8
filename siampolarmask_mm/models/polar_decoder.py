"""PolarDecoder: from the maps of scores and rays to one star, or a union of stars.

Shape shorthand:
    H, W: the score map    K: rays    P: stars of a union
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.polar import (
    fuse_stars,
    recast,
    star_boxes,
    star_centroids,
    star_masks,
    star_points,
    union_masks,
)
from siampolarmask_mm.registry import TASK_UTILS


class Star(NamedTuple):
    """A star polygon; the frame of its pixels is its holder's.

    Attributes:
        center: (2,) point in pixels.
        rays: (K,) lengths in pixels.
    """

    center: Tensor
    rays: Tensor


class Union(NamedTuple):
    """Stars that make one object; the frame of its pixels is its holder's.

    Attributes:
        centers: (P, 2) points in pixels.
        rays: (P, K) lengths in pixels.
        scores: (P,) from 0 to 1.
        reach: how far from its center each star counts, in pixels.
    """

    centers: Tensor
    rays: Tensor
    scores: Tensor
    reach: float

    @property
    def box(self) -> Tensor:
        """(4,) around all stars, (x1, y1, x2, y2) with edges between pixels."""
        boxes = star_boxes(self.centers, self.rays.clamp_max(self.reach))
        return torch.cat([boxes[:, :2].amin(0), boxes[:, 2:].amax(0)])


class Choice(NamedTuple):
    """The location that the decoder took.

    Attributes:
        star: in pixels of the search crop.
        score: its probability, with centerness if that counts, from 0 to 1.
        penalty: of its change in scale and ratio, from 0 to 1 (no change).
        location: its row and column.
    """

    star: Star
    score: float
    penalty: float
    location: tuple[int, int] = (0, 0)


class Decoded(NamedTuple):
    """One object as seen in a search crop of S pixels; all in pixels of that crop.

    Attributes:
        choice: the best location and its star.
        confidence: (S, S) from 0 to 1; the mask is where it is above 0.5.
        box: (4,) around that mask; around the star where the mask is empty.
    """

    choice: Choice
    confidence: Tensor
    box: Tensor


DECODINGS = ('one_star', 'visible_union')
FUSIONS = ('capped', 'plain', 'vote')
MAJORITY = 0.5
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.94, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995)


@TASK_UTILS.register_module()
class PolarDecoder:
    """Choose where the object is, and make its mask of one star or of many.

    ``one_star``: the best location's star is the object, as in the paper.
    ``visible_union``: so are the stars of all locations whose score is above a threshold
    and that hang together with the best one; for networks trained on such targets.

    Args:
        window_influence: w in eq. 7, the cosine window's share, 0 to 1.
        penalty_k: how strongly a change in scale and ratio counts against a location.
        update_rate: how far the new star replaces the previous one, times its score and
            penalty; None takes the new star as it is.
        use_centerness: multiply scores by the predicted centerness, as SiamCAR does; the
            paper's eq. 7 does not name it.
        decoding: ``one_star`` or ``visible_union``.
        fusion: of a union: ``capped`` (each ray ends at ``reach``), ``plain``, or ``vote``
            (`siampolarmask_mm.polar.fuse_stars`).
        threshold: score from which a location takes part in a union, 0 to 1; None finds, in
            the first frame, the one that best reproduces the given mask.
        reach: of ``capped`` and ``vote``, in strides.

    Raises:
        ValueError: if ``window_influence`` is not from 0 to 1, or ``decoding`` or
            ``fusion`` is none of these.

    Source: SiamPolarMask, eq. 7 and section 4.3.
    """

    def __init__(
        self,
        window_influence: float = 0.4,
        penalty_k: float = 0.04,
        update_rate: float | None = 0.3,
        use_centerness: bool = True,
        *,
        decoding: str = 'one_star',
        fusion: str = 'capped',
        threshold: float | None = None,
        reach: float = 2.0,
    ) -> None:
        for name, value, known in (
            ('decoding', decoding, DECODINGS),
            ('fusion', fusion, FUSIONS),
        ):
            if value not in known:
                raise ValueError(f'{name} must be one of {known}, got {value!r}')
        if not 0 <= window_influence <= 1:
            raise ValueError(
                f'window_influence from 0 to 1 expected, got {window_influence}'
            )
        self.window_influence = window_influence
        self.penalty_k = penalty_k
        self.update_rate = update_rate
        self.use_centerness = use_centerness
        self.decoding = decoding
        self.fusion = fusion
        self.threshold = threshold
        self.reach = reach

    @property
    def seeks_threshold(self) -> bool:
        """Whether the first frame is to find the threshold of a union."""
        return self.decoding == 'visible_union' and self.threshold is None

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
            location=(row, column),
        )

    def decode(
        self,
        prediction: PolarPrediction,
        points: Tensor,
        previous_wh: Tensor,
        size: int,
        threshold: float | None = None,
    ) -> Decoded:
        """Choose a location and make a mask of it."""
        choice = self.choose(prediction, points, previous_wh)
        star = choice.star
        box = star_boxes(*star)
        if self.decoding == 'visible_union':
            union = self.unite(prediction, points, choice, threshold)
            mask, box = self.render(union, (size, size)), union.box
        else:
            mask = star_masks(star.center[None], star.rays[None], (size, size))[0]
        return Decoded(choice, mask * (0.5 + choice.score / 2), box)

    def unite(
        self,
        prediction: PolarPrediction,
        points: Tensor,
        choice: Choice,
        threshold: float | None = None,
    ) -> Union:
        """The stars of the locations that hang together with the best one.

        Args:
            prediction: of one pair, without the dimension N.
            points: (H, W, 2) where the locations look at, in pixels of the search crop.
            choice: the best location.
            threshold: instead of the decoder's own.

        Returns:
            In pixels of the search crop.
        """
        scores = prediction.scores.sigmoid()
        if threshold is None:
            threshold = THRESHOLDS[0] if self.threshold is None else self.threshold
        taking_part = (scores > threshold).numpy().astype(np.uint8)
        taking_part[choice.location] = 1
        _, parts = cv2.connectedComponents(taking_part, connectivity=8)
        chosen = torch.from_numpy(parts == parts[choice.location])
        stride = float(points[0, 1, 0] - points[0, 0, 0])
        return Union(
            points[chosen],
            prediction.rays.permute(1, 2, 0)[chosen],
            scores[chosen],
            math.inf if self.fusion == 'plain' else self.reach * stride,
        )

    def find_threshold(self, confidence: Tensor, truth: Tensor) -> float:
        """The threshold whose mask overlaps most with the true one (S, S)."""
        overlaps = []
        for threshold in THRESHOLDS:
            mask = confidence > threshold
            overlaps.append(float((mask & truth).sum() / (mask | truth).sum().clamp_min(1)))
        return THRESHOLDS[int(np.argmax(overlaps))]

    def render(self, union: Union, size: tuple[int, int]) -> Tensor:
        """(h, w) boolean: the pixels of a union whose frame has this size."""
        if self.fusion == 'vote':
            return fuse_stars(*union[:3], size, union.reach) > MAJORITY
        own = torch.zeros(len(union.rays), dtype=torch.long)
        return union_masks(union.centers, union.rays, own, 1, size, union.reach)[0]

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
