"""CropPreprocessor: normalized crops for training, raw frames for tracking."""

from __future__ import annotations

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

    def normalize(self, crops: Tensor) -> Tensor:
        """Crops (N, 3, H, W) as read, on any device, to what the backbone takes."""
        crops = crops.to(self.device)
        if self.channel_conversion:
            crops = crops.flip(1)
        if not self._enable_normalize:
            return crops.float()
        count, channels, height, width = crops.shape
        # As rows of pixels, so that the innermost dimension is a long one.
        rows = crops.permute(0, 2, 3, 1).reshape(count * height, width * channels).float()
        mean, std = (part.flatten().repeat(width) for part in (self.mean, self.std))
        rows = (rows - mean) / std
        return rows.view(count, height, width, channels).permute(0, 3, 1, 2)
