"""SamplePair: which two frames make a training pair."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from siampolarmask_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SamplePair(BaseTransform):
    """Take a template and a search frame out of two videos.

    Only frames in which enough of the object is to be seen are taken. A positive pair is
    two frames of the first video (the same one for a still image), a negative pair a
    template from the first and a search frame from the second. A video without any such
    frame gives None, for which mmengine's datasets take another sample.

    Required: a list of two videos, as mmtrack's PairSampling takes it; with ``masks``, or
    with boxes alone as from mmtrack's own datasets. The two may be the same video if there
    is no other.

    Added, each a list of two: ``img_path``, ``frame_id``, ``video_id``, ``video_length``,
    ``instances`` (one with ``bbox``, ``bbox_label``, 1 in a positive pair, and ``mask`` if
    there is one) and, if known, ``size``, the (height, width) that the masks are of.
    Besides, in a positive pair, ``other``: an object of the second video, a dict of
    ``img_path``, ``instance`` and, if known, ``size``.

    Args:
        max_gap: most frames between template and search frame.
        negative_prob: share of negative pairs.
        min_size: smallest object taken: the root of its box's area, in pixels.
        min_visible: smallest share of the object to be seen, 0 to 1, where the dataset
            tells it (``visible_ratio``, as GOT-10k does).

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        max_gap: int = 100,
        negative_prob: float = 0.2,
        *,
        min_size: float = 0.0,
        min_visible: float = 0.0,
    ) -> None:
        if max_gap < 0 or not 0 <= negative_prob <= 1:
            raise ValueError(
                'max_gap of at least 0 and negative_prob from 0 to 1 expected, '
                f'got {max_gap} and {negative_prob}'
            )
        if min_size < 0 or not 0 <= min_visible <= 1:
            raise ValueError(
                'min_size of at least 0 and min_visible from 0 to 1 expected, '
                f'got {min_size} and {min_visible}'
            )
        self.max_gap = max_gap
        self.negative_prob = negative_prob
        self.min_size = min_size
        self.min_visible = min_visible

    def transform(self, results: list[dict]) -> dict | None:
        """Sample the two frames."""
        video, other = results
        frames, other_frames = self._usable_frames(video), self._usable_frames(other)
        if len(frames) == 0:
            return None
        template = _pick(frames)
        # In frames of its own video, the template's object may be to be seen as well.
        shared_frames = not set(other['img_paths']).isdisjoint(video['img_paths'])
        has_other = len(other_frames) > 0 and not shared_frames
        positive = not has_other or np.random.random() >= self.negative_prob
        if positive:
            near = frames[np.abs(frames - template) <= self.max_gap]
            picked = [(video, template), (video, _pick(near))]
        else:
            picked = [(video, template), (other, _pick(other_frames))]
        pair = dict(
            img_path=[item['img_paths'][frame] for item, frame in picked],
            frame_id=[frame for _, frame in picked],
            video_id=[item['video_id'] for item, _ in picked],
            video_length=[item['video_length'] for item, _ in picked],
            instances=[[_instance(item, frame, positive)] for item, frame in picked],
        )
        if 'size' in video:
            pair['size'] = [item['size'] for item, _ in picked]
        if positive and has_other:
            frame = _pick(other_frames)
            pair['other'] = dict(
                img_path=other['img_paths'][frame],
                instance=_instance(other, frame, positive=False),
            )
            if 'size' in other:
                pair['other']['size'] = other['size']
        return pair

    def _usable_frames(self, video: dict) -> np.ndarray:
        usable = video['visible'] & video['bboxes_isvalid']
        boxes = video['bboxes']
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        usable = usable & (area >= self.min_size**2)
        if 'visible_ratio' in video:
            usable = usable & (video['visible_ratio'] >= self.min_visible)
        return np.flatnonzero(usable)


def _pick(frames: np.ndarray) -> int:
    return int(frames[np.random.randint(len(frames))])  # choice takes ten times as long


def _instance(video: dict, frame: int, positive: bool) -> dict:
    instance = dict(bbox=video['bboxes'][frame], bbox_label=int(positive), ignore_flag=0)
    if video.get('masks') is not None:
        instance['mask'] = video['masks'][frame]
    return instance
