"""docs/your_video.md: its options and fields exist, its example runs."""

import re
from dataclasses import fields
from pathlib import Path

import cv2
import pytest
from moving_square import draw_frame

from siampolarmask_mm.apis import TrackState, load
from siampolarmask_mm.model_zoo import CHECKPOINT
from siampolarmask_mm.video.checkpoint import CONFIGS
from siampolarmask_mm.video.choices import PARTS
from siampolarmask_mm.video.command import main

TEXT = (Path(__file__).parents[2] / 'docs/your_video.md').read_text()


def test_all_options_are_the_commands(capsys):
    with pytest.raises(SystemExit):
        main(['track', '--help'])
    known = set(re.findall(r'--[a-z-]+', capsys.readouterr().out))
    told = set(re.findall(r'--[a-z][a-z-]*', TEXT))
    assert told <= known
    assert known - told <= {'--help', '--fps', '--quiet'}
    assert all(f'`{part}`' in TEXT for part in PARTS)


def test_all_fields_of_a_state_are_told():
    table = TEXT[TEXT.index('| field |') : TEXT.index('Each tracker follows')]
    told = set(re.findall(r'`(\w+)`', table))
    assert {field.name for field in fields(TrackState)} <= told


def python_blocks():
    return re.findall(r'```python\n(.*?)```', TEXT, re.S)


def test_the_package_s_weights_fit_larger_crops(tmp_path):
    code = python_blocks()[1].replace('siampolarmask_mm::', f'{CONFIGS}/')
    (tmp_path / 'larger.py').write_text(code)
    tracker = load(tmp_path / 'larger.py', CHECKPOINT, device='cpu')
    assert tracker.network.search_size == 449


def test_the_example_runs(trained, first_mask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for t in range(2):
        cv2.imwrite(f'{t:05d}.jpg', draw_frame(t))
    cv2.imwrite('00000.png', first_mask)
    code = python_blocks()[0]
    config, checkpoint = trained
    scope = dict(config=config, checkpoint=checkpoint, paths=['00001.jpg'])
    exec(code, scope)
    assert scope['state'].searches[0] is not None
