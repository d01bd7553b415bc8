"""Transforms that turn two videos into a training pair: template and search crop."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.structures.mask import BitmapMasks

from siampolarmask_mm.crops import Crop, crop_around
from siampolarmask_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SamplePair(BaseTransform):
    """Take a template and a search frame out of two videos.

    Only frames in which the object is to be seen are taken. A positive pair is two frames
    of the first video (the same one for a still image), a negative pair a template from
    the first and a search frame from the second.

    Required: a list of two videos, as mmtrack's PairSampling takes it, with ``masks``.

    Added, each a list of two: ``img_path``, ``frame_id``, ``video_id``, ``video_length``,
    ``instances`` (one with ``bbox``, ``mask`` and ``bbox_label``, 1 in a positive pair).

    Args:
        max_gap: most frames between template and search frame.
        negative_prob: share of negative pairs.

    Raises:
        ValueError: if an argument is out of range or a video never shows its object.
    """

    def __init__(self, max_gap: int = 100, negative_prob: float = 0.2) -> None:
        if max_gap < 0 or not 0 <= negative_prob <= 1:
            raise ValueError(
                'max_gap of at least 0 and negative_prob from 0 to 1 expected, '
                f'got {max_gap} and {negative_prob}'
            )
        self.max_gap = max_gap
        self.negative_prob = negative_prob

    def transform(self, results: list[dict]) -> dict:
        """Sample the two frames."""
        video, other = results
        template = np.random.choice(_frames_with_object(video))
        positive = video is other or video['video_id'] == other['video_id']
        positive = positive or np.random.random() >= self.negative_prob
        candidates = _frames_with_object(video if positive else other)
        if positive:
            candidates = candidates[np.abs(candidates - template) <= self.max_gap]
        search = np.random.choice(candidates)
        picked = [(video, template), (video if positive else other, search)]
        return dict(
            img_path=[item['img_paths'][frame] for item, frame in picked],
            frame_id=[int(frame) for _, frame in picked],
            video_id=[item['video_id'] for item, _ in picked],
            video_length=[item['video_length'] for item, _ in picked],
            instances=[[_instance(item, frame, positive)] for item, frame in picked],
        )


def _frames_with_object(video: dict) -> np.ndarray:
    frames = np.flatnonzero(video['visible'] & video['bboxes_isvalid'])
    if len(frames) == 0:
        raise ValueError(
            f'an object to be seen expected, got none in {video["img_paths"][0]}'
        )
    return frames


def _instance(video: dict, frame: int, positive: bool) -> dict:
    return dict(
        bbox=video['bboxes'][frame],
        bbox_label=int(positive),
        ignore_flag=0,
        mask=video['masks'][frame],
    )


@TRANSFORMS.register_module()
class CropPair(BaseTransform):
    """Cut the template and the search crop, each by one warp of its full image.

    Required, each a list of two (template, search): ``img``, ``gt_bboxes`` (1, 4) and
    ``gt_masks`` (a BitmapMasks of one). All are replaced by those of the crops.

    Args:
        template_size: pixels of the template.
        search_size: pixels of the search crop.
        max_shift: (template, search) most pixels, along each axis, from the object's
            middle to the crop's.
        max_scale: (template, search) most relative change in scale, up or down.
        flip_prob: share of pairs that are mirrored.

    Source: the amounts that SiamRPN++ (arXiv:1812.11703, section 3.1) found, against a
    tracker that expects the object in the middle.
    """

    def __init__(
        self,
        template_size: int = 127,
        search_size: int = 255,
        *,
        max_shift: tuple[float, float] = (4, 64),
        max_scale: tuple[float, float] = (0.05, 0.18),
        flip_prob: float = 0.5,
    ) -> None:
        self.template_size = template_size
        self.sizes = (template_size, search_size)
        self.max_shift = max_shift
        self.max_scale = max_scale
        self.flip_prob = flip_prob

    def transform(self, results: dict) -> dict:
        """Cut both crops, mirrored or not."""
        flip = np.random.random() < self.flip_prob
        for which, size in enumerate(self.sizes):
            box = torch.from_numpy(results['gt_bboxes'][which][0])
            crop = self._jitter(
                crop_around(box, size, self.template_size),
                self.max_shift[which],
                self.max_scale[which],
            )
            image = crop.cut(results['img'][which])
            mask = crop.cut_mask(results['gt_masks'][which].masks[0])
            # A box's edges lie half a pixel off the pixel centers, in both frames.
            box = crop.from_image(box.view(2, 2) - 0.5).numpy().reshape(1, 4) + 0.5
            if flip:
                image, mask = image[:, ::-1], mask[:, ::-1]
                box = np.array([size, 0, size, 0]) + box[:, [2, 1, 0, 3]] * [-1, 1, -1, 1]
            results['img'][which] = np.ascontiguousarray(image)
            results['gt_bboxes'][which] = box.astype(np.float32)
            results['gt_masks'][which] = BitmapMasks([mask], size, size)
        # With these flags, mmtrack 1.0.0rc1 packs the search mask at the template's size.
        results.pop('gt_ignore_flags', None)
        results['img_shape'] = [(size, size) for size in self.sizes]
        return results

    @staticmethod
    def _jitter(crop: Crop, max_shift: float, max_scale: float) -> Crop:
        scale = crop.scale * (1 + np.random.uniform(-max_scale, max_scale))
        x, y = crop.center + np.random.uniform(-max_shift, max_shift, 2) / scale
        return Crop((float(x), float(y)), scale, crop.size)
