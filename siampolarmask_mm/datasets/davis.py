"""DAVISDataset: folders of frames and label images, as DAVIS-2016 and -2017 have them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.files import image_size
from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset, empty_mask, encode_mask
from siampolarmask_mm.davis_layout import read_split
from siampolarmask_mm.label_images import read_labels
from siampolarmask_mm.registry import DATASETS

OBJECTS = ('merged', 'each', 'all')


@DATASETS.register_module()
class DAVISDataset(MaskTrackDataset):
    """Videos with masks, for training on pairs and for testing.

    Expects, below ``data_root``::

        JPEGImages/480p/<sequence>/00000.jpg ...
        Annotations/480p/<sequence>/00000.png ...   label images, 0 is background
        ImageSets/<year>/<split>.txt                one sequence a line (see read_split)

    Every frame's header and every label image is read once at the start, so that a broken
    file is found before any work is lost.

    Args:
        ann_file: the split's list, ``ImageSets/2016/train.txt`` for example.
        data_root: the folder above.
        objects: ``merged`` takes all labels as one object (the protocol of DAVIS-2016),
            ``each`` makes an item of every object (one object at a time on DAVIS-2017),
            ``all`` gives all objects of a frame at once (testing only; mmtrack's SOTMetric
            then scores the first of them). ``merged`` for a list of 2016, else ``all`` in
            testing and ``each`` in training, if not given.
        later_objects: in testing, take objects that come after the first frame, too; each
            is given to the tracker where it is first to be seen, as YouTube-VOS has it.
        leave_out: objects by sequence and label, ``dog_1``; an item whose objects are all
            among them is left out (what an interrupted test has done).
        data_prefix: the folders of images and label images below ``data_root``.
        **kwargs: of mmtrack's BaseSOTDataset: ``pipeline``, ``test_mode``, ...

    Raises:
        FileNotFoundError: if a folder or file is missing.
        ValueError: if a file cannot be read, an image and its labels differ in size, a
            sequence has no object or, in testing without ``later_objects``, its first frame
            none.
    """

    def __init__(
        self,
        ann_file: str,
        data_root: str,
        *,
        objects: str | None = None,
        later_objects: bool = False,
        leave_out: Sequence[str] = (),
        data_prefix: dict | None = None,
        **kwargs: object,
    ) -> None:
        if objects is None:
            every = 'all' if kwargs.get('test_mode') else 'each'
            objects = 'merged' if '2016' in ann_file else every
        if objects not in OBJECTS:
            raise ValueError(f'objects must be one of {OBJECTS}, got {objects!r}')
        if objects == 'all' and not kwargs.get('test_mode'):
            raise ValueError("objects='all' is for testing; train with 'each' or 'merged'")
        self.objects = objects
        self.later_objects = later_objects
        self.leave_out = set(leave_out)
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix
            or dict(img_path='JPEGImages/480p', mask_path='Annotations/480p'),
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the split: a record per sequence, or per object."""
        for folder in (self.data_prefix['img_path'], self.data_prefix['mask_path']):
            if not Path(folder).is_dir():
                raise FileNotFoundError(f'no folder {folder}; expected the layout of DAVIS')
        records = []
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            for sequence in read_split(self.ann_file):
                records += self._read_sequence(sequence, workers)
        if not records:
            raise ValueError(
                f'every video of {self.ann_file} is left out as done; '
                'tools/evaluate_davis.py scores the masks that were written'
            )
        return records

    def _read_sequence(self, sequence: str, workers: ThreadPoolExecutor) -> list[dict]:
        frames, label_files = self._list_files(sequence)
        size = image_size(frames[0])
        masks_per_frame = list(
            workers.map(self._read_frame, frames, label_files, repeat(size))
        )
        ids = self._object_ids(sequence, masks_per_frame)
        if self.objects == 'each':
            items = {f'{sequence}_{object_id}': [object_id] for object_id in ids}
        else:
            items = {sequence: ids}
        return [
            dict(
                name=name,
                frames=frames,
                size=size,
                object_ids=item_ids,
                **_masks_and_boxes(item_ids, masks_per_frame, size),
            )
            for name, item_ids in items.items()
            if not {f'{sequence}_{i}' for i in item_ids} <= self.leave_out
        ]

    def _list_files(self, sequence: str) -> tuple[list[str], list[str | None]]:
        """Frames in order, and each one's label image if there is one."""
        image_folder = Path(self.data_prefix['img_path'], sequence)
        label_folder = Path(self.data_prefix['mask_path'], sequence)
        frames = sorted(
            path
            for path in image_folder.glob('*')
            if path.suffix in ('.jpg', '.jpeg', '.png')
        )
        labels = {path.stem: path for path in label_folder.glob('*.png')}
        if not frames:
            raise FileNotFoundError(f'no frame (.jpg or .png) in {image_folder}')
        if not labels:
            raise FileNotFoundError(f'no label image (.png) in {label_folder}')
        without_frame = sorted(set(labels) - {path.stem for path in frames})
        if without_frame:
            raise FileNotFoundError(
                f'{labels[without_frame[0]]} has no frame of that name in {image_folder}'
            )
        found = [labels.get(path.stem) for path in frames]
        return [str(path) for path in frames], [path and str(path) for path in found]

    def _read_frame(
        self, frame: str, label_file: str | None, size: tuple[int, int]
    ) -> dict[int, dict] | None:
        """RLE by object; None if the frame is not annotated."""
        if image_size(frame) != size:
            raise ValueError(
                f'frames of one size {size} expected, got {image_size(frame)} in {frame}'
            )
        if label_file is None:
            return None
        labels = read_labels(label_file)
        if labels.shape != size:
            raise ValueError(
                f'labels of size {size} expected, got {labels.shape} in {label_file}'
            )
        if self.objects == 'merged':
            labels = (labels > 0).astype(np.uint8)
        return {
            int(object_id): encode_mask(labels == object_id)
            for object_id in np.unique(labels)
            if object_id > 0
        }

    def _object_ids(self, sequence: str, masks_per_frame: list[dict | None]) -> list[int]:
        folder = Path(self.data_prefix['mask_path'], sequence)
        if self.test_mode and not self.later_objects:
            ids = sorted(masks_per_frame[0] or {})
            if not ids:
                raise ValueError(
                    f'an object in the first frame expected, got none in {folder}'
                )
            return ids
        ids = sorted({object_id for masks in masks_per_frame for object_id in masks or {}})
        if not ids:
            raise ValueError(f'at least one object expected, got none in {folder}')
        return ids


def _masks_and_boxes(
    object_ids: list[int], masks_per_frame: list[dict | None], size: tuple[int, int]
) -> dict:
    nothing = empty_mask(size)
    masks = [
        [
            None if frame is None else frame.get(object_id, nothing)
            for frame in masks_per_frame
        ]
        for object_id in object_ids
    ]
    bboxes = np.array(
        [
            [(0, 0, 0, 0) if mask is None else coco_mask.toBbox(mask) for mask in track]
            for track in masks
        ]
    )
    return dict(masks=masks, bboxes=bboxes)
