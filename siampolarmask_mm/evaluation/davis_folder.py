"""Scoring a folder of masks, from whatever method they come.

Reads one frame at a time, so that memory does not grow with a video's length, and imports
torch only for the reference ``star``.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from siampolarmask_mm.davis_layout import label_files, read_split
from siampolarmask_mm.evaluation.davis_scores import ObjectScores
from siampolarmask_mm.evaluation.references import find_references
from siampolarmask_mm.label_images import read_labels

PROTOCOLS = ('2016', '2017')
MISSING = ('error', 'empty')
WHITE = 255


def score_folder(
    results: Path,
    davis: Path,
    *,
    protocol: str = '2016',
    split: str | None = None,
    references: Sequence[str] = (),
    missing: str = 'error',
    workers: int = 1,
) -> Iterator[list[ObjectScores]]:
    """Score ``<sequence>/<frame>.png`` below a folder, sequence by sequence.

    Label images may be indexed or grey. Under the protocol of 2016, whatever is not 0 is
    the object, in the results and in the truth. Under that of 2017, the objects are the
    labels of the first true frame; 255 is none, but for images of 0 and 255 alone, which
    stand for an only object.

    Args:
        results: the folder to score. First and last frames are not needed.
        davis: the true masks, a folder in the layout of DAVIS.
        protocol: ``2016`` or ``2017``.
        split: list of sequences below ``davis``; ``ImageSets/<protocol>/val.txt`` if not
            given.
        references: what to compare with, see `find_references`.
        missing: ``error``, or ``empty`` to take a missing frame for an empty mask.
        workers: processes.

    Yields:
        The objects of a sequence, in the order of the split.

    Raises:
        FileNotFoundError: if a folder, list, sequence or frame is missing; before any is
            scored.
        ValueError: if an argument is none of those, a result has another size than the
            truth or a label that no object has, or is no label image.
    """
    for name, value, known in (
        ('protocol', protocol, PROTOCOLS),
        ('missing', missing, MISSING),
    ):
        if value not in known:
            raise ValueError(f'{name} must be one of {known}, got {value!r}')
    find_references(references)
    if workers < 1:
        raise ValueError(f'workers from 1 on expected, got {workers}')
    if not results.is_dir():
        raise FileNotFoundError(f'no folder {results}')
    sequences = read_split(davis / (split or f'ImageSets/{protocol}/val.txt'))
    tasks = [
        (sequence, _pair_files(results, label_files(davis, sequence), missing))
        for sequence in sequences
    ]
    function = partial(_score_sequence, protocol=protocol, references=tuple(references))
    if workers == 1:
        yield from map(function, tasks)
        return
    # Not forked: OpenCV's threads, once started, do not survive that.
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context('spawn'), initializer=_one_thread
    )
    try:
        # The longest first, so that no process ends long after the others.
        by_length = sorted(tasks, key=lambda task: len(task[1]), reverse=True)
        running = {task[0]: pool.submit(function, task) for task in by_length}
        for sequence in sequences:
            yield running[sequence].result()
    finally:
        pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    cv2.setNumThreads(1)
    os.environ['OMP_NUM_THREADS'] = '1'  # for torch, which is imported later if at all


def _pair_files(
    results: Path, truths: list[Path], missing: str
) -> list[tuple[Path | None, Path]]:
    """Results and truths, the first without a result."""
    sequence = truths[0].parent.name
    if len(truths) < 3:
        raise ValueError(
            f'label images between the first and the last expected in {truths[0].parent}'
        )
    files = [results / sequence / path.name for path in truths]
    absent = [path for path in files[1:-1] if not path.is_file()]
    if absent and missing == 'error':
        raise FileNotFoundError(
            f'{len(files) - 2} masks of {sequence} expected (first and last frame do not '
            f'count), {len(absent)} are missing, {absent[0]} first'
        )
    scored = [None if path in set(absent) else path for path in files[1:-1]]
    return list(zip([None, *scored], truths[:-1], strict=True))


def _score_sequence(
    task: tuple[str, list[tuple[Path | None, Path]]],
    protocol: str,
    references: Sequence[str],
) -> list[ObjectScores]:
    sequence, ((_, first_path), *pairs) = task
    compared = find_references(references)
    first = read_objects(first_path, protocol)
    labels = [int(label) for label in np.unique(first) if label > 0]
    if not labels:
        raise ValueError(f'an object in the first frame expected, got none in {first_path}')
    objects = [ObjectScores(sequence, label) for label in labels]
    first_masks = [first == label for label in labels]
    for path, true_path in pairs:
        truth = read_objects(true_path, protocol)
        found = np.zeros_like(truth)
        if path is not None:
            found = _found_labels(path, truth.shape, labels, protocol)
        for item, first_mask in zip(objects, first_masks, strict=True):
            item.add_frame(
                found == item.object_id, truth == item.object_id, first_mask, compared
            )
    return objects


def read_objects(path: Path, protocol: str) -> np.ndarray:
    """(H, W) uint8, the object that a true label image gives each pixel; 0 is none.

    Under the protocol of 2016 all objects are 1. Under that of 2017, 255 is none, but for
    an image of 0 and 255 alone, where it is 1.
    """
    labels = read_labels(path)
    if protocol == '2016':
        return (labels > 0).astype(np.uint8)
    # 255 marks what is nobody's, unless it is the only label: then it is white.
    white = set(np.unique(labels)) <= {0, WHITE}
    return np.where(labels == WHITE, np.uint8(white), labels)


def _found_labels(
    path: Path, size: tuple[int, int], labels: list[int], protocol: str
) -> np.ndarray:
    found = read_labels(path)
    if found.shape != size:
        raise ValueError(f'a mask of size {size} expected, got {found.shape} in {path}')
    if protocol == '2016':
        return (found > 0).astype(np.uint8)
    found_labels = set(np.unique(found).tolist()) - {0}
    if found_labels == {WHITE} and len(labels) == 1:
        return np.where(found == WHITE, np.uint8(labels[0]), found)
    others = sorted(found_labels - set(labels))
    if others:
        raise ValueError(f'labels {labels} expected, got {others} as well in {path}')
    return found
