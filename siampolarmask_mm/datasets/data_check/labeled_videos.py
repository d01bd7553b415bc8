"""Checks folders of frames beside folders of label images: DAVIS, YouTube-VOS, alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from siampolarmask_mm.datasets.data_check.report import Report, count, reason, some
from siampolarmask_mm.datasets.files import find_images
from siampolarmask_mm.datasets.youtube_vos import read_meta
from siampolarmask_mm.davis_layout import read_split
from siampolarmask_mm.label_images import read_labels

VOID = 255


def check_labeled_videos(root: Path, workers: ThreadPoolExecutor) -> Report:
    """Check a folder of ``JPEGImages`` and ``Annotations``.

    Videos lie in both, or in folders of a resolution (``480p``) in both. Lists in
    ``ImageSets`` and ``meta.json`` are compared with them if there are any.
    """
    report = Report()
    places = _find_places(root)
    report.title = f'labeled videos in {root}'
    meta = _read_meta(root / 'meta.json', report)
    found: set[str] = set()
    for images, labels in places:
        folders = {
            p.name for part in (images, labels) for p in part.glob('*') if p.is_dir()
        }
        found |= folders
        check = partial(_check_video, images, labels, meta)
        report.add(workers.map(check, sorted(folders)))
    for video in sorted(set(meta or ()) - found):
        report.error(root / 'meta.json', f'video {video} has no folder')
    for path in sorted(root.glob('ImageSets/*/*.txt')) + sorted(
        root.glob('ImageSets/*.txt')
    ):
        _check_list(path, found, report)
    if not found:
        report.error(root, 'no folder of a video in JPEGImages or Annotations')
    return report


def _find_places(root: Path) -> list[tuple[Path, Path]]:
    images, labels = root / 'JPEGImages', root / 'Annotations'
    inner = {
        path.name
        for part in (images, labels)
        for path in part.glob('*')
        if any(child.is_dir() for child in path.glob('*'))
    }
    return [(images / name, labels / name) for name in sorted(inner)] or [(images, labels)]


def _read_meta(path: Path, report: Report) -> dict[str, dict[int, str]] | None:
    if not path.is_file():
        return None
    try:
        return read_meta(path)
    except ValueError as error:
        report.error(path, reason(error, path))
        return None


def _check_list(path: Path, videos: set[str], report: Report) -> None:
    try:
        names = read_split(path)
    except (UnicodeDecodeError, ValueError) as error:
        report.error(path, reason(error, path))
        return
    missing = [name for name in names if name not in videos]
    if missing:
        report.error(path, f'no folder for {some(missing)}')


def _check_video(images: Path, labels: Path, meta: dict | None, name: str) -> Report:
    report = Report()
    frames = {path.stem: path for path in find_images(images / name)}
    label_files = {path.stem: path for path in sorted((labels / name).glob('*.png'))}
    report.counts.update(videos=1, frames=len(frames))
    if not frames:
        report.error(images / name, 'no frame (.jpg or .png)')
    if not label_files:
        report.error(labels / name, 'no label image (.png)')
    if frames and label_files:
        _check_names(frames, label_files, report)
    sizes = {stem: report.size_of(path) for stem, path in frames.items()}
    usual = _usual_size(sizes)
    for stem, size in sizes.items():
        if size and size != usual:
            report.error(
                frames[stem], f'size {usual} of the other frames expected, got {size}'
            )
    seen = _check_labels(label_files, sizes, report)
    _check_objects(labels / name, seen, report)
    if meta is not None:
        _check_meta(labels / name, seen, meta.get(name), report)
    return report


def _usual_size(sizes: dict[str, tuple[int, int] | None]) -> tuple[int, int] | None:
    known = Counter(size for size in sizes.values() if size)
    return known.most_common(1)[0][0] if known else None


def _check_names(frames: dict, label_files: dict, report: Report) -> None:
    for stem in sorted(label_files.keys() - frames.keys()):
        report.error(label_files[stem], 'no frame of that name')
    numbers = {int(stem): path for stem, path in frames.items() if stem.isdecimal()}
    step, _ = _usual_step(numbers)
    for before, after in pairwise(sorted(numbers)):
        if after - before > step:
            report.error(numbers[before], f'the next frame is {numbers[after].name}')
    labeled = sorted(int(stem) for stem in label_files if stem.isdecimal())
    step, is_regular = _usual_step(labeled)
    if not is_regular:  # as in test sets, which have the first mask of each object
        return
    expected = {number for number in numbers if (number - labeled[0]) % step == 0}
    for number in sorted(expected - set(labeled)):
        report.error(numbers[number], 'no label image for this frame')


def _usual_step(numbers: Iterable[int]) -> tuple[int, bool]:
    """The commonest distance from one number to the next, and if most are so far."""
    steps = Counter(after - before for before, after in pairwise(sorted(numbers)))
    if steps.total() < 2:
        return 1, False
    step, count = steps.most_common(1)[0]
    return step, count > steps.total() / 2


def _check_labels(label_files: dict, sizes: dict, report: Report) -> dict[str, set[int]]:
    """The labels of each image that can be read."""
    seen = {}
    for stem, path in label_files.items():
        try:
            labels = read_labels(path)
        except (OSError, ValueError) as error:
            report.error(path, reason(error, path))
            continue
        size = sizes.get(stem)
        if size and labels.shape != size:
            report.error(path, f'size {size} of its frame expected, got {labels.shape}')
        values = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
        seen[stem] = set(values.tolist()) - {0}
        report.counts['masks'] += len(seen[stem])
    return seen


def _check_objects(folder: Path, seen: dict[str, set[int]], report: Report) -> None:
    objects = set().union(*seen.values())
    report.counts['objects'] += len(objects)
    if not seen:
        return
    if not objects:
        report.error(folder, 'no object in any label image')
        return
    if VOID in objects and len(objects) > 1:
        with_void = sorted(stem for stem, labels in seen.items() if VOID in labels)
        report.error(
            folder,
            f'label {VOID} beside {some(sorted(objects - {VOID}))} in {some(with_void)}: '
            'a region to ignore, or grey levels instead of labels',
        )
    empty = sorted(stem for stem, labels in seen.items() if not labels)
    if empty:
        report.warning(
            folder, f'no object in {count(len(empty), "label images")}: {some(empty)}'
        )


def _check_meta(
    folder: Path, seen: dict[str, set[int]], objects: dict | None, report: Report
) -> None:
    if objects is None:
        report.warning(folder, 'not in meta.json, so it is not trained on')
        return
    found = set().union(*seen.values())
    if found - set(objects):
        report.error(folder, f'label {some(sorted(found - set(objects)))} not in meta.json')
    if seen and set(objects) - found:
        absent = some(sorted(set(objects) - found))
        report.error(folder, f'object {absent} of meta.json in no label image')
    unnamed = sorted(i for i, category in objects.items() if not category)
    if unnamed:
        report.warning(folder, f'object {some(unnamed)} without category in meta.json')
