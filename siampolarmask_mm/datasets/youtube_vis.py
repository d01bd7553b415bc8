"""YouTubeVISPairDataset: tracks with masks, from the json of YouTube-VIS or OVIS."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.coco_masks import (
    keep_valid,
    mask_problem,
    read_json,
    to_rle,
)
from siampolarmask_mm.datasets.files import check_images
from siampolarmask_mm.datasets.labeled_frames import LabeledFrames, masks_and_boxes
from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset
from siampolarmask_mm.registry import DATASETS


@DATASETS.register_module()
class YouTubeVISPairDataset(MaskTrackDataset):
    """Objects of videos with masks, for training on pairs; an item per object.

    Takes the json of YouTube-VIS (2019, 2021, 2022) and OVIS as it is. Crowds are left out.

    Args:
        ann_file: the json with ``videos`` and ``annotations``.
        skip_invalid: leave out objects with an invalid mask instead of raising.
        check: ``names`` only looks whether the images are there, for a slow disk;
            ``headers`` reads a part of each.
        **kwargs: of MaskTrackDataset and mmtrack's BaseSOTDataset: ``min_area``
            (objects that never cover as many square pixels are left out);
            ``data_root``, the folder that ``ann_file`` and ``data_prefix`` start from;
            ``data_prefix``, the folder that the json's ``file_names`` start from,
            ``dict(img_path='train/JPEGImages')`` for example; ``pipeline``, ...

    Raises:
        FileNotFoundError: if a folder or file is missing.
        ValueError: if an image cannot be read or has another size than the file says, an
            object is invalid (see `find_track_problem`), or none is left.
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
        """Read the file: a record per object."""
        content = read_json(self.ann_file, ('videos', 'annotations'), 'YouTube-VIS')
        videos = {video['id']: video for video in content['videos']}
        annotations = keep_valid(
            content['annotations'],
            partial(find_track_problem, videos=videos),
            self.ann_file,
            skip_invalid=self.skip_invalid,
        )
        records = [self._make_record(annotation, videos) for annotation in annotations]
        records = [record for record in records if self._is_large(record)]
        if not records:
            raise self.none_left()
        sizes = {path: record['size'] for record in records for path in record['frames']}
        check_images(sizes, self.ann_file, self.check)
        return records

    def _make_record(self, annotation: dict, videos: dict[int, dict]) -> dict:
        video = videos[annotation['video_id']]
        size, number = (video['height'], video['width']), annotation['id']
        folder = self.data_prefix['img_path']
        tracks = LabeledFrames(
            frames=[os.path.join(folder, name) for name in video['file_names']],
            size=size,
            # A frame without its mask does not show the object.
            masks=[
                {number: _as_text(to_rle(mask, size))} if mask else {}
                for mask in annotation['segmentations']
            ],
        )
        return dict(
            name=f'{Path(video["file_names"][0]).parent}_{number}',
            frames=tracks.frames,
            size=size,
            category=annotation.get('category_id'),
            **masks_and_boxes([number], tracks),
        )

    def _is_large(self, record: dict) -> bool:
        return max(coco_mask.area(record['masks'][0])) >= self.min_area


def _as_text(rle: dict) -> dict:
    counts = rle['counts']
    text = counts.decode('ascii') if isinstance(counts, bytes) else counts
    return dict(size=rle['size'], counts=text)


def find_track_problem(annotation: dict, videos: dict[int, dict]) -> str:
    """What keeps an object from being trained on; empty if nothing does.

    Args:
        annotation: of YouTube-VIS's format.
        videos: the file's videos by their id.
    """
    missing = {'id', 'video_id', 'segmentations'} - set(annotation)
    if missing:
        return f'{" and ".join(sorted(missing))} expected'
    video = videos.get(annotation['video_id'])
    if video is None:
        return f'a video_id among videos expected, got {annotation["video_id"]}'
    masks, size = annotation['segmentations'], (video['height'], video['width'])
    if len(masks) != len(video['file_names']):
        return f'{len(video["file_names"])} segmentations expected, got {len(masks)}'
    shown = [mask for mask in masks if mask]
    problem = next(filter(None, (mask_problem(mask, size) for mask in shown)), '')
    if not problem and not any(coco_mask.area(to_rle(mask, size)) for mask in shown):
        problem = 'a mask with at least one pixel expected, got none'
    return problem
