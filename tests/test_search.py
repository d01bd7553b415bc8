"""What the search for a tracker's settings promises."""

import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmengine.runner import Runner

from siampolarmask_mm.search import Scorer, Setting, read_setting, search

ROOT = Path(__file__).parents[1]
TINY = next((ROOT / 'configs/siampolarmask').glob('*_tiny_*.py'))


@pytest.mark.parametrize(
    ('text', 'setting'),
    [
        ('model.decoder.reach=2:6', Setting('model.decoder.reach', 2, 6)),
        ('a.b=-1:0.5', Setting('a.b', -1, 0.5)),
        ('a.fusion=vote,capped', Setting('a.fusion', choices=('vote', 'capped'))),
        ('a.rate=None,0.3', Setting('a.rate', choices=(None, 0.3))),
        ('a.on=true,false', Setting('a.on', choices=(True, False))),
    ],
)
def test_settings_are_ranges_or_choices(text, setting):
    assert read_setting(text) == setting


@pytest.mark.parametrize('text', ['a', 'a=', 'a=1', '=1:2', 'a=2:1', 'a=1:1', 'a=x:2'])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r'LOWEST:HIGHEST or KEY=A,B,.* expected, got'):
        read_setting(text)


def closeness(settings):
    """Best at place=0.3 with the right kind."""
    return -((settings['place'] - 0.3) ** 2) - (settings['kind'] != 'right')


SETTINGS = [Setting('place', 0, 1), Setting('kind', choices=('wrong', 'right'))]


def test_the_best_settings_are_found_again_with_the_same_seed():
    studies = [search(closeness, SETTINGS, num_trials=40, seed=1) for _ in range(2)]
    assert studies[0].best_params == studies[1].best_params
    assert studies[0].best_params['place'] == pytest.approx(0.3, abs=0.05)
    assert studies[0].best_params['kind'] == 'right'


def test_a_stored_search_goes_on(tmp_path):
    storage, tried = f'sqlite:///{tmp_path}/search.db', []

    def test(settings):
        tried.append(settings)
        return closeness(settings)

    search(test, SETTINGS, num_trials=3, storage=storage)
    study = search(test, SETTINGS, num_trials=5, storage=storage)
    assert len(tried) == len(study.trials) == 5
    assert study.best_value == max(map(closeness, tried))
    search(test, SETTINGS, num_trials=5, storage=storage)
    assert len(tried) == 5
    assert len({item['place'] for item in tried}) == 5
    with pytest.raises(ValueError, match=r'the settings that sqlite.* searches expected'):
        search(test, [Setting('place', 0, 2)], num_trials=6, storage=storage)


@pytest.fixture
def config(clips, tmp_path, model_config):
    config = Config.fromfile(TINY)
    config.model = model_config
    config.test_dataloader.dataset.data_root = str(clips)
    config.test_dataloader.dataset.ann_file = 'ImageSets/2016/val.txt'
    config.test_dataloader.num_workers = 0
    config.test_dataloader.persistent_workers = False
    config.work_dir = str(tmp_path / 'work')
    config.log_level = 'WARNING'
    config.experiment_name = tmp_path.name
    model = MODELS.build(model_config)
    model.init_weights()
    config.load_from = str(tmp_path / 'weights.pth')
    torch.save(dict(state_dict=model.state_dict()), config.load_from)
    return config


def test_settings_change_the_score_and_only_while_they_are_tried(config):
    test = Scorer(config)
    as_it_is = test({})
    assert test({'model.decoder.window_influence': 0.0}) != as_it_is
    assert test({}) == as_it_is
    config.experiment_name += '_stock'
    assert Runner.from_cfg(config).test()['davis/J&F-Mean'] == as_it_is


def test_a_config_without_its_metric_is_refused(config):
    config.test_evaluator = dict(type='mmtrack.SOTMetric', metric='OPE')
    with pytest.raises(ValueError, match='one DAVISMetric expected'):
        Scorer(config)


@pytest.fixture
def run_tool(config, clips, tmp_path, monkeypatch):
    """Runs the tool on a list of the tiny clips."""

    def run_tool(split, *arguments):
        path = tmp_path / 'config.py'
        config.dump(path)
        tool = str(ROOT / 'tools/search_settings.py')
        clips_to_tune_on = ['--data-root', str(clips), '--ann-file', split]
        command = [tool, str(path), config.load_from, *clips_to_tune_on, *arguments]
        monkeypatch.setattr(sys, 'argv', command)
        monkeypatch.chdir(tmp_path)
        runpy.run_path(tool, run_name='__main__')

    return run_tool


def test_the_tool_prints_each_trial_and_what_is_best(run_tool, capsys):
    search_for = ['--search', 'model.decoder.window_influence=0:1']
    run_tool('ImageSets/2016/train.txt', '--trials', '2', *search_for)
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if 'J&F' in line]
    before, *trials = (float(line.split('J&F ')[1][:6]) for line in lines[:3])
    better = max(trials) > before
    assert ('model.decoder.window_influence=' in printed) == better
    assert ('nothing better was found' in printed) != better


@pytest.mark.parametrize('split', ['ImageSets/2016/val.txt', 'ImageSets/2017/val.txt', ''])
def test_the_videos_of_the_test_are_not_tuned_on(run_tool, split):
    with pytest.raises(ValueError, match=r"does not test on expected, got \['val000', '"):
        run_tool(split)


def test_a_checkpoint_must_be_there(run_tool, config):
    config.load_from = 'nowhere.pth'
    with pytest.raises(FileNotFoundError, match=r'no checkpoint at nowhere\.pth'):
        run_tool('ImageSets/2016/train.txt')
