"""The pages of docs/datasets and the configs of datasets train on folders as downloaded."""

import re
from pathlib import Path

import folders
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / 'docs/datasets').glob('*.md'))
CONFIGS = sorted(
    path
    for path in (ROOT / 'configs/_base_/datasets').glob('*.py')
    if 'test' not in path.stem
)


def python_blocks(page):
    return re.findall(r'```python\n(.*?)```', page.read_text(), re.S)


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """Where a user is: beside the configs and the data."""
    place = tmp_path_factory.mktemp('place')
    folders.write_all(place / 'data')
    (place / 'configs').symlink_to(ROOT / 'configs')
    return place


def draw(config):
    """One batch of a config's training data, made in this process."""
    loader = dict(config.train_dataloader, num_workers=0, persistent_workers=False)
    loader = dict(loader, batch_size=2)
    quota = loader['sampler']['sampler']
    if 'samples_per_epoch' in quota:
        quota['samples_per_epoch'] = 2
    return next(iter(Runner.build_dataloader(loader, seed=0)))


@pytest.mark.parametrize('page', PAGES, ids=[page.stem for page in PAGES])
def test_the_configs_of_a_page_train(page, place, monkeypatch):
    monkeypatch.chdir(place)
    for block in python_blocks(page):
        if '_base_' in block:
            path = place / 'my_config.py'
            path.write_text(block)
            batch = draw(Config.fromfile(path))
            assert batch['inputs']['search_img'][0].shape == (1, 3, 255, 255)
        else:
            exec(compile(block, str(page), 'exec'), {})


@pytest.mark.parametrize('path', CONFIGS, ids=[path.stem for path in CONFIGS])
def test_a_config_of_datasets_trains(path, place, monkeypatch):
    monkeypatch.chdir(place)
    batch = draw(Config.fromfile(path))
    size = 129 if '129' in path.stem else 127
    assert batch['inputs']['img'].shape[1:] == (1, 3, size, size)


def test_every_page_is_in_the_index():
    index = (ROOT / 'docs/datasets/README.md').read_text()
    assert set(re.findall(r'\]\((\w+\.md)\)', index)) | {'README.md'} == {
        page.name for page in PAGES
    }


def test_the_tool_finds_the_layouts_of_the_pages(place):
    from siampolarmask_mm.datasets.data_check import check_data

    titles = {}
    for name in sorted(path.name for path in (place / 'data').iterdir()):
        if name != 'ILSVRC':
            reports = list(check_data(place / 'data' / name))
            assert not any(report.findings for report in reports), name
            titles[name] = sorted({report.title.split(' in ')[0] for report in reports})
    assert titles == {
        'DAVIS': ['labeled videos'],
        'DUTS-TR': ['images with masks'],
        'ECSSD': ['images with masks'],
        'GOT10k': ['boxed videos'],
        'LaSOT_full': ['boxed videos'],
        'MSRA10K_Imgs_GT': ['images with masks'],
        'OVIS': ['YouTube-VIS tracks'],
        'SegTrackv2': ['labeled videos'],
        'TrackingNet': ['boxed videos'],
        'YouTubeVIS': ['YouTube-VIS tracks'],
        'YouTubeVOS': ['labeled videos'],
        'coco': ['COCO instances'],
    }
