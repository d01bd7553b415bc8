"""What datasets of videos with masks share: mmtrack's interface over one kind of record.

A record is a dict that describes one video (or one still image, a video of length 1):
    frames: paths of its T images
    size: (height, width) of all of them
    object_ids: labels of its N objects
    masks: N lists of T masks, each polygons or RLE as in COCO; None where not annotated
    name: of the video, or of the object in it
    bboxes: (N, T, 4) around the masks, (x, y, w, h) with edges between pixels; 0 if empty
"""

from __future__ import annotations

import numpy as np
from mmtrack.datasets.base_sot_dataset import BaseSOTDataset
from pycocotools import mask as coco_mask


class MaskTrackDataset(BaseSOTDataset):
    """A dataset of records, for training on pairs and for testing frame by frame.

    Pipelines of mmtrack run on it unchanged. In training a sample is made of two videos,
    the one that was asked for and a random other for negative pairs, of which the first
    transform takes frames (``SamplePair``, or mmtrack's ``PairSampling``).
    """

    def prepare_train_data(self, video_idx: int) -> dict:
        """Pass the video, and another one, to the pipeline."""
        other = video_idx
        if len(self) > 1:
            other = (video_idx + np.random.randint(1, len(self))) % len(self)
        return self.pipeline([self._track(video_idx), self._track(other)])

    def _track(self, video_idx: int) -> dict:
        return dict(
            **self.get_img_infos_from_video(video_idx),
            **self.get_ann_infos_from_video(video_idx),
        )

    def prepare_test_data(self, video_idx: int, frame_idx: int) -> dict:
        """Pass one frame, with all objects of the record, to the pipeline.

        An instance is ``given`` in the first frame where it is to be seen; there a tracker
        may know it, and in no other.
        """
        if self.test_memo.get('video_idx') != video_idx:
            self.test_memo.video_idx = video_idx
            self.test_memo.record = self.get_data_info(video_idx)
        record = self.test_memo.record
        instances = []
        for number, object_id in enumerate(record['object_ids']):
            mask = record['masks'][number][frame_idx]
            boxes = record['bboxes'][number]
            x, y, width, height = boxes[frame_idx]
            seen = (boxes[: frame_idx + 1, 2:] > 0).all(1)
            instances.append(
                dict(
                    bbox=np.array([x, y, x + width, y + height], dtype=np.float32),
                    bbox_label=0,
                    ignore_flag=0,
                    instance_id=object_id,
                    video_name=record['name'],
                    visible=bool(width * height > 0),
                    given=bool(seen[-1] and not seen[:-1].any()),
                    annotated=mask is not None,
                    mask=empty_mask(record['size']) if mask is None else mask,
                )
            )
        return self.pipeline(
            dict(
                img_path=record['frames'][frame_idx],
                frame_id=frame_idx,
                video_id=video_idx,
                video_length=len(record['frames']),
                instances=instances,
            )
        )

    # What mmtrack asks of a dataset

    def get_len_per_video(self, video_idx: int) -> int:
        """Number of frames."""
        return len(self.get_data_info(video_idx)['frames'])

    def get_bboxes_from_video(self, video_idx: int) -> np.ndarray:
        """(T, 4) boxes (x, y, w, h) of the record's only object."""
        return self.get_data_info(video_idx)['bboxes'][0].copy()

    def get_masks_from_video(self, video_idx: int) -> list:
        """T masks of the record's only object."""
        return self.get_data_info(video_idx)['masks'][0]

    def get_img_infos_from_video(self, video_idx: int) -> dict:
        """Paths and numbers of the frames."""
        frames = self.get_data_info(video_idx)['frames']
        return dict(
            video_id=video_idx,
            frame_ids=np.arange(len(frames)),
            img_paths=frames,
            video_length=len(frames),
        )

    def get_ann_infos_from_video(self, video_idx: int) -> dict:
        """Boxes (x1, y1, x2, y2), masks, and in which frames the object is to be seen."""
        return dict(
            super().get_ann_infos_from_video(video_idx),
            masks=self.get_masks_from_video(video_idx),
        )


def encode_mask(mask: np.ndarray) -> dict:
    """(H, W) bitmap to COCO's compressed RLE, as text."""
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return dict(size=rle['size'], counts=rle['counts'].decode('ascii'))


def empty_mask(size: tuple[int, int]) -> dict:
    """RLE of a mask without a pixel."""
    return encode_mask(np.zeros(size, np.uint8))
