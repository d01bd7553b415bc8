"""Tiny videos, a network of random weights, and its checkpoint."""

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from moving_square import SIZE, write_video


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
