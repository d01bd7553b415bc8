"""Looking through a dataset before training: everything that is wrong with it, at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from siampolarmask_mm.datasets.data_check.annotation_file import AnnotationFile
from siampolarmask_mm.datasets.data_check.boxed_videos import (
    check_boxed_videos,
    find_boxed_videos,
)
from siampolarmask_mm.datasets.data_check.coco_json import check_coco
from siampolarmask_mm.datasets.data_check.image_masks import (
    check_image_masks,
    find_image_masks,
)
from siampolarmask_mm.datasets.data_check.labeled_videos import check_labeled_videos
from siampolarmask_mm.datasets.data_check.report import Finding, Report
from siampolarmask_mm.datasets.data_check.youtube_vis_json import check_youtube_vis

__all__ = ['Finding', 'Report', 'check_data']

LAYOUTS = (
    'a folder with JPEGImages and Annotations (DAVIS, YouTube-VOS), images beside masks '
    '(DUTS), videos with groundtruth.txt (GOT-10k, LaSOT) or frames and anno '
    '(TrackingNet), or the json of COCO, YouTube-VIS or OVIS'
)
DEPTH = 2  # folders below the one that was asked for


def check_data(
    path: str | Path,
    images: str | Path | None = None,
    *,
    num_workers: int | None = None,
) -> Iterator[Report]:
    """Check a dataset, or all that lie in a folder.

    Args:
        path: a folder, whose layout is found out, or a json file.
        images: the folder that a json file's images start from; looked for beside the file
            if not given.
        num_workers: threads; as many as there are cores, if not given.

    Yields:
        A report per dataset.

    Raises:
        FileNotFoundError: if there is nothing at the path.
        ValueError: if no known layout is found there.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'a folder or a json file expected, nothing at {path}')
    folder = None if images is None else Path(images)
    found = False
    with ThreadPoolExecutor(num_workers or os.cpu_count()) as workers:
        for report in _check(path, folder, workers, DEPTH):
            found = True
            yield report
    if not found:
        raise ValueError(f'{LAYOUTS} expected at {path}')


def _check(
    path: Path, images: Path | None, workers: ThreadPoolExecutor, depth: int
) -> Iterator[Report]:
    if path.is_file():
        report = _check_json(path, images, workers)
        if report is not None:
            yield report
        return
    if (path / 'Annotations').is_dir() and (path / 'JPEGImages').is_dir():
        yield check_labeled_videos(path, workers)
        return
    pair = find_image_masks(path)
    if pair is not None:
        yield check_image_masks(*pair, workers)
        return
    files = sorted(path.glob('*.json')) + sorted(path.glob('annotations/*.json'))
    reports = (_check_json(file, images, workers) for file in files)
    reports = [report for report in reports if report is not None]
    yield from reports
    videos = find_boxed_videos(path)
    if videos:
        yield check_boxed_videos(path, videos, workers)
    if depth and not reports:
        boxed = {video.boxes.relative_to(path).parts[0] for video in videos}
        for inner in sorted(
            p for p in path.iterdir() if p.is_dir() and p.name not in boxed
        ):
            yield from _check(inner, images, workers, depth - 1)


def _check_json(
    path: Path, images: Path | None, workers: ThreadPoolExecutor
) -> Report | None:
    """None for a json file of something else."""
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        report = Report(title=str(path))
        report.error(path, f'no json: {error}')
        return report
    if not isinstance(content, dict):
        return None
    for key, of_masks, check in (
        ('videos', 'segmentations', check_youtube_vis),
        ('images', 'segmentation', check_coco),
    ):
        lists = content.get(key), content.get('annotations')
        if all(map(_is_list_of_dicts, lists)) and any(
            of_masks in item for item in lists[1]
        ):
            return check(AnnotationFile(path, content, images), workers)
    return None


def _is_list_of_dicts(content: object) -> bool:
    return isinstance(content, list) and all(isinstance(item, dict) for item in content)
