"""What a run leaves that is stopped, killed or out of space, and how it goes on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from moving_square import BOXES
from read_results import contents, numbers, overlay

from siampolarmask_mm.video import writing
from siampolarmask_mm.video.run import StopOnSignal
from siampolarmask_mm.video.tracking import VideoTracker
from siampolarmask_mm.video.writing import BoxWriter, GrowingFile, MaskWriter

ROOT = Path(__file__).parents[2]


def stop_at(monkeypatch, number, how):
    """Before the frame of that number is tracked."""
    update = VideoTracker.update
    calls = []

    def stopping(self, frame):
        calls.append(None)
        if len(calls) == number:
            how()
        return update(self, frame)

    monkeypatch.setattr(VideoTracker, 'update', stopping)


def fail():
    raise OSError('the network is gone')


@pytest.mark.parametrize(
    ('how', 'status', 'done'),
    [
        (lambda: os.kill(os.getpid(), signal.SIGINT), 130, 4),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), 130, 4),
        (fail, 1, 3),
    ],
)
def test_a_stopped_run_leaves_whole_files_and_resumes_to_the_same(
    run, tmp_path, monkeypatch, how, status, done
):
    assert run(out='whole') == 0
    with monkeypatch.context() as patch:
        stop_at(patch, 3, how)
        assert run() == status
    frames = list(range(done))
    rows = [number for number in frames for _ in range(2)]
    masks, table, entries, shown = numbers(tmp_path / 'out')
    assert (masks, table, shown) == (frames, rows, done)
    assert set(entries) <= set(frames)
    assert run('--resume', boxes=()) == 0
    whole, resumed = contents(tmp_path / 'whole'), contents(tmp_path / 'out')
    assert list(whole) == list(resumed)
    for path, content in whole.items():
        if path.suffix != '.mp4':
            assert resumed[path] == content, path
    pairs = zip(overlay(tmp_path / 'whole'), overlay(tmp_path / 'out'), strict=True)
    for frame, other in pairs:  # of the redrawn ones, what was rounded may differ
        assert np.abs(frame.astype(int) - other).mean() < 1


@pytest.mark.parametrize(
    ('options', 'way'),
    [
        ((), '; --resume goes on'),
        (('--no-masks', '--no-overlay'), '; --resume goes on'),
        (('--no-masks',), '; to resume an overlay, masks and csv would be needed'),
    ],
)
def test_a_stopped_run_tells_whether_it_can_go_on(run, monkeypatch, capsys, options, way):
    with monkeypatch.context() as patch:
        stop_at(patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        assert run(*options) == 130
    assert f'stopped before the end{way}\n' in capsys.readouterr().err
    goes_on = way.endswith('goes on')
    assert run('--resume', *options, boxes=()) == (0 if goes_on else 1)


@pytest.fixture
def _ctrl_c_raises():
    """Also where the tests run in a shell's background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('_ctrl_c_raises')
def test_a_second_signal_is_not_held_back():
    with StopOnSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wanted
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_killed_run_leaves_valid_files_and_resumes(run, trained, video, tmp_path):
    """SIGKILL in the middle: nothing can be closed."""
    arguments = ['track', str(video), '--config', trained[0], '--checkpoint', trained[1]]
    arguments += ['--out', str(tmp_path / 'out'), '--quiet', '--device', 'cpu', *BOXES]
    code = (
        'import os, signal\n'
        'from siampolarmask_mm.video.command import main\n'
        'from siampolarmask_mm.video.tracking import VideoTracker\n'
        'update, calls = VideoTracker.update, []\n'
        'def stopping(self, frame):\n'
        '    calls.append(None)\n'
        '    if len(calls) == 4:\n'
        '        os.kill(os.getpid(), signal.SIGKILL)\n'
        '    return update(self, frame)\n'
        'VideoTracker.update = stopping\n'
        f'main({arguments})'
    )
    command = [sys.executable, '-W', 'ignore', '-c', code]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    masks, rows, entries, shown = numbers(tmp_path / 'out')
    assert masks == [0, 1, 2, 3]
    assert rows == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(entries) <= {0, 1, 2, 3}
    assert shown == 0  # an mp4 that was not closed; resuming draws it anew
    assert run('--resume', boxes=()) == 0
    assert numbers(tmp_path / 'out')[3] == 6
    assert run(out='whole') == 0
    whole, resumed = contents(tmp_path / 'whole'), contents(tmp_path / 'out')
    for name in ('masks.json', 'boxes.csv'):
        assert resumed[Path(name)] == whole[Path(name)]


def test_a_disk_that_gets_full_ends_the_run_with_whole_files(
    run, tmp_path, monkeypatch, capsys
):
    real, calls = writing.shutil.disk_usage, []

    def usage(path):
        calls.append(None)
        free = 10**9 if len(calls) <= 4 else 10**6
        return real(path)._replace(free=free)

    monkeypatch.setattr(writing.shutil, 'disk_usage', usage)
    assert run() == 1
    assert '32 MB of free space expected, 0 MB are left' in capsys.readouterr().err
    masks, rows, _, shown = numbers(tmp_path / 'out')  # the first call is before all
    assert (masks, rows, shown) == ([0, 1, 2], [0, 0, 1, 1, 2, 2], 3)
    monkeypatch.undo()
    assert run('--resume', boxes=()) == 0
    assert numbers(tmp_path / 'out')[0] == [0, 1, 2, 3, 4, 5]


def test_a_piece_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / 'list.json'
    file = GrowingFile(path, '\n]\n')
    file.add('[\n1')

    class Full:
        def __init__(self, inner):
            self.inner, self.left = inner, 2

        def write(self, content):
            if self.left == 0 and len(content) > 3:
                raise OSError(28, 'No space left on device')
            part = content[: max(self.left, 3 if len(content) <= 3 else 0)]
            self.left = 0
            return self.inner.write(part)

        def __getattr__(self, name):
            return getattr(self.inner, name)

    monkeypatch.setattr(file, '_file', Full(file._file))
    with pytest.raises(OSError, match='No space left'):
        file.add(',\n2345678')
    file.close()
    assert json.loads(path.read_text()) == [1]


def test_a_mask_that_cannot_be_finished_is_removed(tmp_path, monkeypatch):
    def half(path, _):
        path.write_bytes(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(writing, 'write_labels', half)

    class State:
        label_image = None

    class Frame:
        name, number = '', 3

    writer = MaskWriter(tmp_path / 'masks', 5)
    with pytest.raises(OSError, match='No space left'):
        writer.write(Frame, State)
    assert list((tmp_path / 'masks').iterdir()) == []


def test_a_table_goes_on_after_what_is_kept(tmp_path):
    writer = BoxWriter(tmp_path / 'a.csv')
    header = writer.file.length
    writer.file.add('1,2\n')
    writer.close()
    BoxWriter(tmp_path / 'a.csv', keep=header).close()
    assert (tmp_path / 'a.csv').stat().st_size == header
    with pytest.raises(ValueError, match='is not as the earlier run left it'):
        BoxWriter(tmp_path / 'a.csv', keep=header + 1)
