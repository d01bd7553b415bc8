"""CropPreprocessor: normalized crops for training, raw frames for tracking."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from mmtrack.models.data_preprocessors import TrackDataPreprocessor
from torch import Tensor

from siampolarmask_mm.registry import MODELS


@MODELS.register_module()
class CropPreprocessor(TrackDataPreprocessor):
    """mmtrack's preprocessor in training; in tracking it leaves frames as they came.

    A tracker looks at a small part of each frame. Frames therefore stay on the CPU with
    the type they were read in; the tracker cuts its crop, just as the training pipeline
    does, and has it normalized.

    Args are those of TrackDataPreprocessor: ``mean`` and ``std`` per channel,
    ``bgr_to_rgb``.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalize and move training crops; stack frames only."""
        if training:
            return super().forward(data, training=True)
        inputs = {
            # One frame is a view, which keeps the layout of pixels that crops are cut from.
            name: frames[0][None] if len(frames) == 1 else torch.stack(tuple(frames))
            for name, frames in data['inputs'].items()
        }
        return dict(inputs=inputs, data_samples=data['data_samples'])

    def normalize(self, crops: np.ndarray) -> Tensor:
        """Make of crops (N, H, W, 3) as read what the backbone takes.

        Returns:
            (N, 3, H, W) float32 on the preprocessor's device.
        """
        count, height, width, channels = crops.shape
        # As rows of pixels, so that the innermost dimension is a long one.
        rows = crops.reshape(count * height, width, channels)
        if self.channel_conversion:
            rows = cv2.cvtColor(rows, cv2.COLOR_BGR2RGB)
        rows = torch.from_numpy(rows).to(self.device).flatten(1).float()
        if self._enable_normalize:
            mean, std = (part.flatten().repeat(width) for part in (self.mean, self.std))
            rows = rows.sub_(mean).div_(std)
        return rows.view(count, height, width, channels).permute(0, 3, 1, 2)
