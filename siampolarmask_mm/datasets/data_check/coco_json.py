"""Checks COCO's json of instances, and its images."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.coco_masks import to_rle
from siampolarmask_mm.datasets.coco_pairs import find_problem
from siampolarmask_mm.datasets.data_check.image_files import (
    check_image_files,
    find_image_folder,
)
from siampolarmask_mm.datasets.data_check.report import Report, count, some

OUTSIDE = 1.0  # pixels that a box may lie outside its image, as rounding gives
FAR = 3.0  # pixels that a box may be off the mask, likewise


def check_coco(
    path: Path,
    content: dict,
    images: Path | None,
    workers: ThreadPoolExecutor,
) -> Report:
    """Check a file of images and instances.

    Args:
        path: of the file.
        content: what is in it.
        images: the folder of its images; looked for if not given.
        workers: read the images.
    """
    report = Report(title=f'COCO instances in {path}')
    by_id = check_ids(path, content, 'images', report)
    by_id = {k: v for k, v in by_id.items() if _has_keys(path, v, report)}
    check_ids(path, content, 'annotations', report)
    check_categories(path, content, report)
    for annotation in content['annotations']:
        _check_instance(path, annotation, by_id, report)
    used = {annotation.get('image_id') for annotation in content['annotations']}
    report.counts['frames'] += len(by_id)
    if set(by_id) - used:
        report.warning(
            path, f'{count(len(set(by_id) - used), "images")} without annotation'
        )
    folder = images or find_image_folder(path, (i['file_name'] for i in by_id.values()))
    if folder is None:
        report.error(path, 'its images were not found; name their folder with --images')
        return report
    sizes = {folder / i['file_name']: (i['height'], i['width']) for i in by_id.values()}
    if len(sizes) < len(by_id):
        report.error(
            path,
            f'{count(len(by_id) - len(sizes), "images")} with the file name of another',
        )
    report.add([check_image_files(sizes, workers)])
    return report


def check_ids(path: Path, content: dict, kind: str, report: Report) -> dict:
    """The file's images, videos or annotations by id; reports ids that come twice."""
    by_id = {item['id']: item for item in content[kind] if 'id' in item}
    times = Counter(item.get('id') for item in content[kind])
    for number in [number for number in times if times[number] > 1]:
        report.error(path, f'id {number} stands for {times[number]} {kind}')
    return by_id


def check_categories(path: Path, content: dict, report: Report) -> None:
    """Reports categories of annotations that the file does not name."""
    known = {category.get('id') for category in content.get('categories') or ()}
    used = Counter(annotation.get('category_id') for annotation in content['annotations'])
    for category in [category for category in used if category not in known]:
        report.error(
            path,
            f'category {category} of {count(used[category], "annotations")} '
            'not in categories',
        )


def _has_keys(path: Path, image: dict, report: Report) -> bool:
    missing = {'file_name', 'height', 'width'} - set(image)
    if missing:
        report.error(path, f'image {image["id"]}: {some(sorted(missing))} expected')
    return not missing


def _check_instance(path: Path, annotation: dict, images: dict, report: Report) -> None:
    if annotation.get('iscrowd'):
        return
    report.counts['objects'] += 1
    try:
        problem = find_problem(annotation, images)
    except Exception as error:  # of pycocotools, for numbers that are none
        problem = f'cannot be read, {error}'
    if problem:
        report.error(path, f'annotation {annotation.get("id")}: {problem}')
        return
    report.counts['masks'] += 1
    image = images[annotation['image_id']]
    size = image['height'], image['width']
    for message in _compare(annotation, size):
        report.warning(path, f'annotation {annotation["id"]}: {message}')


def _compare(annotation: dict, size: tuple[int, int]) -> list[str]:
    """What a valid instance says of itself that its mask does not."""
    x, y, width, height = annotation['bbox']
    given = np.array([x, y, x + width, y + height])
    messages = []
    if (given[:2] < -OUTSIDE).any() or (given[2:] > np.array(size[::-1]) + OUTSIDE).any():
        messages.append(f'bbox {annotation["bbox"]} lies outside the image {size}')
    extent = _extent(annotation['segmentation'], size)
    off = np.abs(given - extent).max()
    if off > max(FAR, 0.1 * (extent[2:] - extent[:2]).max()):
        messages.append(f'bbox is {off:.0f} pixels off the mask')
    return messages


def _extent(mask: list | dict, size: tuple[int, int]) -> np.ndarray:
    """(x1, y1, x2, y2) around a mask; with the tips of polygons, too thin for a pixel."""
    if isinstance(mask, list):
        points = np.concatenate(mask).reshape(-1, 2)
        return np.concatenate([points.min(0), points.max(0)])
    x, y, width, height = coco_mask.toBbox(to_rle(mask, size))
    return np.array([x, y, x + width, y + height])
