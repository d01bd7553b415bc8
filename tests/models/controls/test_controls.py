"""What all controls promise: they train, track and report as the stars do."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import MODELS
from mmengine.runner import Runner

ROOT = Path(__file__).parents[3]
TINY = next((ROOT / 'configs/siampolarmask').glob('*_tiny_*.py'))
BCE = dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True)
CONTROLS = dict(
    box=(dict(type='BoxHead'), 'BoxDecoder', dict(type='mmdet.IoULoss')),
    mask=(dict(type='MaskVectorHead', cells=15), 'MaskVectorDecoder', BCE),
    pixels=(dict(type='PixelHead'), 'PixelDecoder', BCE),
)


@pytest.fixture(params=CONTROLS)
def control(request):
    return request.param


@pytest.fixture
def control_config(control, model_config):
    head, decoder, loss = CONTROLS[control]
    model_config['head'].update(head, matching=dict(type='MaskMatching'))
    model_config['assigner']['representation'] = 'visible_union'
    model_config['decoder'] = dict(type=decoder)
    del model_config['losses']['rays']
    model_config['losses'][control] = loss
    return model_config


def test_gradients_reach_all_parameters(control, control_config, training_pairs):
    model = MODELS.build(control_config)
    model.init_weights()
    pairs = pseudo_collate([training_pairs[0], training_pairs[1]])
    batch = model.data_preprocessor(pairs, True)
    losses = model(**batch, mode='loss')
    assert set(losses) == {'loss_score', 'loss_centerness', f'loss_{control}'}
    sum(losses.values()).backward()
    for name, parameter in model.head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.fixture
def run_config(control_config, clips, tmp_path):
    """The demo's config on tiny clips with a tiny control."""
    config = Config.fromfile(TINY)
    config.model = control_config
    config.train_dataloader.dataset.data_root = str(clips)
    config.train_dataloader.dataset.pipeline[2].update(template_size=33, search_size=65)
    config.train_dataloader.batch_size = 2
    config.train_dataloader.dataset.pipeline[0].negative_prob = 0.0
    config.train_cfg.max_iters = 30
    config.param_scheduler = []
    config.optim_wrapper.optimizer.lr = 0.005
    config.default_hooks.checkpoint.interval = 30
    config.default_hooks.logger.interval = 5
    config.test_dataloader.dataset.data_root = str(clips)
    config.test_dataloader.num_workers = 0
    config.test_dataloader.persistent_workers = False
    config.test_evaluator[0].result_dir = str(tmp_path / 'masks')
    config.work_dir = str(tmp_path / 'work')
    config.log_level = 'WARNING'
    config.experiment_name = tmp_path.name
    return config


def test_the_stock_runner_trains_and_tests_it(control, run_config, tmp_path):
    """30 steps, of which the log has means."""
    Runner.from_cfg(run_config).train()
    (log,) = (tmp_path / 'work').glob('*/vis_data/scalars.json')
    losses = [json.loads(line)[f'loss_{control}'] for line in log.read_text().splitlines()]
    assert losses[-1] < 0.8 * losses[0]

    run_config.experiment_name += '_test'
    run_config.load_from = str(tmp_path / 'work/iter_30.pth')
    metrics = Runner.from_cfg(run_config).test()
    assert 0 <= metrics['davis/J&F-Mean'] <= 1
    assert 'sot/success' in metrics


def test_several_objects_are_tracked_as_each_alone(control_config):
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(
        90, 110, (3, 1, 3, 80, 100), dtype=torch.uint8, generator=generator
    )
    boxes = [[40.0, 30.0, 60.0, 50.0], [10.0, 10.0, 30.0, 26.0]]
    model = MODELS.build(control_config).eval()
    model.init_weights()
    together = track(model, frames, boxes)
    assert together.masks.shape == (2, 80, 100)
    assert not (together.masks[0] & together.masks[1]).any()
    assert together.rays.shape == (2, 12)
    assert together.rays.isfinite().all()
    for i, box in enumerate(boxes):
        alone = track(model, frames, [box])
        torch.testing.assert_close(together.bboxes[i], alone.bboxes[0])
        torch.testing.assert_close(together.rays[i], alone.rays[0])


def track(model, frames, boxes):
    from siampolarmask_mm.models.given_objects import GivenObjects

    masks = [np.zeros((80, 100), np.uint8) for _ in boxes]
    for mask, (x1, y1, x2, y2) in zip(masks, np.array(boxes, int), strict=True):
        mask[y1:y2, x1:x2] = 1
    model.tracker.forget(len(boxes))
    given = GivenObjects([*range(len(boxes))], torch.tensor(boxes), masks, len(boxes))
    model.tracker.start(frames[0], given)
    for frame in frames[1:]:
        model.tracker.follow(frame)
    return model.tracker.report(frames[-1])


def test_other_losses_than_the_head_s_are_refused(control, control_config):
    losses = control_config['losses']
    losses['rays'] = losses.pop(control)
    with pytest.raises(ValueError, match=f"'{control}'.* expected, got .*'rays'"):
        MODELS.build(control_config)
