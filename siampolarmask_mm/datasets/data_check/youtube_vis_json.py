"""Checks the json of YouTube-VIS and OVIS, and its frames."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from siampolarmask_mm.datasets.data_check.coco_json import check_categories, check_ids
from siampolarmask_mm.datasets.data_check.image_files import (
    check_image_files,
    find_image_folder,
)
from siampolarmask_mm.datasets.data_check.report import Report, some
from siampolarmask_mm.datasets.youtube_vis import find_track_problem

KEYS = {'file_names', 'height', 'width'}


def check_youtube_vis(
    path: Path,
    content: dict,
    images: Path | None,
    workers: ThreadPoolExecutor,
) -> Report:
    """Check a file of videos and tracks of masks.

    Args:
        path: of the file.
        content: what is in it.
        images: the folder of its frames; looked for if not given.
        workers: read the frames.
    """
    report = Report(title=f'YouTube-VIS tracks in {path}')
    videos = {}
    for number, video in check_ids(path, content, 'videos', report).items():
        missing = KEYS - set(video)
        if missing:
            report.error(path, f'video {number}: {some(sorted(missing))} expected')
        else:
            videos[number] = video
    check_ids(path, content, 'annotations', report)
    check_categories(path, content, report)
    for annotation in content['annotations']:
        _check_track(path, annotation, videos, report)
    names = [name for video in videos.values() for name in video['file_names']]
    report.counts.update(videos=len(videos), frames=len(names))
    used = {annotation.get('video_id') for annotation in content['annotations']}
    for number in sorted(set(videos) - used):
        report.warning(path, f'video {number} without annotation')
    folder = images or find_image_folder(path, names)
    if folder is None:
        report.error(path, 'its frames were not found; name their folder with --images')
        return report
    sizes = {
        folder / name: (video['height'], video['width'])
        for video in videos.values()
        for name in video['file_names']
    }
    report.add([check_image_files(sizes, workers)])
    return report


def _check_track(path: Path, annotation: dict, videos: dict, report: Report) -> None:
    if annotation.get('iscrowd'):
        return
    report.counts['objects'] += 1
    try:
        problem = find_track_problem(annotation, videos)
    except Exception as error:  # of pycocotools, for numbers that are none
        problem = f'cannot be read, {error}'
    if problem:
        report.error(path, f'annotation {annotation.get("id")}: {problem}')
        return
    report.counts['masks'] += sum(mask is not None for mask in annotation['segmentations'])
    boxes = annotation.get('bboxes')
    if boxes is None:
        return
    pairs = list(zip(boxes, annotation['segmentations'], strict=False))
    if len(boxes) != len(annotation['segmentations']) or any(
        (box is None) != (mask is None) for box, mask in pairs
    ):
        report.warning(
            path, f'annotation {annotation["id"]}: bboxes where there is no mask, or none'
        )
