"""Checks COCO's json of instances, and its images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.coco_masks import to_rle
from siampolarmask_mm.datasets.coco_pairs import find_problem
from siampolarmask_mm.datasets.data_check.annotation_file import (
    AnnotationFile,
    check_categories,
    check_ids,
    check_images_of,
    valid_annotations,
)
from siampolarmask_mm.datasets.data_check.report import Report, count

KEYS = frozenset({'file_name', 'height', 'width'})
OUTSIDE = 1.0  # pixels that a box may lie outside its image, as rounding gives
FAR = 3.0  # pixels that a box may be off the mask, likewise


def check_coco(file: AnnotationFile, workers: ThreadPoolExecutor) -> Report:
    """Check a file of images and instances; ``workers`` read the images."""
    report = Report(title=f'COCO instances in {file.path}')
    images = check_ids(file, 'images', report, KEYS)
    check_ids(file, 'annotations', report)
    check_categories(file, report)
    for annotation in valid_annotations(file, partial(find_problem, images=images), report):
        report.counts['masks'] += 1
        image = images[annotation['image_id']]
        for message in _compare(annotation, (image['height'], image['width'])):
            report.warning(file.path, f'annotation {annotation["id"]}: {message}')
    report.counts['frames'] += len(images)
    used = {annotation.get('image_id') for annotation in file.content['annotations']}
    if set(images) - used:
        unused = count(len(set(images) - used), 'images')
        report.warning(file.path, f'{unused} without annotation')
    sizes = {i['file_name']: (i['height'], i['width']) for i in images.values()}
    if len(sizes) < len(images):
        same = count(len(images) - len(sizes), 'images')
        report.error(file.path, f'{same} with the file name of another')
    check_images_of(file, sizes, 'images', workers, report)
    return report


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
