"""Checks the json of YouTube-VIS and OVIS, and its frames."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from siampolarmask_mm.datasets.data_check.annotation_file import (
    AnnotationFile,
    check_categories,
    check_ids,
    check_images_of,
    valid_annotations,
)
from siampolarmask_mm.datasets.data_check.report import Report
from siampolarmask_mm.datasets.youtube_vis import find_track_problem

KEYS = frozenset({'file_names', 'height', 'width'})


def check_youtube_vis(file: AnnotationFile, workers: ThreadPoolExecutor) -> Report:
    """Check a file of videos and tracks of masks; ``workers`` read the frames."""
    report = Report(title=f'YouTube-VIS tracks in {file.path}')
    videos = check_ids(file, 'videos', report, KEYS)
    check_ids(file, 'annotations', report)
    check_categories(file, report)
    find_problem = partial(find_track_problem, videos=videos)
    for annotation in valid_annotations(file, find_problem, report):
        masks = annotation['segmentations']
        report.counts['masks'] += sum(mask is not None for mask in masks)
        if not _boxes_fit(annotation.get('bboxes'), masks):
            report.warning(
                file.path,
                f'annotation {annotation["id"]}: bboxes where there is no mask, or none',
            )
    sizes = {
        name: (video['height'], video['width'])
        for video in videos.values()
        for name in video['file_names']
    }
    num_frames = sum(len(video['file_names']) for video in videos.values())
    report.counts.update(videos=len(videos), frames=num_frames)
    used = {annotation.get('video_id') for annotation in file.content['annotations']}
    for number in sorted(set(videos) - used):
        report.warning(file.path, f'video {number} without annotation')
    check_images_of(file, sizes, 'frames', workers, report)
    return report


def _boxes_fit(boxes: list | None, masks: list) -> bool:
    """Whether there is a box for each mask, if there are any boxes."""
    return boxes is None or [b is None for b in boxes] == [m is None for m in masks]
