"""benchmarks/tracker.py times what it says it times."""

import json
import runpy
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS

ROOT = Path(__file__).parents[1]
BENCHMARK = ROOT / 'benchmarks/tracker.py'
TINY = next((ROOT / 'configs/siampolarmask').glob('*_tiny-union_*.py'))


@pytest.fixture
def run(clips, monkeypatch):
    """Runs it on some frames of a clip, as a script or not."""
    threads = torch.get_num_threads(), cv2.getNumThreads()

    def run(*arguments, as_script=True):
        sequence = next((clips / 'JPEGImages/480p').iterdir()).name
        command = [str(BENCHMARK), str(clips), sequence, '--frames', '4']
        monkeypatch.setattr(sys, 'argv', [*command, '--config', str(TINY), *arguments])
        return runpy.run_path(str(BENCHMARK), run_name='__main__' if as_script else 'other')

    yield run
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])


def test_its_last_line_is_json(run, capsys):
    run('--objects', '1', '3')
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(figures['objects_ms']) == {'1', '3'}
    assert figures['frames'] == 3
    assert figures['network_visible_union_ms'] > 0
    assert figures['end_to_end_visible_union_ms'] > 0


def test_overhead_is_that_of_the_network_of_the_same_frame(run):
    summary = run(as_script=False)['summary']
    figures = summary(
        {
            'one_star': [12.0, 22.0, 30.0],
            'network of one_star': [10.0, 20.0, 20.0],
            'visible_union': [40.0, 30.0, 52.0],
            'network of visible_union': [20.0, 20.0, 32.0],
            2: [70.0, 75.0, 90.0],
        },
        [2],
    )
    assert figures['overhead_one_star'] == 2 / 20
    assert figures['overhead_visible_union'] == 20 / 20
    assert figures['end_to_end_ms'] == 22
    assert figures['end_to_end_visible_union_ms'] == 40
    assert figures['objects_ms'] == {2: 75}


def test_unknown_sequences_are_named(run, monkeypatch):
    names = run(as_script=False)
    monkeypatch.setattr(sys, 'argv', [*sys.argv[:2], 'nowhere', *sys.argv[3:]])
    with pytest.raises(SystemExit, match='no sequence nowhere in '):
        names['main']()


def test_all_objects_are_the_same_in_each_frame(run):
    names = run(as_script=False)
    args, config = names['parse_args'](), Config.fromfile(TINY)
    (frames,) = names['read_frames'](config, args).values()
    weights = MODELS.build(config.model).state_dict()
    contestant = names['Contestant'](config.model, weights, 'visible_union', 3, 'cpu')
    with torch.no_grad():
        contestant.start(frames[0])
        for before, frame in pairwise(frames):
            contestant.prepare(frame, before)
            contestant.frame(frame)
            first, *others = contestant.tracker.objects
            for item in others:
                seen = item.look.decoded.confidence
                assert torch.equal(seen, first.look.decoded.confidence)
