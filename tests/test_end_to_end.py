"""What the stock runner does with our configs: train, resume, test, in processes."""

import copy
import csv
import json
import runpy
import subprocess
import sys
from pathlib import Path

import mmtrack
import numpy as np
import pytest
import torch
from mmcv.ops import PrRoIPool
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image
from torch.nn.functional import grid_sample

ROOT = Path(__file__).parents[1]
TINY = next((ROOT / 'configs/siampolarmask').glob('*_tiny_*.py'))


@pytest.fixture
def config(clips, tmp_path, model_config):
    """The demo's config on tiny clips with a tiny model, for 4 iterations."""
    config = Config.fromfile(TINY)
    config.model = copy.deepcopy(model_config)
    config.train_dataloader.dataset.data_root = str(clips)
    config.train_dataloader.dataset.pipeline[2].update(
        template_size=model_config['template_size'], search_size=model_config['search_size']
    )
    config.test_dataloader.dataset.data_root = str(clips)
    config.test_dataloader.num_workers = 0
    config.test_dataloader.persistent_workers = False
    config.train_dataloader.batch_size = 2
    config.train_cfg.max_iters = 4
    config.default_hooks.checkpoint.interval = 2
    config.default_hooks.logger.interval = 1
    config.test_evaluator[0].result_dir = str(tmp_path / 'masks')
    config.work_dir = str(tmp_path / 'work')
    config.log_level = 'WARNING'
    config.experiment_name = tmp_path.name
    return config


def run(config, mode):
    config.experiment_name += f'_{mode}'
    return getattr(Runner.from_cfg(config), mode)()


def test_one_config_trains_resumes_and_tests(config, clips, tmp_path):
    run(config, 'train')
    assert (tmp_path / 'work/iter_4.pth').is_file()

    config.resume = True
    config.train_cfg.max_iters = 5
    config.default_hooks.checkpoint.interval = 1
    config.experiment_name += '_resumed'
    resumed = Runner.from_cfg(config)
    resumed.train()
    assert resumed.iter == 5

    config.resume = False
    config.load_from = str(tmp_path / 'work/iter_5.pth')
    metrics = run(config, 'test')
    assert 0 <= metrics['davis/J&F-Mean'] <= 1
    assert metrics['davis/star/J&F-Mean'] > 0.8
    assert 'sot/success' in metrics  # OPE on the boxes, from the same run
    first = Image.open(tmp_path / 'masks/val000/00000.png')
    truth = Image.open(clips / 'Annotations/480p/val000/00000.png')
    assert np.array_equal(np.array(first), np.array(truth))
    assert len(list((tmp_path / 'masks').rglob('*.png'))) == 2 * 5


def test_one_seed_trains_one_network_whatever_the_workers(config, tmp_path):
    losses = []
    for num_workers, seed in ((0, 7), (2, 7), (0, 8)):
        config.work_dir = str(tmp_path / f'{num_workers}_{seed}')
        config.randomness.seed = seed
        config.train_dataloader.num_workers = num_workers
        config.train_dataloader.persistent_workers = num_workers > 0
        config.default_hooks.logger.interval = 1
        run(config, 'train')
        (log,) = Path(config.work_dir).glob('*/vis_data/scalars.json')
        rows = map(json.loads, log.read_text().splitlines())
        losses.append([{key: row[key] for key in row if 'loss' in key} for row in rows])
    assert len(losses[0]) == 4
    assert losses[1] == losses[0]
    assert losses[2] != losses[0]


def run_tool(monkeypatch, name, *arguments):
    monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
    runpy.run_path(str(ROOT / f'tools/{name}.py'), run_name='__main__')


def test_two_networks_train_side_by_side_and_test_as_always(
    config, tmp_path, monkeypatch, capsys
):
    config.model.backbone.update(frozen_stages=2, norm_eval=True)
    file, out = tmp_path / 'config.py', tmp_path / 'both'
    config.dump(file)
    rows = ['--row', 'few', file, 'model.head.num_rays=8', '--row', 'many', file]
    options = ['--cfg-options', 'train_cfg.max_iters=2']
    run_tool(monkeypatch, 'train_side_by_side', out, *rows, *options)
    weights = torch.load(out / 'few.pth', weights_only=True)['state_dict']
    assert weights['head.rays.weight'].shape[0] == 8
    (log,) = out.glob('*/vis_data/scalars.json')
    assert {'few.loss_rays', 'many.loss_rays'} <= set(
        json.loads(log.read_text().split('\n')[0])
    )

    table = tmp_path / 'errors.csv'
    written = ['--csv', table, '--plot', tmp_path / 'errors.png']
    run_tool(monkeypatch, 'split_errors', file, out / 'many.pth', *written)
    assert written[-1].is_file()
    with table.open() as opened:
        errors = list(csv.DictReader(opened))
    assert [row['video'] for row in errors] == ['val000', 'val001', 'mean']
    parts = [float(errors[-1][name]) for name in ('place', 'shape', 'representation')]
    assert sum(parts) == pytest.approx(1 - float(errors[-1]['tracked']), abs=1e-3)

    with pytest.raises(SystemExit):
        run_tool(monkeypatch, 'train_side_by_side', out, '--row', 'few')
    assert 'a name of its own and a config expected, got few' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run_tool(monkeypatch, 'train_side_by_side', out, '--row', 'few', file, 'foo')
    assert 'settings as key=value expected, got foo' in capsys.readouterr().err


def test_each_object_alone_scores_as_all_at_once(config):
    """Objects do not change each other; the crops of a batch are those of each alone."""
    config.randomness.seed = 3
    together = run(config, 'test')
    config.test_dataloader.dataset.objects = 'each'
    alone = run(config, 'test')
    assert alone['davis/J&F-Mean'] == pytest.approx(together['davis/J&F-Mean'], abs=1e-3)


def test_the_stock_hook_draws_our_samples(config, tmp_path):
    config.default_hooks.visualization.update(draw=True, interval=1)
    config.visualizer.parts = ('masks', 'rays', 'window', 'scores', 'tags')
    run(config, 'test')
    pictures = sorted((tmp_path / 'work').rglob('vis_image/*.png'))
    assert len(pictures) == 10
    with Image.open(pictures[0]) as picture:
        assert picture.size == (2 * 96 + 4, 64)  # truth and prediction side by side


# Other trackers, on our dataset and metrics.


@pytest.mark.slow
def test_stock_siamrpn_is_scored_with_filled_boxes(config):
    """By changing ``model`` alone."""
    path = ROOT / 'configs/siamese_rpn/siamese-rpn_r50_test-davis2016.py'
    config.model = Config.fromfile(path).model
    config.model.backbone.init_cfg = None
    config.test_dataloader.dataset.objects = 'each'
    metrics = run(config, 'test')
    assert 0 <= metrics['davis/J&F-Mean'] <= 1
    assert 'sot/success' in metrics


@pytest.mark.slow
def test_stock_siamrpn_trains_on_our_dataset(config):
    stock = Config.fromfile(ROOT / 'configs/siamese_rpn/siamese-rpn_r50_test-davis2016.py')
    config.model = stock.model
    config.model.backbone.init_cfg = None
    config.train_dataloader.dataset.pipeline = stock.train_pipeline
    config.train_cfg.max_iters = 1
    run(config, 'train')


@pytest.mark.slow
def test_stock_prdimp_builds_and_runs(config, monkeypatch):
    """Without CUDA, samples stand for the one operator that mmcv has for CUDA only."""
    if not torch.cuda.is_available():
        monkeypatch.setattr(PrRoIPool, 'forward', _sample_bins)
    configs = Path(mmtrack.__file__).parent / '.mim/configs/sot/prdimp'
    stock = Config.fromfile(configs / 'prdimp_r50_8xb10-50e_got10k.py')
    config.model = stock.model
    config.model._scope_ = 'mmtrack'
    config.model.backbone.init_cfg = None
    config.test_dataloader.dataset.objects = 'each'
    assert 'sot/success' in run(config, 'test')


def _sample_bins(pool, features, rois):
    """The features at the bins' middles, differentiable in the regions too."""
    x1, y1, x2, y2 = (rois[:, 1:] * pool.spatial_scale).T[..., None, None]
    rows, columns = ((torch.arange(n) + 0.5) / n for n in pool.output_size)
    y, x = torch.broadcast_tensors(
        y1 + (y2 - y1) * rows[:, None], x1 + (x2 - x1) * columns[None, :]
    )
    size = torch.tensor(features.shape[:-3:-1])  # width, height
    grid = torch.stack([x, y], dim=-1) / size * 2 - 1
    return grid_sample(features[rois[:, 0].long()], grid, align_corners=False)


# Two processes.


@pytest.mark.slow
def test_two_processes_give_the_figures_of_one(config, tmp_path):
    """Trained on one video that both see, two processes' mean gradient is that of one."""
    config.env_cfg.dist_cfg.backend = 'gloo'
    config.train_dataloader.dataset.indices = [0]
    config.dump(tmp_path / 'config.py')
    trained = [distributed(tmp_path, 'train', '', processes) for processes in (1, 2)]
    assert trained[0]['step'] == 4
    assert trained[1] == pytest.approx(trained[0], rel=1e-3)
    checkpoint = tmp_path / 'train_2/iter_4.pth'
    tested = [distributed(tmp_path, 'test', checkpoint, processes) for processes in (1, 2)]
    assert tested[0]['davis/star/J&F-Mean'] > 0
    assert tested[1] == tested[0]


def distributed(folder, mode, checkpoint, processes):
    """The figures that the runner's log ends with."""
    work_dir = folder / f'{mode}_{processes}'
    command = [
        *(sys.executable, '-W', 'ignore', '-m', 'torch.distributed.run', '--standalone'),
        *(f'--nproc-per-node={processes}', ROOT / f'tools/{mode}.py', folder / 'config.py'),
        *(['--checkpoint', checkpoint] if checkpoint else []),
        *('--launcher', 'pytorch', '--work-dir', work_dir),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    (scalars,) = work_dir.glob('*/vis_data/scalars.json' if mode == 'train' else '*/*.json')
    # Each process of a test appends its own copy, without a line's end.
    figures, _ = json.JSONDecoder().raw_decode(scalars.read_text().splitlines()[-1])
    return {name: value for name, value in figures.items() if 'time' not in name}
