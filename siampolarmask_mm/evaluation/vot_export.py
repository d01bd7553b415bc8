"""Masks as trajectories that the VOT toolkit reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from siampolarmask_mm.davis_layout import label_files, read_split
from siampolarmask_mm.label_images import read_labels


def mask_region(mask: np.ndarray) -> str:
    """A mask (H, W) as the VOT toolkit's region: ``mX,Y,WIDTH,HEIGHT,RUNS``.

    X and Y are the first column and row of its box, runs the lengths of alternating
    stretches in the box, row by row, of which the first is outside. An empty mask is
    ``m0,0,1,1,1``.
    """
    if not mask.any():
        return 'm0,0,1,1,1'
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    flat = np.concatenate([[False], box.ravel()])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(np.concatenate([[0], changes, [box.size]]))
    height, width = box.shape
    numbers = [columns[0], rows[0], width, height, *runs]
    return 'm' + ','.join(str(int(number)) for number in numbers)


def write_trajectories(
    results: Path, davis: Path, split: str, protocol: str, out: Path
) -> None:
    """Write a line per annotated frame, the first ``1``, for the toolkit to read.

    Files are ``<sequence>/<sequence>_001.txt``, the first and only repetition, or, where a
    sequence has several objects, ``<sequence>/<sequence>_<label>_001.txt``.

    Args:
        results: folder of ``<sequence>/<frame>.png``; a missing frame is an empty mask.
        davis: the true masks, of which the first frame's tell the objects.
        split: list of sequences below it.
        protocol: ``2016`` (all labels are one object) or ``2017``.
        out: folder to write into.
    """
    for sequence in read_split(davis / split):
        first, *rest = label_files(davis, sequence)
        labels = np.unique(_labels(first, protocol))
        lines = {int(label): ['1'] for label in labels if label > 0}
        for path in rest:
            found = results / sequence / path.name
            image = _labels(found if found.is_file() else None, protocol)
            for label, regions in lines.items():
                regions.append(mask_region(image == label))
        (out / sequence).mkdir(parents=True, exist_ok=True)
        for label, regions in lines.items():
            text = '\n'.join(regions) + '\n'
            name = sequence if len(lines) == 1 else f'{sequence}_{label}'
            (out / sequence / f'{name}_001.txt').write_text(text)


def _labels(path: Path | None, protocol: str) -> np.ndarray:
    if path is None:
        return np.zeros((1, 1), np.uint8)
    labels = read_labels(path)
    return (labels > 0).astype(np.uint8) if protocol == '2016' else labels
