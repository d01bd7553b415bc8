"""MaskVisualizer: draws what the tracker predicts, for mmtrack's visualization hook."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from mmengine.dist import master_only
from mmengine.structures import BaseDataElement, InstanceData
from mmengine.visualization import Visualizer

from siampolarmask_mm.registry import VISUALIZERS
from siampolarmask_mm.visualization.objects import draw_objects
from siampolarmask_mm.visualization.overlay import contact_strip


@VISUALIZERS.register_module()
class MaskVisualizer(Visualizer):
    """Draws masks, stars, boxes and where was looked, with all of mmengine's backends.

    Args:
        name: of the instance.
        parts: what to draw, see `draw_objects`.
        **kwargs: of mmengine's Visualizer.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        *,
        parts: Sequence[str] = ('masks',),
        **kwargs: object,
    ) -> None:
        super().__init__(name, **kwargs)
        self.parts = tuple(parts)

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
        """A copy of an RGB image with the instances' parts that are to be drawn."""
        return draw_objects(image, instances, self.parts)
