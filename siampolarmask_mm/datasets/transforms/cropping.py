"""LoadPair and CropPair: read two frames, and cut template and search crop out of them."""

from __future__ import annotations

import mmcv
import mmengine
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.structures.mask import BitmapMasks

from siampolarmask_mm.crops import Crop, crop_around, map_box, mean_color, sample_mask
from siampolarmask_mm.datasets.layers import paint
from siampolarmask_mm.registry import TRANSFORMS


def read_frame(
    path: str, backend: str = 'cv2', size: tuple[int, int] | None = None
) -> np.ndarray:
    """(H, W, 3) uint8 BGR, as the test pipeline's LoadImageFromFile reads it.

    Args:
        path: of the image.
        backend: of mmcv's image decoding.
        size: (height, width) that it must have; any, if not given.

    Raises:
        ValueError: if it is no image, or has another size.
    """
    try:
        image = mmcv.imfrombytes(mmengine.fileio.get(path), backend=backend)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        image = None
    if image is None:
        raise ValueError(f'an image expected, got something else in {path}')
    if size is not None and image.shape[:2] != tuple(size):
        raise ValueError(
            f'an image of {tuple(size)} pixels (height, width) expected, as its masks are, '
            f'got {image.shape[:2]} in {path}'
        )
    return image


@TRANSFORMS.register_module()
class LoadPair(BaseTransform):
    """Read the two frames; one that is both is read once.

    Required: ``img_path``, a list of two, and optionally ``size``, which they must have.
    Added: ``img``, a list of two.

    Args:
        backend: of mmcv's image decoding: ``cv2``, ``pillow``, ``turbojpeg``, ...
    """

    def __init__(self, backend: str = 'cv2') -> None:
        self.backend = backend

    def transform(self, results: dict) -> dict:
        """Read."""
        paths = results['img_path']
        sizes = dict(zip(paths, results.get('size', [None, None]), strict=True))
        images = {
            path: read_frame(path, self.backend, size) for path, size in sizes.items()
        }
        results['img'] = [images[path] for path in paths]
        return results


@TRANSFORMS.register_module()
class CropPair(BaseTransform):
    """Cut the template and the search crop, each by one warp of its full image.

    Context, shift, scale, turn and mirroring are one map. Masks go through it as what they
    are, polygons corner by corner; so do layers (`siampolarmask_mm.datasets.layers`).

    A pair whose object lies mostly outside its image or its crop, or is hidden by layers,
    gives None, for which mmengine's datasets take another sample.

    Required, each a list of two (template, search): ``img`` and ``instances``, one with
    ``bbox``, ``bbox_label`` and, if known, ``mask``; optionally ``layers``.

    Changed: ``img``. Removed: ``instances``, ``layers`` and ``other``, which speak of whole
    images. Added: ``img_shape``, ``gt_bboxes`` (1, 4), ``gt_bboxes_labels`` (1,)
    and, if there are masks, ``gt_masks`` (a BitmapMasks of one). Boxes are those of the
    whole object, in pixels of the crop, also where layers hide it; of a turned crop, those
    around the turned box.

    Args:
        template_size: pixels of the template.
        search_size: pixels of the search crop.
        max_shift: (template, search) most pixels, along each axis, from the object's
            middle to the crop's.
        max_scale: (template, search) most relative change in scale, up or down.
        max_angle: (template, search) most degrees by which the crop is turned.
        flip_prob: share of pairs that are mirrored.
        min_inside: smallest share of the object's box inside its image and its crop.

    Raises:
        ValueError: if an argument is out of range.

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
        max_angle: tuple[float, float] = (0, 0),
        flip_prob: float = 0.5,
        min_inside: float = 0.5,
    ) -> None:
        if not (0 <= flip_prob <= 1 and 0 <= min_inside <= 1):
            raise ValueError(
                'flip_prob and min_inside from 0 to 1 expected, '
                f'got {flip_prob} and {min_inside}'
            )
        for name, values, highest in (
            ('max_shift', max_shift, np.inf),
            ('max_scale', max_scale, 1),
            ('max_angle', max_angle, 180),
        ):
            if np.shape(values) != (2,) or not all(0 <= v <= highest for v in values):
                raise ValueError(
                    f'{name} for template and search crop, each from 0 to {highest}, '
                    f'expected, got {values}'
                )
        if max(max_scale) == 1:
            raise ValueError(f'max_scale below 1 expected, got {max_scale}')
        self.template_size = template_size
        self.sizes = (template_size, search_size)
        self.max_shift = max_shift
        self.max_scale = max_scale
        self.max_angle = max_angle
        self.flip_prob = flip_prob
        self.min_inside = min_inside

    def transform(self, results: dict) -> dict | None:
        """Cut both crops, mirrored or not."""
        mirrored = np.random.random() < self.flip_prob
        template, search = results['img']
        outside = [mean_color(template)]
        outside.append(outside[0] if search is template else mean_color(search))
        images, boxes, masks = [], [], []
        for which, size in enumerate(self.sizes):
            (instance,) = results['instances'][which]
            image = results['img'][which]
            box = np.asarray(instance['bbox'], dtype=float)
            if _share_inside(box, image.shape[:2]) < self.min_inside:
                return None
            crop = self._jitter(box, size, which, mirrored)
            layers = results.get('layers', ([], []))[which]
            mask, box = instance.get('mask'), map_box(box, crop.matrix)
            if mask is not None:
                mask = sample_mask(mask, crop.matrix, (size, size))
            cut, mask = paint(crop.cut(image, outside[which]), mask, layers, crop.matrix)
            if _share_inside(box, (size, size)) < self.min_inside:
                return None
            if mask is not None and not mask.any():
                return None
            images.append(cut)
            boxes.append(box[None].astype(np.float32))
            masks.append(mask)
        return self._pack(results, images, boxes, masks)

    def _pack(
        self,
        results: dict,
        images: list[np.ndarray],
        boxes: list[np.ndarray],
        masks: list[np.ndarray | None],
    ) -> dict:
        results['img'], results['gt_bboxes'] = images, boxes
        results['gt_bboxes_labels'] = [
            np.array([instance['bbox_label']], dtype=np.int64)
            for (instance,) in results['instances']
        ]
        results.pop('gt_masks', None)
        if all(mask is not None for mask in masks):
            results['gt_masks'] = [
                BitmapMasks([mask], size, size)
                for mask, size in zip(masks, self.sizes, strict=True)
            ]
        # With the flags, mmtrack 1.0.0rc1 packs the search mask at the template's size.
        for name in ('instances', 'layers', 'other', 'size', 'gt_ignore_flags'):
            results.pop(name, None)
        results['img_shape'] = [(size, size) for size in self.sizes]
        return results

    def _jitter(self, box: np.ndarray, size: int, which: int, mirrored: bool) -> Crop:
        """The crop around a box, moved, resized and turned by chance."""
        crop = crop_around(torch.from_numpy(box), size, self.template_size)
        max_shift, max_scale = self.max_shift[which], self.max_scale[which]
        scale = crop.scale * (1 + np.random.uniform(-max_scale, max_scale))
        shift = np.random.uniform(-max_shift, max_shift, 2)  # along the crop's axes
        angle = 0.0
        if self.max_angle[which]:
            angle = np.radians(
                np.random.uniform(-self.max_angle[which], self.max_angle[which])
            )
        cosine, sine = np.cos(angle), np.sin(angle)
        x, y = crop.center + shift @ [[cosine, -sine], [sine, cosine]] / scale
        return Crop((float(x), float(y)), scale, size, float(angle), mirrored)


def _share_inside(box_xyxy: np.ndarray, size: tuple[int, int]) -> float:
    """How much of a box (4,) lies inside an image of (height, width) pixels."""
    x1, y1, x2, y2 = box_xyxy.tolist()
    width, height = min(x2, size[1]) - max(x1, 0), min(y2, size[0]) - max(y1, 0)
    return max(width, 0) * max(height, 0) / max((x2 - x1) * (y2 - y1), 1e-9)
