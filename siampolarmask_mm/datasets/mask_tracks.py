"""What datasets of videos with masks share: mmtrack's interface over one kind of record.

A record is a dict that describes one video (or one still image, a video of length 1):
    frames: paths of its T images
    size: (height, width) of all of them
    object_ids: labels of its N objects
    masks: N lists of T masks, each polygons or RLE as in COCO; None where not annotated
    name: of the video, or of the object in it
    bboxes: (N, T, 4) around the masks, (x, y, w, h) with edges between pixels; 0 if empty
    category: of the object, a number or name of the dataset's own; None if not known
"""

from __future__ import annotations

import numpy as np
from mmtrack.datasets.base_sot_dataset import BaseSOTDataset
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.reproducible import NumberedIndex, seeded

PROMPTS = ('mask', 'box')


class MaskTrackDataset(BaseSOTDataset):
    """A dataset of records, for training on pairs and for testing frame by frame.

    Pipelines of mmtrack run on it unchanged. In training a sample is made of two videos,
    the one that was asked for and another for negative pairs, of which the first transform
    takes frames (``SamplePair``, or mmtrack's ``PairSampling``). The other one shows other
    frames: an object beside the first one may be in view of its search crop.

    Args:
        min_area: objects of fewer square pixels are left out; what covers them, and in
            which frames, is each dataset's to say.
        same_category_prob: share of samples whose other object has the first one's
            category, where there is such an object: what is hardest to tell apart.
        prompt: in testing, what a tracker is told of an object in its first frame: its
            ``mask``, or its ``box`` alone, as SiamMask is.
        *args: of mmtrack's BaseSOTDataset.
        **kwargs: likewise: ``pipeline``, ``test_mode``, ...

    Raises:
        ValueError: if ``same_category_prob`` is not from 0 to 1, ``prompt`` is neither, a
            dataset that is for training alone is to be tested on, or, of a sample, if the
            pipeline takes none.
    """

    TRIES = 10  # to find frames that are other ones
    DRAWS_FROM_NUMBERS = True
    FOR_TESTING = True  # as well as for training

    def __init__(
        self,
        *args: object,
        min_area: float = 0,
        same_category_prob: float = 0.5,
        prompt: str = 'mask',
        **kwargs: object,
    ) -> None:
        if kwargs.get('test_mode') and not self.FOR_TESTING:
            raise ValueError(f'{type(self).__name__} is for training, got test_mode=True')
        if not 0 <= same_category_prob <= 1:
            raise ValueError(
                f'same_category_prob from 0 to 1 expected, got {same_category_prob}'
            )
        if prompt not in PROMPTS:
            raise ValueError(f'prompt must be one of {PROMPTS}, got {prompt!r}')
        self.min_area = min_area
        self.prompt = prompt
        self.same_category_prob = same_category_prob
        self._of_category: dict[object, np.ndarray] = {}
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        """Read everything, and sort the records of a training set by category."""
        if self._fully_initialized:
            return
        serialize, self.serialize_data = self.serialize_data, False
        super().full_init()
        if not self.test_mode and self.same_category_prob > 0:
            self._of_category = _by_category(self.data_list)
        self.serialize_data = serialize
        if serialize:  # one block of memory, which worker processes share
            self.data_bytes, self.data_address = self._serialize_data()

    def __getitem__(self, idx: int | tuple[int, int]) -> dict:
        """A sample; one that NumberedSampler has numbered is drawn from its number."""
        if isinstance(idx, NumberedIndex):
            with seeded(idx.key):
                return self[int(idx)]
        if self.test_mode:
            return super().__getitem__(idx)
        self.full_init()
        for _ in range(self.max_refetch + 1):
            sample = self.prepare_train_data(idx)
            if sample is not None:
                return sample
            idx = self._rand_another()
        raise ValueError(
            f'a training pair expected, got none in {self.max_refetch + 1} tries from '
            f'{self.source}: the pipeline rejects its objects (SamplePair those that are '
            'small or not to be seen, CropPair those mostly outside of image or crop)'
        )

    @property
    def source(self) -> str:
        """Where the records are from, for errors."""
        return self.ann_file or self.data_prefix.get('mask_path') or type(self).__name__

    def none_left(self) -> ValueError:
        """The error of a dataset whose objects are all below ``min_area``."""
        return ValueError(
            f'objects of at least {self.min_area} square pixels expected, '
            f'got none in {self.source}'
        )

    def prepare_train_data(self, video_idx: int) -> dict | None:
        """Pass the video, and another one, to the pipeline."""
        record = self.get_data_info(video_idx)
        other, other_idx = record, video_idx
        candidates = self._of_category.get(record.get('category'), ())
        if len(candidates) < 2 or np.random.random() >= self.same_category_prob:
            candidates = range(len(self))
        for _ in range(self.TRIES):
            index = int(candidates[np.random.randint(len(candidates))])
            tried = self.get_data_info(index)
            if tried['frames'][0] != record['frames'][0]:
                other, other_idx = tried, index
                break
        return self.pipeline(
            [self._track(record, video_idx), self._track(other, other_idx)]
        )

    def _track(self, record: dict, video_idx: int) -> dict:
        """A training record as mmtrack's transforms take a video."""
        bboxes = record['bboxes'][0].copy()
        valid = (bboxes[:, 2:] > self.bbox_min_size).all(1)
        bboxes[:, 2:] += bboxes[:, :2]
        return dict(
            **_frames(record, video_idx),
            bboxes=bboxes,
            bboxes_isvalid=valid,
            visible=valid,
            masks=record['masks'][0],
            size=record['size'],
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
                    prompt=self.prompt,
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
        return _frames(self.get_data_info(video_idx), video_idx)

    def get_ann_infos_from_video(self, video_idx: int) -> dict:
        """Boxes (x1, y1, x2, y2), masks, and in which frames the object is to be seen."""
        return self._track(self.get_data_info(video_idx), video_idx)


def _by_category(records: list[dict]) -> dict[object, np.ndarray]:
    """Indices of the records of each category; those without one are left out."""
    members: dict[object, list[int]] = {}
    for index, record in enumerate(records):
        if record.get('category') is not None:
            members.setdefault(record['category'], []).append(index)
    return {category: np.array(indices) for category, indices in members.items()}


def _frames(record: dict, video_idx: int) -> dict:
    frames = record['frames']
    return dict(
        video_id=video_idx,
        frame_ids=np.arange(len(frames)),
        img_paths=frames,
        video_length=len(frames),
    )


def encode_mask(mask: np.ndarray) -> dict:
    """(H, W) bitmap to COCO's compressed RLE, as text."""
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return dict(size=rle['size'], counts=rle['counts'].decode('ascii'))


def empty_mask(size: tuple[int, int]) -> dict:
    """RLE of a mask without a pixel."""
    return encode_mask(np.zeros(size, np.uint8))
