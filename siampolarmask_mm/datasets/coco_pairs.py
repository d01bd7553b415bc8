"""CocoPairDataset: every instance of a COCO file as a video of one frame."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mmengine
import numpy as np

from siampolarmask_mm.datasets.files import image_size
from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset
from siampolarmask_mm.registry import DATASETS


@DATASETS.register_module()
class CocoPairDataset(MaskTrackDataset):
    """Instances with masks, for training on two crops of one image.

    Crowds are left out. Every image's header is read once at the start.

    Args:
        ann_file: COCO's ``instances_*.json``; masks are polygons or RLE.
        data_root: folder that ``ann_file`` and ``data_prefix`` start from.
        data_prefix: the folder of images, ``dict(img_path='train2017')`` for example.
        min_area: instances below this many square pixels are left out.
        skip_invalid: leave out instances without a valid mask instead of raising.
        **kwargs: of mmtrack's BaseSOTDataset: ``pipeline``, ...

    Raises:
        FileNotFoundError: if a folder or file is missing.
        ValueError: if an image cannot be read or has another size than the file says, or a
            mask is empty (a polygon with fewer than 3 points), or no instance is left.
    """

    def __init__(
        self,
        ann_file: str,
        *,
        min_area: float = 0,
        skip_invalid: bool = False,
        **kwargs: object,
    ) -> None:
        if kwargs.get('test_mode'):
            raise ValueError('CocoPairDataset is for training, got test_mode=True')
        self.min_area = min_area
        self.skip_invalid = skip_invalid
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the file: a record per instance."""
        if not Path(self.ann_file).is_file():
            raise FileNotFoundError(f"no annotations in COCO's format at {self.ann_file}")
        content = mmengine.load(self.ann_file)
        if not isinstance(content, dict) or not {'images', 'annotations'} <= set(content):
            raise ValueError(
                f'images and annotations in COCO format expected in {self.ann_file}'
            )
        images = {image['id']: image for image in content['images']}
        records = [
            self._make_record(annotation, images[annotation['image_id']])
            for annotation in content['annotations']
            if not annotation.get('iscrowd')
            and annotation['area'] >= self.min_area
            and self._is_valid(annotation)
        ]
        if not records:
            raise ValueError(
                f'instances of at least {self.min_area} square pixels expected, '
                f'got none in {self.ann_file}'
            )
        self._check_images(records)
        return records

    def _is_valid(self, annotation: dict) -> bool:
        mask = annotation.get('segmentation')
        if isinstance(mask, dict):
            valid = bool(mask.get('counts'))
        else:
            valid = bool(mask) and all(len(p) >= 6 and len(p) % 2 == 0 for p in mask)
        if not valid and not self.skip_invalid:
            raise ValueError(
                'polygons of at least 3 points (6 numbers) or RLE expected, got '
                f'{str(mask)[:80]} for annotation {annotation["id"]} in {self.ann_file}; '
                'skip_invalid=True leaves such instances out'
            )
        return valid

    def _make_record(self, annotation: dict, image: dict) -> dict:
        return dict(
            name=str(annotation['id']),
            frames=[str(Path(self.data_prefix['img_path'], image['file_name']))],
            size=(image['height'], image['width']),
            object_ids=[annotation['id']],
            masks=[[annotation['segmentation']]],
            bboxes=np.array([[annotation['bbox']]], dtype=float),
        )

    def _check_images(self, records: list[dict]) -> None:
        sizes = {record['frames'][0]: record['size'] for record in records}
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            found = workers.map(image_size, sizes)
            for (path, size), found_size in zip(sizes.items(), found, strict=True):
                if size != found_size:
                    raise ValueError(
                        f'an image of {size} pixels (height, width) expected by '
                        f'{self.ann_file}, got {found_size} in {path}'
                    )
