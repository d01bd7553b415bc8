"""Tiny videos, a network of random weights, and its checkpoint."""

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from moving_square import BOXES, SIZE, write_video

from siampolarmask_mm.video.command import main


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / 'walk.mp4')


@pytest.fixture
def first_mask():
    mask = np.zeros(SIZE, np.uint8)
    mask[20:40, 10:30] = 1
    return mask


@pytest.fixture
def trained(tmp_path, model_config):
    """A config file and a checkpoint that fits it."""
    config, checkpoint = tmp_path / 'tiny.py', tmp_path / 'tiny.pth'
    config.write_text(f'model = {model_config!r}\n')
    torch.save(dict(state_dict=MODELS.build(model_config).state_dict()), checkpoint)
    return str(config), str(checkpoint)


@pytest.fixture
def run(trained, video, tmp_path):
    """Calls the command for a video and two boxes."""
    config, checkpoint = trained

    def call(*options, source=video, out='out', boxes=BOXES):
        arguments = [str(source), '--config', config, '--checkpoint', checkpoint]
        arguments += ['--out', str(tmp_path / out), '--quiet', '--device', 'cpu', *boxes]
        return main(['track', *arguments, *options])

    return call
