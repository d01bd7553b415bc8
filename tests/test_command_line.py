"""What the arguments of tools/train.py and tools/test.py promise."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from siampolarmask_mm.command_line import read_test_config, read_train_config
from siampolarmask_mm.registry import MODELS

ROOT = Path(__file__).parents[1]
CONFIG = str(next((ROOT / 'configs/siampolarmask').glob('*_tiny_*.py')))


def test_the_work_directory_is_named_after_the_config():
    assert read_train_config([CONFIG]).work_dir == f'work_dirs/{Path(CONFIG).stem}'
    assert read_train_config([CONFIG, '--work-dir', 'x']).work_dir == 'x'


def test_options_change_the_config():
    config = read_train_config(
        [CONFIG, '--cfg-options', 'train_dataloader.batch_size=3', 'model.head.num_rays=72']
    )
    assert config.train_dataloader.batch_size == 3
    assert config.model.head.num_rays == 72


def test_amp_resume_and_launcher_are_mmtracks():
    config = read_train_config([CONFIG, '--amp', '--resume', '--launcher', 'pytorch'])
    assert config.optim_wrapper.type == 'AmpOptimWrapper'
    assert config.optim_wrapper.loss_scale == 'dynamic'
    assert config.resume is True
    assert config.launcher == 'pytorch'
    assert read_train_config([CONFIG]).launcher == 'none'


def test_scaling_the_rate_needs_a_batch_size_to_scale_from():
    with pytest.raises(ValueError, match='auto_scale_lr with base_batch_size expected in'):
        read_train_config([CONFIG, '--auto-scale-lr'])
    scaled = [
        CONFIG,
        '--auto-scale-lr',
        '--cfg-options',
        'auto_scale_lr.base_batch_size=16',
    ]
    assert read_train_config(scaled).auto_scale_lr.enable is True


@pytest.mark.parametrize('flags', [['{}'], ['--checkpoint', '{}']])
def test_a_checkpoint_is_given_as_mim_or_as_mmtrack_gives_it(flags, tmp_path):
    path = tmp_path / 'a.pth'
    path.touch()
    arguments = [flag.format(path) for flag in flags]
    assert read_test_config([CONFIG, *arguments]).load_from == str(path)


def test_a_missing_checkpoint_is_an_error_not_a_random_model():
    with pytest.raises(FileNotFoundError, match=r'no checkpoint at nowhere.pth'):
        read_test_config([CONFIG, 'nowhere.pth'])


def test_an_address_is_left_to_mmengine():
    address = 'https://example.org/a.pth'
    assert read_test_config([CONFIG, address]).load_from == address


def test_a_second_stage_resumes_itself_not_the_first(tmp_path):
    first = ['--cfg-options', 'load_from=first.pth']
    arguments = [CONFIG, '--work-dir', str(tmp_path), '--resume', *first]
    assert read_train_config(arguments).load_from == 'first.pth'  # nothing to resume yet
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_3.pth'))
    assert read_train_config(arguments).load_from is None
    assert read_train_config(arguments[:3] + first).load_from == 'first.pth'


def test_a_test_resumes_where_it_was_interrupted(tmp_path):
    option = f'test_evaluator.0.result_dir={tmp_path}'
    arguments = [CONFIG, '--resume', '--cfg-options', option]
    assert read_test_config(arguments).test_dataloader.dataset.leave_out == []
    done = dict(sequence='val000', object_id=2, tracker=[[0.5, 0.5]])
    (tmp_path / 'scores_0.jsonl').write_text(json.dumps(done) + '\n')
    config = read_test_config(arguments)
    assert config.test_dataloader.dataset.leave_out == ['val000_2']
    assert config.test_evaluator[0].resume is True
    with pytest.raises(ValueError, match='one DAVISMetric with result_dir, got 0'):
        read_test_config([CONFIG, '--resume'])


def test_a_checkpoint_that_lacks_weights_is_not_tested_with_random_ones(
    tmp_path, monkeypatch
):
    weights = MODELS.build(Config.fromfile(CONFIG).model).state_dict()
    bias = weights.pop('head.rays.bias')
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict=weights), path)
    command = ['tools/test.py', CONFIG, str(path), '--work-dir', str(tmp_path / 'test')]
    monkeypatch.setattr(sys, 'argv', command)
    with pytest.raises(ValueError, match=r'does not .*: 1 missing: head\.rays\.bias'):
        runpy.run_path(str(ROOT / 'tools/test.py'), run_name='__main__')
    weights['head.rays.bias'] = bias.new_zeros(len(bias) + 1)
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(ValueError, match=r'1 of another shape: head\.rays\.bias'):
        runpy.run_path(str(ROOT / 'tools/test.py'), run_name='__main__')
