"""SaliencyPairDataset: images with the mask of what stands out in each."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mmengine.logging import print_log
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.files import CHUNK, find_images, image_size
from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset, encode_mask
from siampolarmask_mm.datasets.read_cache import read_or_recall
from siampolarmask_mm.label_images import read_labels
from siampolarmask_mm.registry import DATASETS


@DATASETS.register_module()
class SaliencyPairDataset(MaskTrackDataset):
    """Images of one object each, for training on two crops of one image.

    Expects, below ``data_root``, a folder of images beside one of grey masks with the same
    names, as DUTS, ECSSD and HKU-IS have them, or both in one folder (masks as ``.png``,
    images as ``.jpg``), as MSRA10K has them. Every image's header and every mask is read
    once at the start; later starts recall what was read of files that have not changed
    (see `read_cache`).

    Args:
        data_root: the folder above.
        data_prefix: the folders below it, those of DUTS-TR if not given.
        threshold: a pixel of the mask above it, of 255, is the object's.
        skip_invalid: leave out masks without a pixel instead of raising.
        **kwargs: of MaskTrackDataset and mmtrack's BaseSOTDataset: ``min_area``
            (objects of fewer square pixels are left out),
            ``pipeline``, ``test_mode``, ...

    Raises:
        FileNotFoundError: if a folder or an image is missing, or a mask.
        ValueError: if a file cannot be read, an image and its mask differ in size, a mask
            is empty, or none is left.
    """

    FOR_TESTING = False

    def __init__(
        self,
        data_root: str,
        *,
        data_prefix: dict | None = None,
        threshold: int = 127,
        skip_invalid: bool = False,
        **kwargs: object,
    ) -> None:
        self.threshold = threshold
        self.skip_invalid = skip_invalid
        super().__init__(
            data_root=data_root,
            data_prefix=data_prefix
            or dict(img_path='DUTS-TR-Image', mask_path='DUTS-TR-Mask'),
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the masks: a record per image."""
        folder = Path(self.data_prefix['mask_path'])
        pairs = pair_images(Path(self.data_prefix['img_path']), folder)
        masks = self._read_masks(folder, pairs)
        records = []
        for (image, mask_file), (size, counts) in zip(pairs, masks, strict=True):
            mask = dict(size=size, counts=counts)
            area = coco_mask.area(mask)
            if not area and not self.skip_invalid:
                raise ValueError(
                    f'a pixel above {self.threshold} expected, got none in {mask_file}; '
                    'skip_invalid=True leaves such images out'
                )
            if area >= max(self.min_area, 1):
                records.append(_make_record(image, mask))
        if not records:
            raise self.none_left()
        if len(records) < len(pairs):
            left_out = len(pairs) - len(records)
            print_log(f'{left_out} of {len(pairs)} images left out in {folder}', 'current')
        return records

    def _read_masks(
        self, folder: Path, pairs: list[tuple[Path, Path]]
    ) -> list[tuple[list[int], str]]:
        """Size and counts of the RLE of each image's mask."""
        chunks = [pairs[i : i + CHUNK] for i in range(0, len(pairs), CHUNK)]

        def read() -> dict:
            with ThreadPoolExecutor(os.cpu_count()) as workers:
                found = list(workers.map(self._read_chunk, chunks))
            return dict(masks=[mask for chunk in found for mask in chunk])

        files = [str(path) for pair in pairs for path in pair]
        name = f'{folder}-above-{self.threshold}'
        return read_or_recall(name, files, read)['masks']

    def _read_chunk(self, pairs: list[tuple[Path, Path]]) -> list[tuple[list[int], str]]:
        return [read_mask(*pair, self.threshold) for pair in pairs]


def pair_images(image_folder: Path, mask_folder: Path) -> list[tuple[Path, Path]]:
    """Each image with its mask, by name.

    Raises:
        FileNotFoundError: if a folder is missing or empty, or an image or mask of a pair.
    """
    for folder in (image_folder, mask_folder):
        if not folder.is_dir():
            raise FileNotFoundError(f'no folder {folder}; expected images and their masks')
    image_files, mask_files = find_images(image_folder), find_images(mask_folder)
    if image_folder == mask_folder:
        image_files = [path for path in image_files if path.suffix != '.png']
        mask_files = [path for path in mask_files if path.suffix == '.png']
    images = {path.stem: path for path in image_files}
    masks = {path.stem: path for path in mask_files}
    for name in sorted(images.keys() ^ masks.keys()):
        if name in images:
            raise FileNotFoundError(f'no mask for {images[name]} in {mask_folder}')
        raise FileNotFoundError(f'no image for {masks[name]} in {image_folder}')
    if not images:
        raise FileNotFoundError(f'no image (.jpg or .png) in {image_folder}')
    return [(images[name], masks[name]) for name in sorted(images)]


def read_mask(image: Path, mask_file: Path, threshold: int) -> tuple[list[int], str]:
    """Size (height, width) of an image, and the counts of its mask's RLE.

    Raises:
        ValueError: if a file cannot be read, or sizes differ.
    """
    grey = read_labels(mask_file)
    size = image_size(image)
    if grey.shape != size:
        raise ValueError(f'a mask of size {size} expected, got {grey.shape} in {mask_file}')
    return list(size), encode_mask(grey > threshold)['counts']


def _make_record(image: Path, mask: dict) -> dict:
    return dict(
        name=image.stem,
        frames=[str(image)],
        size=tuple(mask['size']),
        object_ids=[1],
        masks=[[mask]],
        bboxes=coco_mask.toBbox(mask).reshape(1, 1, 4),
        category=None,
    )
