"""docs/configs.md: its configs load, and say what the page says."""

import re
import shutil
from inspect import signature
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS

from siampolarmask_mm import models

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / 'docs/configs.md').read_text()
BLOCKS = re.findall(r'```python\n(.*?)```', TEXT, re.S)
BESIDE_OURS = [block for block in BLOCKS if "_base_ = './" in block]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('configs') / 'configs'
    shutil.copytree(ROOT / 'configs', folder)
    return folder / 'siampolarmask'


def load(folder, block):
    path = folder / 'my_config.py'
    path.write_text(block)
    config = Config.fromfile(path)
    config.model.backbone.init_cfg = None  # no download
    return config


def test_all_blocks_are_tested():
    assert len(BESIDE_OURS) == 2
    # The third one inherits by the package's name, which needs a normal installation: see
    # tests/test_installed.py.
    assert len(BLOCKS) == 3


def test_objects_may_leave_and_change(folder):
    config = load(folder, BESIDE_OURS[0])
    tracker = MODELS.build(config.model).tracker
    assert tracker.lost_and_found.widest == 4.0
    assert tracker.memory.every == 20
    assert config.train_dataloader.batch_size == 8
    assert dict(config.optim_wrapper.optimizer) == dict(
        type='AdamW', lr=0.0005, weight_decay=0.0001
    )


def test_another_dataset_with_fewer_steps(folder):
    dataset = load(folder, BESIDE_OURS[1]).train_dataloader.dataset
    assert 'ann_file' not in dataset
    steps = [step['type'] for step in dataset.pipeline]
    assert steps[:3] == ['SamplePair', 'LoadPair', 'CropPair']
    assert len(steps) == 6


def test_the_arguments_are_those_of_the_classes():
    """What a row of the table names, the class of that row takes."""
    for key, name in re.findall(r'^\| `model\.(\w+)` \| `(\w+)` \|', TEXT, re.M):
        row = re.search(rf'^\| `model\.{key}` .*$', TEXT, re.M).group()
        named = set(re.findall(r'`(\w+)`', row.split('|')[3]))
        known = {
            argument
            for base in getattr(models, name).__mro__
            for argument in signature(base.__init__).parameters
        }
        assert named <= known | {'representation'}, key
