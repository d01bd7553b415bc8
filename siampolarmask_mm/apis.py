"""Track objects in video from Python: load, init, update."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config

from siampolarmask_mm.model_zoo import CHECKPOINT, CONFIG
from siampolarmask_mm.video.checkpoint import load_network
from siampolarmask_mm.video.tracking import TrackState, VideoTracker

__all__ = ['TrackState', 'VideoTracker', 'load']


def load(
    config: str | Path | Config | None = None,
    checkpoint: str | Path | None = None,
    *,
    device: str | torch.device | None = None,
    rgb: bool = False,
) -> VideoTracker:
    """A tracker with the weights of a checkpoint, which must fit the config.

    Without both, the trained tracker that comes with the package.

    Args:
        config: its file, the name of one that comes with the package, or itself.
        checkpoint: file or address of weights, as the trainer saves them.
        device: where the network runs; a GPU if there is one, if not given.
        rgb: whether frames will come as red, green, blue; otherwise as OpenCV reads them.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
        TypeError: if the config's model is not a SiamPolarMask.
        ValueError: if the checkpoint does not fit the config; it lists the keys. Or if only
            one of them is given.
    """
    if (config is None) != (checkpoint is None):
        raise ValueError(
            'a config and a checkpoint expected, or neither for the trained tracker that '
            f'comes with the package, got config={config} and checkpoint={checkpoint}'
        )
    if config is None:
        config, checkpoint = CONFIG, CHECKPOINT
    return VideoTracker(load_network(config, checkpoint, device), rgb=rgb)
