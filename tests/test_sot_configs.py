"""Configs for mmtrack's own datasets, run on videos of a moving disk in their layouts."""

import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / 'models'))

from true_world import TrueWorld, disk_box

ROOT = Path(__file__).parents[1]
NUM_FRAMES = 5
DISKS = [(30 + 4 * t, 40, 10) for t in range(NUM_FRAMES)]


def boxes_xywh():
    boxes = np.array([disk_box(*disk) for disk in DISKS])
    boxes[:, 2:] -= boxes[:, :2]
    return boxes


def corners():
    x, y, width, height = boxes_xywh().T
    return np.stack([x, y, x + width, y, x + width, y + height, x, y + height], axis=1)


# Of each dataset: folder; list, frames and boxes of a video in it; how frames are named
# and which number is the first.
LAYOUTS = dict(
    otb100=(
        'OTB100',
        'annotations/otb100_infos.txt',
        'data/Walk/img',
        'data/Walk/groundtruth_rect.txt',
        '%04d.jpg',
        1,
    ),
    uav123=(
        'UAV123',
        'annotations/uav123_infos.txt',
        'data_seq/walk',
        'anno/walk.txt',
        '%06d.jpg',
        1,
    ),
    lasot=(
        'LaSOT_full/LaSOTBenchmark',
        '../annotations/lasot_test_infos.txt',
        'walk/walk-1/img',
        'walk/walk-1/groundtruth.txt',
        '%08d.jpg',
        1,
    ),
    got10k=(
        'GOT10k',
        'annotations/got10k_test_infos.txt',
        'test/walk',
        'test/walk/groundtruth.txt',
        '%08d.jpg',
        1,
    ),
    trackingnet=(
        'TrackingNet',
        'annotations/trackingnet_test_infos.txt',
        'TEST/frames/walk',
        'TEST/anno/walk.txt',
        '%d.jpg',
        0,
    ),
    vot2018=(
        'VOT2018',
        'annotations/vot2018_infos.txt',
        'data/walk/color',
        'data/walk/groundtruth.txt',
        '%08d.jpg',
        1,
    ),
)


def write_video(root, name):
    folder, infos, frames, boxes, template, first = LAYOUTS[name]
    for path in (root / folder / frames, (root / folder / boxes).parent):
        path.mkdir(parents=True, exist_ok=True)
    (root / folder / infos).parent.mkdir(parents=True, exist_ok=True)
    line = f'{frames},{boxes},{first},{first + NUM_FRAMES - 1}'
    (root / folder / infos).write_text(f'a comment\n{line}')
    rows = corners() if name == 'vot2018' else boxes_xywh().round()
    if name in ('got10k', 'trackingnet'):
        rows = rows[:1]  # the rest is known to a server alone
    np.savetxt(root / folder / boxes, rows, fmt='%d', delimiter=',')
    if name == 'lasot':
        for flag in ('full_occlusion', 'out_of_view'):
            np.savetxt(
                root / folder / f'walk/walk-1/{flag}.txt',
                np.zeros((1, NUM_FRAMES)),
                fmt='%d',
                delimiter=',',
            )
    for t in range(NUM_FRAMES):
        image = Image.new('RGB', (120, 90), (90, 90, 90))
        image.save(root / folder / frames / (template % (first + t)))


@pytest.fixture
def run(tmp_path, model_config, monkeypatch):
    """Runs a config on a video of its dataset, with a head that is never wrong."""

    def run(name, **options):
        write_video(tmp_path, name)
        path = ROOT / f'configs/sot/siampolarmask_mobilenetv2-matching_test-{name}.py'
        config = Config.fromfile(path)
        kept = ('test_mode', 'lost_and_found')
        own = {key: config.model[key] for key in kept if key in config.model}
        config.model = dict(model_config, **own)
        config.model.decoder = dict(type='PolarDecoder', window_influence=0.1)
        config.model.head.num_rays = 36
        config.work_dir = str(tmp_path / 'work')
        for key in ('test_dataloader', 'val_dataloader'):
            config[key].update(num_workers=0, persistent_workers=False)
            config[key].dataset.data_root = f'{tmp_path}/'
        config.test_evaluator.update(**options)
        runner = Runner.from_cfg(config)
        world = TrueWorld(runner.model, monkeypatch, [DISKS[0]])
        predict = runner.model.predict

        def predict_at(inputs, data_samples):
            world.disks = [DISKS[data_samples[0].frame_id]]
            return predict(inputs, data_samples)

        monkeypatch.setattr(runner.model, 'predict', predict_at)
        return runner.test()

    return run


@pytest.mark.parametrize('name', ['otb100', 'uav123', 'lasot'])
def test_ope_runs(run, name):
    metrics = run(name)
    assert metrics['sot/success'] > 85
    assert metrics['sot/precision'] == 100


@pytest.mark.parametrize('name', ['got10k', 'trackingnet'])
def test_results_for_a_server_are_written(run, name, tmp_path):
    run(name, outfile_prefix=str(tmp_path / 'out'))
    with ZipFile(tmp_path / 'out.zip') as archive:
        file = 'walk/walk_001.txt' if name == 'got10k' else 'walk.txt'
        written = np.loadtxt(archive.open(file), delimiter=',')
    assert np.abs(written - boxes_xywh()).max() < 1.5


def test_vot_runs_where_its_toolkit_is(run, monkeypatch):
    """What vot-toolkit computes is replaced: overlaps, and figures made of them."""
    from mmtrack.evaluation.metrics import sot_metrics
    from mmtrack.models.sot import base

    seen = []
    monkeypatch.setattr(base, 'bbox2region', lambda box: box)
    monkeypatch.setattr(base, 'calculate_region_overlap', lambda *_, **__: 1.0)

    def figures(results, *_, **__):
        seen.extend(results)
        return dict(eao=0.5)

    monkeypatch.setattr(sot_metrics, 'eval_sot_eao', figures)
    monkeypatch.setattr(sot_metrics, 'eval_sot_accuracy_robustness', lambda *_, **__: {})
    assert run('vot2018') == {'sot/eao': 0.5}
    assert seen[0][0].tolist() == [1.0]  # VOT's code of a start
    found = np.array(seen[0][1:])
    found[:, 2:] -= found[:, :2]
    assert np.abs(found - boxes_xywh()[1:]).max() < 1.5
