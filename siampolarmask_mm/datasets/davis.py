"""DAVISDataset: folders of frames and label images, as DAVIS-2016 and -2017 have them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mmengine.logging import print_log
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.labeled_frames import (
    LabeledFrames,
    masks_and_boxes,
    merge_labels,
    read_labeled_frames,
)
from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset
from siampolarmask_mm.davis_layout import read_split
from siampolarmask_mm.registry import DATASETS

MANY = 100  # videos; reading them takes long enough to say so
OBJECTS = ('merged', 'each', 'all')


@DATASETS.register_module()
class DAVISDataset(MaskTrackDataset):
    """Videos with masks, for training on pairs and for testing.

    Expects, below ``data_root``::

        JPEGImages/480p/<sequence>/00000.jpg ...
        Annotations/480p/<sequence>/00000.png ...   label images, 0 is background
        ImageSets/<year>/<split>.txt                one sequence a line (see read_split)

    Every frame's header and every label image is read once at the start, so that a broken
    file is found before any work is lost; later starts recall what was read of files that
    have not changed (see `read_cache`).

    Args:
        ann_file: the split's list, ``ImageSets/2016/train.txt`` for example; every folder
            of label images, if not given.
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
        **kwargs: of MaskTrackDataset and mmtrack's BaseSOTDataset: ``min_area``
            (in training, objects that never cover as many square pixels are left out),
            ``pipeline``, ``test_mode``, ...

    Raises:
        FileNotFoundError: if a folder or file is missing.
        ValueError: if a file cannot be read, an image and its labels differ in size, a
            sequence has no object or, in testing without ``later_objects``, its first frame
            none.
    """

    def __init__(
        self,
        ann_file: str | None = None,
        data_root: str = '',
        *,
        objects: str | None = None,
        later_objects: bool = False,
        leave_out: Sequence[str] = (),
        data_prefix: dict | None = None,
        **kwargs: object,
    ) -> None:
        ann_file = ann_file or ''
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
        sequences = self.list_sequences()
        if len(sequences) > MANY:
            print_log(f'reading the labels of {len(sequences)} videos', 'current')
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            records = [
                record
                for found in workers.map(self._read_sequence, sequences)
                for record in found
            ]
        if not records:
            raise self.none_left()
        return records

    def list_sequences(self) -> list[str]:
        """Names of the videos: those of the list, or all that have a folder of labels."""
        if self.ann_file:
            return read_split(self.ann_file)
        folder = Path(self.data_prefix['mask_path'])
        sequences = sorted(path.name for path in folder.iterdir() if path.is_dir())
        if not sequences:
            raise FileNotFoundError(
                f'a folder of labels for each video expected in {folder}'
            )
        return sequences

    def find_category(self, sequence: str, object_id: int) -> str | None:
        """What kind of object it is; DAVIS does not say."""

    def none_left(self) -> ValueError:
        """The error of a dataset without a record."""
        if self.leave_out:
            return ValueError(
                f'every video of {self.source} is left out as done; '
                'tools/evaluate_davis.py scores the masks that were written'
            )
        return super().none_left()

    def _read_sequence(self, sequence: str) -> list[dict]:
        video = read_labeled_frames(
            Path(self.data_prefix['img_path'], sequence),
            Path(self.data_prefix['mask_path'], sequence),
        )
        if self.objects == 'merged':
            video = video._replace(masks=[merge_labels(masks) for masks in video.masks])
        ids = self._object_ids(sequence, video)
        items = {sequence: ids}
        if self.objects == 'each':
            items = {f'{sequence}_{object_id}': [object_id] for object_id in ids}
        return [
            dict(
                name=name,
                frames=video.frames,
                size=video.size,
                category=self._category(sequence, item_ids),
                **masks_and_boxes(item_ids, video),
            )
            for name, item_ids in items.items()
            if not {f'{sequence}_{i}' for i in item_ids} <= self.leave_out
        ]

    def _object_ids(self, sequence: str, video: LabeledFrames) -> list[int]:
        folder = Path(self.data_prefix['mask_path'], sequence)
        if self.test_mode and not self.later_objects:
            ids = sorted(video.masks[0] or {})
            if not ids:
                raise ValueError(
                    f'an object in the first frame expected, got none in {folder}'
                )
            return ids
        areas = {}
        for masks in filter(None, video.masks):
            for object_id, mask in masks.items():
                areas[object_id] = max(areas.get(object_id, 0), coco_mask.area(mask))
        if not areas:
            raise ValueError(f'at least one object expected, got none in {folder}')
        return sorted(i for i, area in areas.items() if area >= self.min_area)

    def _category(self, sequence: str, object_ids: list[int]) -> str | None:
        if len(object_ids) > 1 or self.objects == 'merged':
            return None
        return self.find_category(sequence, object_ids[0])
