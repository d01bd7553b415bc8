"""Checks the images that a json file names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from siampolarmask_mm.datasets.data_check.report import Report
from siampolarmask_mm.datasets.files import CHUNK


def find_image_folder(json_file: Path, names: Iterable[str]) -> Path | None:
    """The folder that the names of a json file's images start from; None if not found.

    Looked for beside the file and its folder, where COCO, YouTube-VIS and OVIS have it:
    ``train2017`` for ``annotations/instances_train2017.json``, ``train/JPEGImages`` for
    ``train.json`` or ``train/instances.json``, ``train`` for ``annotations_train.json``.
    """
    names = list(names)[:20]  # some may be missing
    here, above = json_file.parent, json_file.parent.parent
    split = json_file.stem.rpartition('_')[2]
    candidates = [
        base / inner
        for base in (above, here)
        for inner in (
            split,
            f'{split}/JPEGImages',
            'JPEGImages',
            'images',
            f'images/{split}',
            '',
        )
    ]
    return next((c for c in candidates if any((c / n).is_file() for n in names)), None)


def check_image_files(
    sizes: Mapping[Path, tuple[int, int]], workers: ThreadPoolExecutor
) -> Report:
    """Compare images with the sizes that a json file gives, by path."""
    report = Report()
    pairs = list(sizes.items())
    chunks = [pairs[i : i + CHUNK] for i in range(0, len(pairs), CHUNK)]
    report.add(workers.map(_check_chunk, chunks))
    return report


def _check_chunk(pairs: list[tuple[Path, tuple[int, int]]]) -> Report:
    report = Report()
    for path, expected in pairs:
        size = report.size_of(path)
        if size and size != expected:
            report.error(path, f'size {expected} in the json file, {size} in the image')
    return report
