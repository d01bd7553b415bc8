"""Which videos, and which frames of them, to look at first.

Shape shorthand:
    T: scored frames of a video
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from siampolarmask_mm.evaluation.davis_scores import COLUMNS, ObjectScores, summarize

TRACKER = 'tracker'


@dataclass(frozen=True)
class VideoScores:
    """The scores of a video's objects.

    Attributes:
        name: of the video.
        objects: at least one; an object that is given later has fewer scores than T and
            ends with the others.
        frames: T names of the scored frames.
    """

    name: str
    objects: list[ObjectScores]
    frames: list[str]

    def figures(self, method: str = TRACKER) -> dict[str, float]:
        """`COLUMNS` of the tracker or of a reference, as means over the objects."""
        return mean_figures(self.objects, method)

    def region(self, method: str = TRACKER) -> np.ndarray:
        """(T,) J of each frame, mean over the objects that are scored there."""
        return self._means(method, 0)

    def contour(self, method: str = TRACKER) -> np.ndarray:
        """(T,) F of each frame, mean over the objects that are scored there."""
        return self._means(method, 1)

    def _means(self, method: str, measure: int) -> np.ndarray:
        table = np.full((len(self.objects), len(self.frames)), np.nan)
        for row, item in zip(table, self.objects, strict=True):
            values = [scores[measure] for scores in scores_of(item, method)]
            row[len(row) - len(values) :] = values
        return np.nanmean(table, axis=0)


def scores_of(item: ObjectScores, method: str) -> list[tuple[float, float]]:
    """J and F of an object, by the tracker or by a reference."""
    return item.tracker if method == TRACKER else item.references[method]


def mean_figures(
    objects: Sequence[ObjectScores], method: str = TRACKER
) -> dict[str, float]:
    """`COLUMNS` of the tracker or of a reference, as means over objects."""
    rows = [summarize(scores_of(item, method)) for item in objects]
    return {name: float(np.mean([row[name] for row in rows])) for name in COLUMNS}


def common_references(objects: Sequence[ObjectScores]) -> list[str]:
    """Names of the references that every object has."""
    return [
        name
        for name in objects[0].references
        if all(name in item.references for item in objects)
    ]


def worst_first(videos: Sequence[VideoScores]) -> list[VideoScores]:
    """The videos by their J&F, the lowest first; then by name."""
    return sorted(videos, key=lambda video: (video.figures()['J&F-Mean'], video.name))


def worst_frames(region: np.ndarray, number: int) -> list[int]:
    """Positions of the frames of lowest J, the lowest first.

    Neighbors of a bad frame are bad as well and show nothing new: positions are at least
    T / (2 number) apart, so that they are fewer than ``number`` only if T is.

    Args:
        region: (T,) J of each frame.
        number: of positions at most.
    """
    apart = max(1, len(region) // (2 * max(1, number)))
    chosen = []
    for position in np.argsort(region, kind='stable').tolist():
        if len(chosen) == number:
            break
        if all(abs(position - other) >= apart for other in chosen):
            chosen.append(position)
    return chosen


def evenly_spaced(length: int, number: int) -> list[int]:
    """Positions from the first to the last, ``number`` of them or as many as there are."""
    return np.linspace(0, length - 1, min(length, number)).round().astype(int).tolist()
