"""Scores of the objects of videos, and the tables that DAVIS makes of them.

Of the annotated frames, the first, in which the object is given, and the last are left
out. Figures of an object are over its frames, those of a benchmark are means
over its objects.

Shape shorthand:
    H, W: an image    T: scored frames of an object
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tabulate import tabulate

from siampolarmask_mm.evaluation.references import Reference
from siampolarmask_mm.evaluation.region_contour import (
    contour_accuracy,
    region_similarity,
    statistics,
)

COLUMNS = ('J&F-Mean', 'J-Mean', 'J-Recall', 'J-Decay', 'F-Mean', 'F-Recall', 'F-Decay')


@dataclass
class ObjectScores:
    """J and F of one object, frame by frame.

    Attributes:
        sequence: name of its video.
        object_id: its label there.
        tracker: (T, 2) J and F of the tracker.
        references: (T, 2) J and F of what it is compared with, by name.
        has_masks: False for a tracker that gave boxes, which were filled.
    """

    sequence: str
    object_id: int
    tracker: list[tuple[float, float]] = field(default_factory=list)
    references: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    has_masks: bool = True

    @property
    def name(self) -> str:
        """As the official tables name it: blackswan_1."""
        return f'{self.sequence}_{self.object_id}'

    def add_frame(
        self,
        mask: np.ndarray,
        truth: np.ndarray,
        first: np.ndarray,
        references: Mapping[str, Reference],
    ) -> None:
        """Score one more frame: masks (H, W) of the tracker, the truth, and frame 0."""
        self.tracker.append(_score(mask, truth))
        for name, reference in references.items():
            scores = self.references.setdefault(name, [])
            scores.append(_score(reference(truth, first), truth))

    def drop_last_frame(self) -> None:
        """Forget the last frame that was scored, if there is one."""
        for scores in (self.tracker, *self.references.values()):
            del scores[-1:]


def _score(mask: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    return region_similarity(mask, truth), contour_accuracy(mask, truth)


def summarize(scores: Sequence[tuple[float, float]]) -> dict[str, float]:
    """`COLUMNS` of one object's (T, 2) scores, as fractions.

    Raises:
        ValueError: if there is no frame.
    """
    region, contour = (statistics(values) for values in np.reshape(scores, (-1, 2)).T)
    mean = (region.mean + contour.mean) / 2
    return dict(zip(COLUMNS, (mean, *region, *contour), strict=True))


def average(objects: Sequence[ObjectScores]) -> dict[str, float]:
    """The benchmark's figures: means over objects, as fractions.

    Returns:
        `COLUMNS`; of each reference ``J&F-Mean`` after its name, as ``still/J&F-Mean``.

    Raises:
        ValueError: if there is no object.
    """
    if not objects:
        raise ValueError('scores of at least one object expected, got none')
    rows = [summarize(item.tracker) for item in objects]
    figures = {name: float(np.mean([row[name] for row in rows])) for name in COLUMNS}
    for name in objects[0].references:
        means = [summarize(item.references[name])['J&F-Mean'] for item in objects]
        figures[f'{name}/J&F-Mean'] = float(np.mean(means))
    return figures


def make_table(objects: Sequence[ObjectScores]) -> str:
    """A row per object and their mean, references at the right, for people to read.

    Raises:
        ValueError: if there is no object.
    """
    if not objects:
        raise ValueError('scores of at least one object expected, got none')
    names = list(objects[0].references)
    rows = [[_label(item), *_row(item, names)] for item in objects]
    means = np.mean([row[1:] for row in rows], axis=0)
    all_boxes = not any(item.has_masks for item in objects)
    rows.append(['mean (filled boxes)' if all_boxes else 'mean', *means])
    headers = ['object', *COLUMNS, *(f'{name} J&F' for name in names)]
    return tabulate(rows, headers=headers, floatfmt='.3f')


def _label(item: ObjectScores) -> str:
    return item.name if item.has_masks else f'{item.name} (filled boxes)'


def _row(item: ObjectScores, references: Sequence[str]) -> list[float]:
    others = [summarize(item.references[name])['J&F-Mean'] for name in references]
    return [*summarize(item.tracker).values(), *others]


def write_tables(folder: Path, objects: Sequence[ObjectScores]) -> None:
    """Write ``global_results.csv`` and ``per_sequence_results.csv``, as DAVIS names them.

    Columns are the official ones, as fractions with 6 digits; the second file has a row for
    each object, its name in the column ``Sequence``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = average(objects)
    with (folder / 'global_results.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerow(f'{figures[name]:.6f}' for name in COLUMNS)
    with (folder / 'per_sequence_results.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['Sequence', *COLUMNS])
        for item in objects:
            values = summarize(item.tracker).values()
            writer.writerow([item.name, *(f'{value:.6f}' for value in values)])
