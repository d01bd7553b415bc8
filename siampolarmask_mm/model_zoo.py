"""The trained network that comes with the package, and how a checkpoint becomes one.

A published checkpoint holds weights alone: no optimizer, no log, nothing that torch's
``weights_only`` would refuse. In half precision it takes half the room; loaded, weights are
those of the network's own type again.
"""

from __future__ import annotations

from pathlib import Path

import torch

from siampolarmask_mm.video.checkpoint import CONFIGS, read_weights

CONFIG = 'siampolarmask_mobilenetv2-matching-finer_test-davis2016'
CONFIG_FILE = CONFIGS / 'siampolarmask' / f'{CONFIG}.py'
CHECKPOINT = (
    Path(__file__).parent / 'weights' / 'siampolarmask_mobilenetv2-matching-refined.pth'
)


def publish(checkpoint: str | Path, published: str | Path, *, half: bool = False) -> None:
    """Write the weights of a checkpoint alone.

    Args:
        checkpoint: file or address of weights, as mmengine's runner saves them.
        published: file to write.
        half: store numbers in half precision.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it cannot be read, or a weight does not fit into half precision.
    """
    weights = {}
    for name, value in read_weights(checkpoint).items():
        if half and value.is_floating_point():
            if not value.abs().max() <= torch.finfo(torch.float16).max:  # nor NaN
                raise ValueError(f'{name} does not fit into half precision')
            value = value.half()
        weights[name] = value.contiguous()
    torch.save(dict(state_dict=weights), published)
