"""PolarDecoder: from the maps of scores and rays to one star, or a union of stars.

Shape shorthand:
    H, W: the score map    K: rays    S: pixels of a search crop
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.models.confidence import (
    MAJORITY,
    best_threshold,
    keep_part,
    spread_scores,
    star_confidence,
    unite_at,
    value_at,
)
from siampolarmask_mm.models.decoded import Choice, Decoded, Star
from siampolarmask_mm.models.location_ranking import change_penalty, cosine_window
from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.polar import (
    covering_scores,
    fuse_stars,
    recast,
    star_centroids,
    star_sizes,
)
from siampolarmask_mm.registry import TASK_UTILS

DECODINGS = ('one_star', 'visible_union')
FUSIONS = ('capped', 'plain', 'vote', 'score_map')
LOWEST_SCORE = 0.02  # of a location that takes part in a union
THRESHOLDS = (0.2, 0.8)  # the lowest and the highest that is sought


@TASK_UTILS.register_module()
class PolarDecoder:
    """Choose where the object is, and make its mask of one star or of many.

    ``one_star``: the best location's star is the object, as in the paper; its confidence
    falls from 1 to 0 across the star's outline.

    ``visible_union``: the stars of all locations are fused to one map of raw confidence;
    for networks trained on such targets. The mask is where it is above a threshold, and
    hangs together with the best location, whose own star always takes part. What is
    reported is the confidence moved, in logits, such that the threshold is at 0.5, and 0 in
    parts of the mask that do not hang together.

    Args:
        window_influence: w in eq. 7, the cosine window's share, 0 to 1.
        penalty_k: how strongly a change in scale and ratio counts against a location.
        update_rate: how far the new star replaces the previous one, times its score and
            penalty; None takes the new star as it is.
        use_centerness: multiply scores by the predicted centerness, as SiamCAR does; the
            paper's eq. 7 does not name it.
        decoding: ``one_star`` or ``visible_union``.
        fusion: of a union: ``capped`` is the highest score of the stars that a pixel is in,
            each ray ending at ``reach``; ``plain`` is that of the whole stars; ``vote`` is
            `siampolarmask_mm.polar.fuse_stars`; ``score_map`` the scores alone,
            interpolated between locations, for comparison.
        threshold: of a union's raw confidence, 0 to 1; None finds, in the first frame, the
            one that best reproduces the mask that is given, or found in a given box, and
            is 0.5 where there is only a box.
        reach: of ``capped`` and ``vote``, in strides.
        edges: config of a GuidedFilter that fits a union's raw confidence to the image, or,
            if there is a MaskRefiner, what that makes of it; none, if not given.

    Raises:
        ValueError: if ``window_influence`` is not from 0 to 1, or ``decoding`` or
            ``fusion`` is none of these.

    Source: SiamPolarMask, eq. 7 and section 4.3.
    """

    def __init__(  # noqa: PLR0913
        self,
        window_influence: float = 0.4,
        penalty_k: float = 0.04,
        update_rate: float | None = 0.3,
        use_centerness: bool = True,
        *,
        decoding: str = 'one_star',
        fusion: str = 'capped',
        threshold: float | None = None,
        reach: float = 3.0,
        edges: dict | None = None,
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
        self.edges = edges and TASK_UTILS.build(edges)

    @property
    def seeks_threshold(self) -> bool:
        """Whether the first frame is to find the threshold of a union."""
        return self.decoding != 'one_star' and self.threshold is None

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
        sizes = self.sizes(prediction, points)
        penalty = change_penalty(sizes, previous_wh, self.penalty_k)

        w = self.window_influence
        ranking = (1 - w) * scores * penalty + w * cosine_window(*scores.shape, like=scores)
        row, column = divmod(int(ranking.argmax()), scores.shape[1])
        return Choice(
            self.star(prediction, points, (row, column)),
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
        image: np.ndarray | None = None,
    ) -> Decoded:
        """Find the object in its search crop: `propose`, then `settle`."""
        choice, raw = self.propose(prediction, points, previous_wh, size)
        return self.settle(choice, raw, size, threshold, image)

    def propose(
        self, prediction: PolarPrediction, points: Tensor, previous_wh: Tensor, size: int
    ) -> tuple[Choice, Tensor | None]:
        """Choose a location, and unite what all locations see.

        Args:
            prediction: of one pair, without the dimension N.
            points: (H, W, 2) where the locations look at, in pixels of the search crop.
            previous_wh: (2,) the object's size so far, in pixels of the search crop.
            size: S, pixels of the search crop.

        Returns:
            The choice, and a union's raw confidence (S, S); None of one star.
        """
        choice = self.choose(prediction, points, previous_wh)
        if self.decoding == 'one_star':
            return choice, None
        return choice, self.raw_confidence(prediction, points, choice.location, size)

    def settle(
        self,
        choice: Choice,
        raw: Tensor | None,
        size: int,
        threshold: float | None = None,
        image: np.ndarray | None = None,
    ) -> Decoded:
        """Make the mask of what was proposed.

        Args:
            choice: of `propose`.
            raw: of `propose`.
            size: S, pixels of the search crop.
            threshold: of a union's raw confidence; the decoder's own if not given, and 0.5
                if that is still to be found.
            image: (S, S, 3) uint8, the search crop as read; only ``edges`` looks at it.
        """
        if raw is None:
            return Decoded(choice, partial(star_confidence, *choice.star, size))
        if threshold is None:
            threshold = MAJORITY if self.threshold is None else self.threshold
        raw = self._fit(raw, choice, image)
        draw = partial(unite_at, raw, choice.star.center, threshold)
        return Decoded(choice, draw, raw)

    def _fit(self, raw: Tensor, choice: Choice, image: np.ndarray | None) -> Tensor:
        """A raw confidence (S, S), fitted to the image's edges if that is wanted."""
        if self.edges is None or image is None:
            return raw
        fitted = torch.from_numpy(self.edges(raw.numpy(), image))
        return fitted if _holds(fitted, choice) else raw

    def redraw(
        self, seen: Decoded, refined: Tensor, image: np.ndarray | None = None
    ) -> Decoded:
        """Make the mask of a union whose confidence a MaskRefiner redrew.

        The mask is where it is above 0.5, since that is what a refiner learns to say at the
        edge: no threshold is found for it, or lowered.

        Args:
            seen: of `settle`, returned as it is if the object was lost in redrawing.
            refined: (S, S) the confidence that was redrawn.
            image: see `settle`.
        """
        if not _holds(refined, seen.choice):
            return seen
        refined = self._fit(refined, seen.choice, image)
        draw = partial(keep_part, refined, seen.choice.star.center)
        return Decoded(seen.choice, draw, refined)

    def sizes(self, prediction: PolarPrediction, points: Tensor) -> Tensor:  # noqa: ARG002
        """(H, W, 2) width and height of the shape that each location predicts."""
        return star_sizes(prediction.rays.permute(1, 2, 0))

    def star(
        self, prediction: PolarPrediction, points: Tensor, location: tuple[int, int]
    ) -> Star:
        """The star of a location, (row, column)."""
        rays = prediction.rays[:, location[0], location[1]]
        return Star(points[location], rays.clone())

    def raw_confidence(
        self,
        prediction: PolarPrediction,
        points: Tensor,
        location: tuple[int, int],  # noqa: ARG002
        size: int,
    ) -> Tensor:
        """(S, S) confidence before its threshold, if a location was chosen."""
        return self.fuse(prediction, points, size)

    def fuse(self, prediction: PolarPrediction, points: Tensor, size: int) -> Tensor:
        """(S, S) raw confidence of a union, from 0 to 1, for S = ``size``."""
        scores = prediction.scores.sigmoid()
        stride = int(points[0, 1, 0] - points[0, 0, 0])
        if self.fusion == 'score_map':
            return spread_scores(scores, points, stride, size)
        heard = scores > LOWEST_SCORE
        stars = points[heard], prediction.rays.permute(1, 2, 0)[heard], scores[heard]
        if self.fusion == 'vote':
            return fuse_stars(*stars, (size, size), self.reach * stride)
        reach = None if self.fusion == 'plain' else self.reach * stride
        return covering_scores(*stars, (size, size), reach)

    def find_threshold(self, confidence: Tensor, truth: Tensor) -> float:
        """The threshold of raw confidence that best reproduces a true mask.

        Args:
            confidence: (S, S) raw.
            truth: (S, S) boolean.
        """
        return best_threshold(confidence, truth, *THRESHOLDS)

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
        centers, rays = (torch.stack(pair) for pair in zip(previous, new, strict=True))
        centroids = star_centroids(centers, rays)
        previous_rays, new_rays = recast(centers, rays, centroids)
        return Star(centroids[1], (1 - rate) * previous_rays + rate * new_rays)


def _holds(confidence: Tensor, choice: Choice) -> bool:
    """Whether the object is still there, and not lost, being thin, in its surroundings."""
    return value_at(confidence, choice.star.center) > LOWEST_SCORE
