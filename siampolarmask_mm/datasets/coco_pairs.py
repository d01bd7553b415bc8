"""CocoPairDataset: every instance of a COCO file as a video of one frame."""

from __future__ import annotations

import os
from functools import partial

import numpy as np
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.coco_masks import (
    keep_valid,
    mask_problem,
    read_json,
    to_rle,
)
from siampolarmask_mm.datasets.files import check_images
from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset
from siampolarmask_mm.registry import DATASETS


@DATASETS.register_module()
class CocoPairDataset(MaskTrackDataset):
    """Instances with masks, for training on two crops of one image.

    Crowds are left out. All instances, and every image's header, are checked at the start.

    Args:
        ann_file: COCO's ``instances_*.json``; masks are polygons or RLE.
        skip_invalid: leave out instances without a valid mask instead of raising.
        check: ``names`` only looks whether the images are there, for a slow disk;
            ``headers`` reads a part of each.
        **kwargs: of MaskTrackDataset and mmtrack's BaseSOTDataset: ``min_area``
            (instances below this many square pixels are left out);
            ``data_root``, the folder that ``ann_file`` and ``data_prefix`` start from;
            ``data_prefix``, the folder of images, ``dict(img_path='train2017')`` for
            example; ``pipeline``, ...

    Raises:
        FileNotFoundError: if a folder or file is missing.
        ValueError: if an image cannot be read or has another size than the file says, an
            instance is invalid (see `find_problem`), or none is left.
    """

    FOR_TESTING = False

    def __init__(
        self,
        ann_file: str,
        *,
        skip_invalid: bool = False,
        check: str = 'headers',
        **kwargs: object,
    ) -> None:
        self.skip_invalid = skip_invalid
        self.check = check
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the file: a record per instance."""
        content = read_json(self.ann_file, ('images', 'annotations'), 'COCO')
        images = {image['id']: image for image in content['images']}
        large = [
            annotation
            for annotation in content['annotations']
            if annotation.get('area', np.inf) >= self.min_area
        ]
        valid = keep_valid(
            large,
            partial(find_problem, images=images),
            self.ann_file,
            skip_invalid=self.skip_invalid,
        )
        records = [
            self._make_record(annotation, images[annotation['image_id']])
            for annotation in valid
            if self._is_large(annotation, images)
        ]
        if not records:
            raise self.none_left()
        sizes = {record['frames'][0]: record['size'] for record in records}
        check_images(sizes, self.ann_file, self.check)
        return records

    def _is_large(self, annotation: dict, images: dict[int, dict]) -> bool:
        """Whether a valid instance is; of one that tells no area, the mask's counts."""
        if 'area' in annotation or self.min_area <= 0:
            return True
        image = images[annotation['image_id']]
        size = image['height'], image['width']
        return coco_mask.area(to_rle(annotation['segmentation'], size)) >= self.min_area

    def _make_record(self, annotation: dict, image: dict) -> dict:
        return dict(
            name=str(annotation['id']),
            frames=[os.path.join(self.data_prefix['img_path'], image['file_name'])],
            size=(image['height'], image['width']),
            object_ids=[annotation['id']],
            masks=[[annotation['segmentation']]],
            bboxes=np.array([[annotation['bbox']]], dtype=float),
            category=annotation.get('category_id'),
        )


def find_problem(annotation: dict, images: dict[int, dict]) -> str:
    """What keeps an instance from being trained on; empty if nothing does.

    Args:
        annotation: of COCO's format.
        images: the file's images by their id.
    """
    missing = {'id', 'image_id', 'bbox', 'segmentation'} - set(annotation)
    if missing:
        return f'{" and ".join(sorted(missing))} expected'
    image = images.get(annotation['image_id'])
    if image is None:
        return f'an image_id among images expected, got {annotation["image_id"]}'
    if len(annotation['bbox']) != 4 or min(annotation['bbox'][2:]) <= 0:
        return (
            f'a bbox (x, y, width, height) with extent expected, got {annotation["bbox"]}'
        )
    mask, size = annotation['segmentation'], (image['height'], image['width'])
    problem = mask_problem(mask, size)
    if not problem and not coco_mask.area(to_rle(mask, size)):
        problem = 'a mask with at least one pixel expected, got none'
    return problem
