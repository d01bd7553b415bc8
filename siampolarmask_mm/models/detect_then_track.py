"""DetectThenTrack: a detector of mmdet says what there is, a tracker follows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.apis import inference_detector
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint
from mmengine.structures import InstanceData
from torch import Tensor

from siampolarmask_mm.models.given_objects import GivenObjects
from siampolarmask_mm.registry import MODELS


@MODELS.register_module()
class DetectThenTrack(BaseModel):
    """Detects in the first frame, tracks and segments what was found in all others.

    A frame in which nothing has been found yet is searched by the detector, too; no
    object has to be given. For testing, not for training.

    Args:
        tracker: config of a SiamPolarMask.
        detector: config of mmdet, with ``model`` and ``test_dataloader``, or its file:
            ``mmdet::rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py`` for one that mmdet ships.
        detector_checkpoint: file or address of its weights; random if not given.
        tracker_checkpoint: the same of the tracker.
        min_score: detections below it are left out.
        most: detections that are followed at most, those of the highest scores.
    """

    def __init__(
        self,
        tracker: dict,
        detector: dict | str,
        *,
        detector_checkpoint: str | None = None,
        tracker_checkpoint: str | None = None,
        min_score: float = 0.5,
        most: int = 10,
    ) -> None:
        tracker = MODELS.build(tracker)
        super().__init__(tracker.data_preprocessor)
        if isinstance(detector, str):
            read = get_config if '::' in detector else Config.fromfile
            detector = read(detector)
        with DefaultScope.overwrite_default_scope('mmdet'):
            self.detector = MODELS.build(detector['model'])
        self.detector.cfg = Config(dict(test_dataloader=detector['test_dataloader']))
        self.tracker = tracker
        for module, checkpoint in (
            (self.detector, detector_checkpoint),
            (tracker, tracker_checkpoint),
        ):
            if checkpoint is not None:
                load_checkpoint(module, checkpoint, map_location='cpu')
        self.min_score = min_score
        self.most = most
        self.labels = torch.zeros(0, dtype=torch.long)

    def forward(self, inputs: dict, data_samples: list, mode: str = 'predict') -> Any:
        """Add ``pred_track_instances``, see `SiamPolarMask.predict_ope`, to one sample.

        Objects come in the order of their scores; ``labels`` (N,) are the detector's.

        Args:
            inputs: ``img`` (1, 1, 3, h, w), one frame as read.
            data_samples: one, with ``frame_id``.
            mode: ``predict``.

        Raises:
            ValueError: if ``mode`` is another one.
        """
        if mode != 'predict':
            raise ValueError(
                f"mode 'predict' expected, got {mode!r}; train each part alone"
            )
        frame, (sample,), tracker = inputs['img'][0], data_samples, self.tracker.tracker
        if sample.frame_id == 0:
            tracker.forget(0)
        if tracker.objects:
            tracker.follow(frame)
        else:
            tracker.start(frame, self._detect(frame))
        sample.pred_track_instances = tracker.report(frame)
        sample.pred_track_instances.labels = self.labels
        return data_samples

    def _detect(self, frame: Tensor) -> GivenObjects:
        image = np.ascontiguousarray(frame[0].permute(1, 2, 0).cpu().numpy())
        with DefaultScope.overwrite_default_scope('mmdet'):
            found: InstanceData = inference_detector(self.detector, image).pred_instances
        # A box without extent, as those cut at the frame's edge can be, is of no use.
        has_extent = (found.bboxes[:, 2:] > found.bboxes[:, :2]).all(1)
        found = found[has_extent & (found.scores >= self.min_score)]
        found = found[found.scores.argsort(descending=True)[: self.most]].cpu()
        masks = [None] * len(found)
        if 'masks' in found:
            # A mask without a pixel is of no use; the box then stands for it.
            masks = [mask.numpy() if mask.any() else None for mask in found.masks]
        self.labels = found.labels
        return GivenObjects(list(range(len(found))), found.bboxes, masks, len(found))
