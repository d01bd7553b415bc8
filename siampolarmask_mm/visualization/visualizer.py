"""MaskVisualizer: draws what the tracker predicts, for mmtrack's visualization hook."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.structures import BaseDataElement, InstanceData
from mmengine.visualization import Visualizer

from siampolarmask_mm.polar import star_points
from siampolarmask_mm.registry import VISUALIZERS
from siampolarmask_mm.visualization.overlay import contact_strip, draw_mask, draw_star


@VISUALIZERS.register_module()
class MaskVisualizer(Visualizer):
    """Draws masks, the rays of their stars, and boxes where there are no masks.

    With all of mmengine's backends.

    Args:
        name: of the instance.
        draw_rays: whether to draw the rays of predictions that have them.
        **kwargs: of mmengine's Visualizer.
    """

    def __init__(
        self, name: str = 'visualizer', *, draw_rays: bool = False, **kwargs: object
    ) -> None:
        super().__init__(name, **kwargs)
        self.draw_rays = draw_rays

    @master_only
    def add_datasample(  # noqa: PLR0913
        self,
        name: str,
        image: np.ndarray,
        data_sample: BaseDataElement | None = None,
        *,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        pred_score_thr: float = 0.3,  # noqa: ARG002 a lost object's mask is shown too
        step: int = 0,
    ) -> None:
        """Draw ground truth and prediction side by side and pass them to the backends.

        Args:
            name: of the image in the backends.
            image: (H, W, 3) RGB.
            data_sample: with ``gt_instances`` or ``pred_track_instances``.
            draw_gt: whether to draw ``gt_instances``.
            draw_pred: whether to draw ``pred_track_instances``.
            show: show in a window instead.
            wait_time: seconds that the window stays.
            out_file: a file to write as well.
            pred_score_thr: not used.
            step: number of the image in the backends.
        """
        fields = [('gt_instances', draw_gt), ('pred_track_instances', draw_pred)]
        drawn = [
            self.draw_instances(image, data_sample.get(field))
            for field, wanted in fields
            if wanted and data_sample is not None and field in data_sample
        ]
        strip = contact_strip(drawn or [image])
        self.set_image(strip)
        if show:
            self.show(strip, win_name=name, wait_time=wait_time)
        else:
            self.add_image(name, strip, step)
        if out_file is not None:
            cv2.imwrite(out_file, strip[..., ::-1])

    def draw_instances(self, image: np.ndarray, instances: InstanceData) -> np.ndarray:
        """A copy of an RGB image with the instances' masks, stars and boxes."""
        if 'masks' in instances:
            for label, mask in enumerate(_as_arrays(instances.masks), start=1):
                image = draw_mask(image, mask, label)
        elif 'bboxes' in instances:
            image = image.copy()
            for x1, y1, x2, y2 in instances.bboxes.round().int().tolist():
                cv2.rectangle(image, (x1, y1), (x2, y2), (255, 255, 255), 2)
        if self.draw_rays and 'rays' in instances:
            tips = star_points(instances.centers, instances.rays).cpu().numpy()
            centers = instances.centers.cpu().numpy()
            for label, (center, star_tips) in enumerate(zip(centers, tips, strict=True), 1):
                image = draw_star(image, center, star_tips, label)
        return image


def _as_arrays(masks: object) -> np.ndarray:
    """(N, H, W) boolean, of a tensor or mmdet's BitmapMasks."""
    array = masks.cpu().numpy() if torch.is_tensor(masks) else masks.to_ndarray()
    return array.astype(bool)
