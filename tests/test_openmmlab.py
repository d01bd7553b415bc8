"""What the compatibility patches promise, each by what fails without it.

Imports happen once per interpreter, so most tests start their own.
"""

import importlib
import pickle
import socket
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from siampolarmask_mm import openmmlab

released_mmcv = pytest.mark.skipif(
    'rc' in __import__('mmcv').__version__,
    reason='mmcv is a candidate that mmtrack accepts',
)


def run(code, patched):
    first = 'import siampolarmask_mm\n' if patched else ''
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', first + code],
        capture_output=True,
        text=True,
        check=False,
    )


@released_mmcv
@pytest.mark.parametrize('package', ['mmtrack', 'mmcls'])
def test_released_versions_are_accepted(package):
    code = f'import {package}, mmcv; print(mmcv.__version__)'
    assert 'is used but incompatible' in run(code, patched=False).stderr
    result = run(code, patched=True)
    assert result.stdout.strip() == __import__('mmcv').__version__, result.stderr


def test_versions_are_true_again_even_if_the_import_fails():
    import mmcv
    import mmdet

    before = mmcv.__version__, mmdet.__version__
    patch = openmmlab.accept_released_versions()
    patch.__enter__()
    assert openmmlab._release(mmcv.__version__) < (2, 0, 1)
    error = RuntimeError('the import failed')
    patch.__exit__(RuntimeError, error, None)
    assert (mmcv.__version__, mmdet.__version__) == before


def test_candidates_do_not_pose(monkeypatch):
    import mmcv

    monkeypatch.setattr(mmcv, '__version__', '1.9.9')
    with openmmlab.accept_released_versions():
        assert mmcv.__version__ == '1.9.9'


def test_stark_says_what_it_misses():
    layers = __import__('mmdet.models.layers', fromlist=['layers'])
    if hasattr(layers, 'Transformer'):
        pytest.skip('mmdet has Transformer: STARK builds')
    from mmtrack.models.track_heads.stark_head import StarkTransformer

    assert not hasattr(layers, 'Transformer')
    with pytest.raises(
        ImportError, match=r'STARK needs .*Transformer.* mmdet .* is installed'
    ):
        StarkTransformer()


def test_stark_gets_mmdets_transformer_where_there_is_one(monkeypatch):
    layers = __import__('mmdet.models.layers', fromlist=['layers'])
    monkeypatch.setattr(layers, 'Transformer', 'theirs', raising=False)
    with openmmlab.name_the_missing_transformer():
        assert layers.Transformer == 'theirs'
    assert layers.Transformer == 'theirs'


def test_numpy_without_bool_gets_it(monkeypatch):
    monkeypatch.delattr(np, 'bool')
    assert not hasattr(np, 'bool')
    with openmmlab.restore_numpy_bool():
        pass
    assert np.bool is np.bool_


def test_mmtracks_reader_finds_bool_on_a_numpy_without_it():
    """In a process of its own, in which mmtrack's module is imported first here."""
    code = """
import siampolarmask_mm, numpy, mmtrack, mmdet.datasets
del numpy.bool
import mmtrack.datasets.transforms.loading as loading
assert numpy.bool is numpy.bool_
"""
    run = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_numpys_own_bool_stays(monkeypatch):
    monkeypatch.setattr(np, 'bool', 'theirs')
    with openmmlab.restore_numpy_bool():
        pass
    assert np.bool == 'theirs'


@pytest.fixture
def checkpoint(tmp_path):
    """What mmengine stores beside the weights."""
    history = HistoryBuffer([1.0, 2.5], [1, 1])
    path = tmp_path / 'checkpoint.pth'
    content = dict(
        message_hub=dict(
            log_scalars=dict(loss=history), runtime_info=dict(lr=np.float64(0.1))
        ),
        state_dict=dict(weight=torch.ones(2)),
    )
    torch.save(content, path)
    return path


LOAD = """
import torch, mmengine.runner.checkpoint
loaded = torch.load({path!r}, weights_only=True)
print(loaded['message_hub']['log_scalars']['loss'].mean())
print(loaded['state_dict']['weight'].sum())
"""


@pytest.mark.skipif(
    openmmlab._release(torch.__version__) < (2, 6),
    reason='torch loads all pickles by default',
)
def test_mmengines_checkpoints_load_with_weights_only(checkpoint):
    code = LOAD.format(path=str(checkpoint))
    assert 'WeightsUnpickler error' in run(code, patched=False).stderr
    assert run(code, patched=True).stdout.split() == ['1.75', 'tensor(2.)']


class _Hostile:
    """Names a type that checkpoints may hold, to get at more from there."""

    def __reduce__(self):
        return getattr, (OrderedDict, '__base__')


def test_a_hostile_checkpoint_still_cannot_reach_other_attributes(tmp_path):
    path = tmp_path / 'hostile.pth'
    torch.save([_Hostile()], path)
    import mmengine.runner.checkpoint  # noqa: F401

    with pytest.raises(pickle.UnpicklingError, match="not '__base__' of"):
        torch.load(path, weights_only=True)


@pytest.mark.parametrize(
    ('owner', 'name'),
    [(HistoryBuffer, '__init__'), (HistoryBuffer, 'register_statistics'), (dict, 'min')],
)
def test_only_the_statistics_of_a_history_buffer_may_be_named(owner, name):
    with pytest.raises(pickle.UnpicklingError, match=f'not {name!r} of'):
        openmmlab._method_of_history_buffer(owner, name)
    assert openmmlab._method_of_history_buffer(HistoryBuffer, 'mean') is HistoryBuffer.mean


NO_TRACKEVAL = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name == 'trackeval':
            raise ModuleNotFoundError("No module named 'trackeval'", name=name)
sys.meta_path.insert(0, Absent())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda n, p=None: None if n == 'trackeval' else find(n, p)
import mmtrack.evaluation.metrics.mot_challenge_metrics as metrics
print('trackeval' in sys.modules)
try:
    metrics.trackeval.Evaluator
except ImportError as error:
    print(error)
"""


def test_mmtrack_does_without_trackeval_until_it_is_used():
    without_patch = (
        'import siampolarmask_mm.openmmlab as openmmlab\n'
        'del openmmlab.PATCHES["mmtrack.evaluation.metrics.mot_challenge_metrics"]\n'
    )
    assert "No module named 'trackeval'" in run(without_patch + NO_TRACKEVAL, False).stderr
    result = run(NO_TRACKEVAL, patched=True)
    assert result.stdout.splitlines() == [
        'False',
        'trackeval is not installed: pip install trackeval',
    ], result.stderr


@pytest.mark.parametrize('of_the_toolkit', [{}, dict(UNKNOWN=7, FAILURE=9)])
def test_vots_states_have_the_names_that_mmtrack_uses(
    tmp_path, monkeypatch, of_the_toolkit
):
    names = ''.join(f'    {name} = {code}\n' for name, code in of_the_toolkit.items())
    (tmp_path / 'vot').mkdir()
    (tmp_path / 'vot/__init__.py').touch()
    (tmp_path / 'vot/region.py').write_text(f'class Special:\n    type = 0\n{names}')
    monkeypatch.syspath_prepend(tmp_path)
    for module in ('vot', 'vot.region'):
        monkeypatch.delitem(sys.modules, module, raising=False)
    special = importlib.import_module('vot.region').Special
    expected = dict(UNKNOWN=0, INITIALIZATION=1, FAILURE=2) | of_the_toolkit
    assert {name: getattr(special, name) for name in expected} == expected
    for module in ('vot', 'vot.region'):
        monkeypatch.delitem(sys.modules, module)


DISTRIBUTE = """
import os
os.environ.update(RANK='0', LOCAL_RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1')
os.environ['MASTER_PORT'] = '{port}'
from mmengine.dist import init_dist, get_world_size
init_dist('pytorch', backend='gloo')
print(get_world_size())
"""


@pytest.mark.skipif(
    torch.cuda.is_available(), reason='with CUDA, mmengine starts processes'
)
def test_processes_start_without_cuda():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        code = DISTRIBUTE.format(port=free.getsockname()[1])
    assert 'set_device' in run(code, patched=False).stderr
    result = run(code, patched=True)
    assert result.stdout.strip() == '1', result.stderr


def test_our_configs_have_a_name():
    code = 'import mmengine.config.utils as u; print(u.MODULE2PACKAGE["siampolarmask_mm"])'
    assert 'KeyError' in run(code, patched=False).stderr
    assert run(code, patched=True).stdout.strip() == 'siampolarmask_mm'


def test_installing_twice_is_installing_once():
    before = list(sys.meta_path)
    openmmlab.install()
    assert sys.meta_path == before


def test_modules_that_were_imported_before_are_patched_now():
    code = (
        'import mmengine.config.utils as utils\n'
        'import siampolarmask_mm\n'
        'print(utils.MODULE2PACKAGE["siampolarmask_mm"])'
    )
    assert run(code, patched=False).stdout.strip() == 'siampolarmask_mm'
