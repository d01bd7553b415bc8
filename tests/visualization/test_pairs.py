"""What `siampolarmask_mm.visualization.pairs` and tools/browse_dataset.py promise."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample
from PIL import Image

from siampolarmask_mm.datasets.browse import draw_samples
from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import PolarTargetAssigner
from siampolarmask_mm.visualization.pairs import (
    IGNORED,
    NEGATIVE,
    POSITIVE,
    contact_sheet,
    draw_pair,
)

ROOT = Path(__file__).parents[2]
POINTS = location_points((7, 7), 8, 65, torch.zeros(1))


def instances(mask, label=1):
    rows, columns = np.nonzero(mask)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    masks = BitmapMasks(mask[None], *mask.shape)
    return InstanceData(
        bboxes=torch.tensor([box]).float(), masks=masks, labels=torch.tensor([label])
    )


@pytest.fixture
def sample():
    template, search = np.zeros((33, 33), np.uint8), np.zeros((65, 65), np.uint8)
    template[10:20, 10:20] = search[20:45, 28:53] = 1
    sample = TrackDataSample()
    sample.gt_instances = instances(template)
    sample.search_gt_instances = instances(search)
    return sample


GREY = [np.full((size, size, 3), 90, np.uint8) for size in (33, 65)]


def assign(mask, outlined=True):
    mask = torch.from_numpy(mask).bool()
    return PolarTargetAssigner(12).assign(mask, POINTS, torch.tensor([outlined]))


def test_template_search_crop_and_class_map_stand_side_by_side(sample):
    mask = sample.search_gt_instances.masks.masks
    targets = assign(mask)
    drawn = draw_pair(GREY, sample, targets, POINTS)
    assert drawn.shape == (65, 3 * 65 + 2 * 4, 3)
    template, search, classes = drawn[:, :65], drawn[:, 69:134], drawn[:, 138:]
    assert (template[0] == 0).all()  # the smaller template lies in the middle of black
    assert (template[17, 17] == 90).all()
    assert (search[2, 2] == 90).all()
    for (x, y), positive in zip(
        POINTS.flatten(0, 1).int().tolist(), targets.positive.flatten(), strict=True
    ):
        if positive:
            assert np.abs(search[y, x].astype(int) - POSITIVE).max() < 130
        color = classes[1 + 9 * ((y - 8) // 8) + 4, 1 + 9 * ((x - 8) // 8) + 4]
        assert tuple(color) == (POSITIVE if positive else NEGATIVE)


def test_what_counts_for_nothing_is_grey(sample):
    del sample.search_gt_instances.masks
    mask = np.zeros((1, 65, 65), np.uint8)
    mask[0, 4:60, 4:60] = 1
    classes = draw_pair(GREY, sample, assign(mask, outlined=False), POINTS)[:, 138:]
    assert tuple(classes[32, 32]) == POSITIVE
    assert tuple(classes[5, 5]) == IGNORED


def test_a_sheet_has_rows_of_equal_length():
    pictures = [np.full((10, 20, 3), value, np.uint8) for value in (1, 2, 3)]
    sheet = contact_sheet(pictures, columns=2, gap=4)
    assert sheet.shape == (24, 44, 3)
    assert sheet[5, 30, 0] == 2
    assert sheet[20, 5, 0] == 3
    assert sheet[20, 30, 0] == 255


@pytest.fixture
def config(clips, model_config):
    path = next((ROOT / 'configs/siampolarmask').glob('*_tiny_*.py'))
    config = Config.fromfile(path)
    config.model = model_config
    config.train_dataloader.dataset.data_root = str(clips)
    config.train_dataloader.dataset.pipeline[2].update(template_size=33, search_size=65)
    return config


def test_one_seed_draws_one_set_of_samples(config):
    one, again, other = (list(draw_samples(config, 3, seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_plain_samplers_are_drawn_as_reproducibly(config):
    config.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=False)
    one, again = (list(draw_samples(config, 2)) for _ in range(2))
    assert np.array_equal(one, again)


@pytest.mark.slow
def test_the_tool_writes_a_sheet(config, tmp_path):
    config.dump(tmp_path / 'config.py')
    command = [sys.executable, 'tools/browse_dataset.py', tmp_path / 'config.py']
    command += ['--out', tmp_path / 'sheets/pairs.png', '--number', '4', '--columns', '2']
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '4 pairs in' in printed.stdout
    with Image.open(tmp_path / 'sheets/pairs.png') as sheet:
        assert sheet.size == (2 * 203 + 8, 2 * 65 + 8)
