"""The most that a representation by stars can reach: masks from ground-truth rays.

Shape shorthand:
    H, W: an image    P: locations inside an object    K: rays
"""

from __future__ import annotations

import json
import multiprocessing
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import Tensor

from siampolarmask_mm.crops import Crop, crop_around
from siampolarmask_mm.davis_layout import label_files, read_split
from siampolarmask_mm.evaluation.region_contour import contour_accuracy, region_similarity
from siampolarmask_mm.label_images import read_labels
from siampolarmask_mm.locations import location_points
from siampolarmask_mm.polar import (
    Outlines,
    cast_rays,
    fuse_stars,
    mask_outlines,
    star_masks,
    union_masks,
)

REPRESENTATIONS = (
    'one star, last',
    'one star, first',
    'one star, best',
    'union',
    'union, capped',
    'union, voted',
    'union of best 8',
)
SPLITS = ('ImageSets/2016/val.txt', 'ImageSets/2017/val.txt')


class Truth(NamedTuple):
    """A mask to represent.

    Attributes:
        group: over whose members a first mean is taken: a video, or nothing to group by.
        mask: (H, W) boolean, not empty.
    """

    group: str
    mask: np.ndarray


class Row(NamedTuple):
    """What a representation reaches: means over groups of means over their masks."""

    representation: str
    rays: int
    J: float
    F: float

    @property
    def mean(self) -> float:
        """J&F."""
        return (self.J + self.F) / 2


def davis_truths(root: Path, split: str | None = None, every: int = 1) -> Iterator[Truth]:
    """Masks of a folder in the layout of DAVIS.

    All labels are one object, as in DAVIS-2016, if the split's path names 2016; else each
    is one. The first and last frame, which the benchmark does not score, are left out.

    Args:
        root: the folder of ``Annotations/480p``.
        split: list of sequences below it; the first of `SPLITS` that exists, if not given.
        every: takes each n-th frame only.

    Raises:
        FileNotFoundError: if the list, or a sequence, is missing.
    """
    if split is None:
        found = [name for name in SPLITS if (root / name).is_file()]
        split = found[0] if found else SPLITS[0]
    for sequence in read_split(str(root / split)):
        for path in label_files(root, sequence)[1:-1:every]:
            labels = read_labels(path)
            if '2016' in split:
                labels = (labels > 0).astype(np.uint8)
            for label in np.unique(labels[labels > 0]):
                yield Truth(f'{sequence}/{label}', labels == label)


def coco_truths(path: Path, min_area: float = 0, every: int = 1) -> Iterator[Truth]:
    """Masks of a file of instances in COCO's format, without crowds.

    Args:
        path: the json file; its images are not needed.
        min_area: in square pixels.
        every: takes each n-th instance only.

    Raises:
        ValueError: if it is not in COCO's format.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError:
        content = None
    if not isinstance(content, dict) or not {'images', 'annotations'} <= set(content):
        raise ValueError(f"images and annotations in COCO's format expected in {path}")
    sizes = {image['id']: (image['height'], image['width']) for image in content['images']}
    annotations = (
        a
        for a in content['annotations']
        if not a.get('iscrowd') and a['area'] >= min_area and a['segmentation']
    )
    for annotation in islice(annotations, 0, None, every):
        height, width = sizes[annotation['image_id']]
        rle = annotation['segmentation']
        if isinstance(rle, list):
            rle = coco_mask.merge(coco_mask.frPyObjects(rle, height, width))
        elif isinstance(rle['counts'], list):
            rle = coco_mask.frPyObjects(rle, height, width)
        mask = coco_mask.decode(rle).astype(bool)
        if mask.any():
            yield Truth(str(annotation['id']), mask)


class Stars(NamedTuple):
    """The true stars of a mask, in pixels of the image.

    Attributes:
        outline: of the mask.
        center: (1, 2) its center of mass.
        points: (P, 2) the locations inside; the center of mass if there is none.
        crop: the search crop whose locations they are.
    """

    outline: Outlines
    center: Tensor
    points: Tensor
    crop: Crop


def look_at(mask: np.ndarray, template_size: int, search_size: int, stride: int) -> Stars:
    """The locations that a search crop around the true box has inside a mask (H, W)."""
    rows, columns = np.nonzero(mask)
    box = torch.tensor(
        [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], dtype=torch.float32
    )
    crop = crop_around(box, search_size, template_size)
    num_locations = (search_size - template_size) // stride + 9
    points = location_points((num_locations,) * 2, stride, search_size, torch.zeros(1))
    points = crop.to_image(points.flatten(0, 1))
    outline = mask_outlines(torch.from_numpy(mask)[None])
    center = torch.tensor([[columns.mean(), rows.mean()]], dtype=torch.float32)
    inside = cast_rays(outline, points, 4, 'first').inside
    return Stars(outline, center, points[inside] if inside.any() else center, crop)


def represent(
    mask: np.ndarray,
    num_rays: int,
    stars: Stars,
    names: Sequence[str] = REPRESENTATIONS,
    stride: int = 8,
) -> dict[str, np.ndarray]:
    """Masks (H, W) from the true rays of each representation, by its name.

    One star is at the center of mass, with rays to the last crossing, the first exit, or of
    the best IoU per sector. Unions are of what all inside locations see: as it is; with
    rays capped at two strides of the search crop; by the vote of `fuse_stars`; and of the
    eight stars that, chosen one after another, add most to the IoU.
    """
    points, size = stars.points, mask.shape
    rays = cast_rays(stars.outline, points, num_rays, 'first').lengths
    own = torch.zeros(len(points), dtype=torch.long)
    reach = 2 * stride / stars.crop.scale

    def one_star(crossing: str) -> np.ndarray:
        lengths = cast_rays(stars.outline, stars.center, num_rays, crossing).lengths
        return star_masks(stars.center, lengths, size)[0].numpy()

    def vote() -> np.ndarray:
        scores = torch.ones(len(points))
        return fuse_stars(points, rays, scores, size, reach, softness=0.5).numpy() > 0.5

    make = {
        'one star, last': lambda: one_star('last'),
        'one star, first': lambda: one_star('first'),
        'one star, best': lambda: one_star('best'),
        'union': lambda: union_masks(points, rays, own, 1, size)[0].numpy(),
        'union, capped': lambda: union_masks(points, rays, own, 1, size, reach)[0].numpy(),
        'union, voted': vote,
        'union of best 8': lambda: best_union(
            star_masks(points, rays, size).numpy(), mask, 8
        ),
    }
    return {name: make[name]() for name in names}


def best_union(candidates: np.ndarray, mask: np.ndarray, number: int) -> np.ndarray:
    """(H, W) union of candidates (P, H, W) that add most to the IoU with a mask (H, W)."""
    touched = candidates.any(0) | mask
    flat, truth = candidates[:, touched], mask[touched]
    chosen = np.zeros_like(truth)
    highest = 0.0
    for _ in range(number):
        fresh = flat & ~chosen
        right = np.count_nonzero(fresh[:, truth], axis=1)
        wrong = np.count_nonzero(fresh, axis=1) - right
        shared = np.count_nonzero(chosen & truth) + right
        union = np.count_nonzero(chosen | truth) + wrong
        best = int((shared / union).argmax())
        if shared[best] / union[best] <= highest:
            break
        highest = shared[best] / union[best]
        chosen |= flat[best]
    result = np.zeros_like(mask)
    result[touched] = chosen
    return result


def score(
    truth: Truth,
    ray_counts: Sequence[int],
    template_size: int = 127,
    search_size: int = 255,
    stride: int = 8,
) -> tuple[str, dict[tuple[str, int], tuple[float, float]]]:
    """Group, and J and F of every representation of a mask by name and number of rays."""
    stars = look_at(truth.mask, template_size, search_size, stride)
    return truth.group, {
        (name, num_rays): (
            region_similarity(mask, truth.mask),
            contour_accuracy(mask, truth.mask),
        )
        for num_rays in ray_counts
        for name, mask in represent(truth.mask, num_rays, stars, stride=stride).items()
    }


def measure_ceiling(
    truths: Iterable[Truth], ray_counts: Sequence[int], workers: int = 1
) -> list[Row]:
    """Score every representation on all masks.

    Args:
        truths: the masks.
        ray_counts: numbers of rays to try.
        workers: processes.

    Raises:
        ValueError: if there is no mask.
    """
    scores = defaultdict(lambda: defaultdict(list))
    function = partial(score, ray_counts=ray_counts)
    # Not forked: OpenCV's threads, once started, do not survive that.
    spawn = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, spawn, initializer=_one_thread) as pool:
        for group, values in pool.map(function, truths, chunksize=8):
            for key, pair in values.items():
                scores[key][group].append(pair)
    if not scores:
        raise ValueError('at least one mask expected, got none')
    return [
        Row(*key, *np.mean([np.mean(pairs, axis=0) for pairs in groups.values()], axis=0))
        for key, groups in scores.items()
    ]


def _one_thread() -> None:
    torch.set_num_threads(1)
