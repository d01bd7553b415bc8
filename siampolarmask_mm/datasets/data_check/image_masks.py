"""Checks folders of images beside folders of grey masks: DUTS, MSRA10K, ECSSD, alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

from siampolarmask_mm.datasets.data_check.report import Report, reason
from siampolarmask_mm.datasets.files import CHUNK, find_images
from siampolarmask_mm.label_images import read_labels

THRESHOLD = 127


def find_image_masks(root: Path) -> tuple[Path, Path] | None:
    """The folders of images and of their masks in a folder; None if there are none.

    They are told by the names that both have: two folders, masks in the one with PNGs
    alone, or one folder with JPEGs and PNGs.
    """
    folders = [root, *sorted(path for path in root.glob('*') if path.is_dir())]
    images, masks = {}, {}
    for folder in folders:
        names = find_images(folder)
        images[folder] = {path.stem for path in names if path.suffix != '.png'}
        masks[folder] = {path.stem for path in names if path.suffix == '.png'}
    if len(images[root] & masks[root]) > len(images[root]) / 2:
        return root, root
    for image_folder, mask_folder in permutations(folders[1:], 2):
        common = images[image_folder] & masks[mask_folder]
        if not images[mask_folder] and len(common) > len(images[image_folder]) / 2:
            return image_folder, mask_folder
    return None


def check_image_masks(
    image_folder: Path, mask_folder: Path, workers: ThreadPoolExecutor
) -> Report:
    """Check that each image has a mask of its size that shows something."""
    report = Report(title=f'images with masks in {image_folder} and {mask_folder}')
    images = {p.stem: p for p in find_images(image_folder) if p.suffix != '.png'}
    masks = {p.stem: p for p in find_images(mask_folder) if p.suffix == '.png'}
    for name in sorted(images.keys() - masks.keys()):
        report.error(images[name], f'no mask in {mask_folder}')
    for name in sorted(masks.keys() - images.keys()):
        report.error(masks[name], f'no image in {image_folder}')
    pairs = [(images[name], masks[name]) for name in sorted(images.keys() & masks.keys())]
    chunks = [pairs[i : i + CHUNK] for i in range(0, len(pairs), CHUNK)]
    report.add(workers.map(_check_chunk, chunks))
    report.counts['frames'] += len(images)
    return report


def _check_chunk(pairs: list[tuple[Path, Path]]) -> Report:
    report = Report()
    for image, mask in pairs:
        size = report.size_of(image)
        try:
            grey = read_labels(mask)
        except (OSError, ValueError) as error:
            report.error(mask, reason(error, mask))
            continue
        if size and grey.shape != size:
            report.error(mask, f'size {size} of its image expected, got {grey.shape}')
        share = (grey > THRESHOLD).mean()
        report.counts.update(objects=int(share > 0), masks=1)
        if share == 0:
            report.error(mask, f'no pixel above {THRESHOLD}')
        elif share == 1:
            report.warning(mask, 'the object fills the image')
    return report
