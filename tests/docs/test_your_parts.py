"""docs/your_parts.md: each file on the page does what the page says."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.model import BaseModel
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / 'docs/your_parts.md').read_text()
FILES = dict(re.findall(r'```python\n# (\w+\.py)\n(.*?)```', TEXT, re.S))
pytestmark = pytest.mark.usefixtures('page')


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The folder of all files on the page, beside our configs."""
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix('.py'), None)


@pytest.fixture
def in_scope():
    """Build things as a runner with a config would."""

    def scope(config):
        return DefaultScope.overwrite_default_scope(config.default_scope)

    return scope


def test_each_block_names_its_file_and_is_tested():
    assert len(FILES) == TEXT.count('```python')
    tests = Path(__file__).read_text()
    for name, content in FILES.items():
        if 'custom_imports' in content:
            assert f"'{name}'" in tests
        else:
            module = name.removesuffix('.py')
            assert any(f"'{module}'])" in other for other in FILES.values())


@MODELS.register_module()
class TrueBoxes(BaseModel):
    """A tracker of boxes that knows them, in place of SiamRPN++, which takes seconds."""

    def forward(self, inputs, data_samples, mode):  # noqa: ARG002
        for sample in data_samples:
            boxes = sample.gt_instances.bboxes
            sample.pred_track_instances = InstanceData(bboxes=boxes)
        return data_samples


def test_mmtracks_tracker_is_scored_by_its_boxes(page, clips):
    config = Config.fromfile('siamese_rpn_on_masks.py')
    assert config.default_scope == 'mmtrack'
    assert config.model.type == 'SiamRPN'
    config.test_dataloader.update(num_workers=0)
    config.test_dataloader.dataset.update(
        data_root=str(clips), ann_file='ImageSets/2017/val.txt', objects='merged'
    )
    config.model = dict(type='TrueBoxes')
    config.work_dir = 'run'
    figures = Runner.from_cfg(config).test()
    assert 0.3 < figures['davis/J&F-Mean'] == figures['davis/box/J&F-Mean'] < 1
    assert list(page.glob('masks/*/00000.png'))


def pairs(template_size, search_size):
    """Two training pairs of noise with a square object."""
    samples = []
    for _ in range(2):
        sample = TrackDataSample()
        for field, size in (
            ('gt_instances', template_size),
            ('search_gt_instances', search_size),
        ):
            mask = np.zeros((1, size, size), np.uint8)
            middle = size // 2
            mask[:, middle - 20 : middle + 20, middle - 20 : middle + 20] = 1
            instances = InstanceData(
                masks=BitmapMasks(mask, size, size), labels=torch.tensor([1])
            )
            setattr(sample, field, instances)
        samples.append(sample)
    inputs = dict(
        img=torch.rand(2, 1, 3, template_size, template_size),
        search_img=torch.rand(2, 1, 3, search_size, search_size),
    )
    return inputs, samples


def test_our_tracker_learns_in_mmtracks_scope(in_scope):
    config = Config.fromfile('polar_in_mmtracks_scope.py')
    assert config.default_scope == 'mmtrack'
    config.model.update(template_size=63, search_size=127)
    with in_scope(config):
        model = MODELS.build(config.model)
    losses = model.loss(*pairs(63, 127))
    assert set(losses) == {'loss_score', 'loss_centerness', 'loss_rays'}
    assert all(loss.isfinite() and loss > 0 for loss in losses.values())


def test_our_head_works_in_another_model(in_scope):
    config = Config.fromfile('best_star.py')
    with in_scope(config):
        model = MODELS.build(config.model).eval()
    model.head.init_weights()
    torch.nn.init.zeros_(model.head.rays.weight)
    with torch.no_grad():
        mask, box = model(torch.rand(1, 3, 63, 63), torch.rand(1, 3, 127, 127))
    assert mask.shape == (127, 127)
    # Rays of 3 strides, as an untrained head has them: a circle of radius 24.
    assert mask.sum().item() == pytest.approx(np.pi * 24**2, rel=0.02)
    assert (box[2:] - box[:2]).tolist() == pytest.approx([48, 48], abs=0.01)


def test_a_loss_of_ones_own(in_scope):
    config = Config.fromfile('tiny_with_my_loss.py')
    with in_scope(config):
        model = MODELS.build(config.model)
    assert type(model.shape_loss).__module__ == 'log_ratio_loss'
    losses = model.loss(*pairs(65, 129))
    assert losses['loss_rays'] > 0
    rays, target = torch.full((2, 4), 2.0), torch.full((2, 4), 1.0)
    weight = torch.tensor([1.0, 0.0])
    assert model.shape_loss(rays, target, weight).item() == pytest.approx(2 * np.log(2))


def test_a_metric_of_ones_own(in_scope):
    config = Config.fromfile('tiny_with_my_metric.py')
    with in_scope(config):
        evaluator = Evaluator([config.test_evaluator[1]])
    masks = torch.zeros(2, 4, 5, dtype=torch.bool)
    masks[0, :2] = True  # 10 of 40 pixels of both masks
    sample = TrackDataSample()
    sample.pred_track_instances = InstanceData(
        masks=masks, lost=torch.tensor([False, True])
    )
    evaluator.process([sample])
    assert evaluator.evaluate(1) == {'area/covered': 0.25, 'area/lost': 0.5}
    assert [metric.type for metric in config.test_evaluator] == [
        'DAVISMetric',
        'AreaMetric',
    ]
