"""What data_check promises of any folder, and tools/data_check.py."""

import subprocess
import sys
from pathlib import Path

import pytest
from findings import cut, write_boxed, write_videos

from siampolarmask_mm.datasets.data_check import check_data

ROOT = Path(__file__).parents[3]


def test_a_folder_of_datasets_is_checked_one_after_another(tmp_path):
    write_videos(tmp_path / 'DAVIS', 'JPEGImages/480p', 'Annotations/480p')
    write_boxed(tmp_path / 'sot/OTB/cat', ['3,4,5,6'] * 3, 'img')
    titles = [report.title.split(' in ')[0] for report in check_data(tmp_path)]
    assert titles == ['boxed videos', 'labeled videos']


def test_another_layout_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'JPEGImages and Annotations .* expected at'):
        list(check_data(tmp_path))
    with pytest.raises(FileNotFoundError, match=r'nothing at .*nowhere'):
        list(check_data(tmp_path / 'nowhere'))


@pytest.mark.slow
def test_the_tool_prints_a_line_each_and_fails_on_errors(davis):
    command = [sys.executable, '-W', 'ignore', ROOT / 'tools/data_check.py', davis]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    summary = f'labeled videos in {davis}: 2 videos, 4 objects, 12 frames, 24 masks, '
    assert run.stdout.splitlines() == [f'{summary}0 errors, 0 warnings'], run.stderr
    assert run.returncode == 0
    path = davis / 'JPEGImages/480p/cat/00000.jpg'
    cut(path)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.splitlines() == [
        f'{path}: error: a whole JPEG expected, but it breaks off',
        f'{summary}1 error, 0 warnings',
    ]
    assert run.returncode == 1
