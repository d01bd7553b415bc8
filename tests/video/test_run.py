"""What `siampolarmask track` writes, and how it answers mistakes."""

import configparser
import csv
import json
import runpy
import subprocess
import sys
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from moving_square import BOXES, SIZE, draw_frame, write_video
from pycocotools import mask as coco_mask
from read_results import contents, numbers, overlay

from siampolarmask_mm.apis import load
from siampolarmask_mm.label_images import read_labels, write_labels
from siampolarmask_mm.video.command import main
from siampolarmask_mm.video.overlay import INDEX_SPACE, OverlayWriter, count_frames
from siampolarmask_mm.video.reading import Frame

ROOT = Path(__file__).parents[2]


def test_all_results_tell_the_same(run, trained, video, tmp_path):
    assert run() == 0
    out = tmp_path / 'out'
    tracker = load(*trained, device='cpu')
    frames = cv2.VideoCapture(str(video))
    boxes = [[10, 20, 30, 40], [50, 5, 70, 25]]
    states = [tracker.init(frames.read()[1], box=boxes)]
    states += [tracker.update(frames.read()[1]) for _ in range(5)]
    with (out / 'boxes.csv').open() as file:
        rows = list(csv.DictReader(file))
    entries = json.loads((out / 'masks.json').read_text())
    assert len(overlay(out)) == 6
    assert len(rows) == 12
    for t, state in enumerate(states):
        labels = read_labels(out / f'masks/walk/{t:05d}.png')
        assert np.array_equal(labels, state.label_image)
        for i, label in enumerate((1, 2)):
            row = rows[2 * t + i]
            assert (row['frame'], row['object']) == (str(t), str(label))
            assert float(row['time']) == pytest.approx(t / 25)
            box = [float(row[edge]) for edge in ('x1', 'y1', 'x2', 'y2')]
            np.testing.assert_allclose(box, state.boxes[i], atol=0.006)
            assert float(row['confidence']) == pytest.approx(state.confidences[i], abs=1e-4)
            own = [e for e in entries if (e['image_id'], e['category_id']) == (t, label)]
            assert len(own) == (labels == label).any()
            for entry in own:
                mask = coco_mask.decode(entry['segmentation'])
                assert np.array_equal(mask, labels == label)
                assert entry['bbox'] == coco_mask.toBbox(entry['segmentation']).tolist()


@pytest.mark.parametrize('name', ['overlay', 'masks', 'json', 'csv'])
def test_each_result_can_be_left_out(run, tmp_path, name):
    files = dict(overlay='overlay.mp4', masks='masks', json='masks.json', csv='boxes.csv')
    assert run(f'--no-{name}') == 0
    assert {path.name for path in (tmp_path / 'out').iterdir()} == (
        {*files.values(), 'resume.pth'} - {files[name]}
    )


def test_one_result_at_least_is_asked_for(run, tmp_path, capsys):
    assert run('--no-overlay', '--no-masks', '--no-json', '--no-csv') == 1
    assert 'at least one output of (' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_a_label_image_gives_objects_that_keep_their_labels(run, tmp_path):
    labels = np.zeros(SIZE, np.uint8)
    labels[20:40, 10:30], labels[5:25, 50:70] = 7, 2
    write_labels(tmp_path / 'first.png', labels)
    assert run('--mask', str(tmp_path / 'first.png'), boxes=()) == 0
    first = read_labels(tmp_path / 'out/masks/walk/00000.png')
    assert np.array_equal(first, labels)


def test_masks_of_a_folder_have_the_names_of_its_images(run, tmp_path, capsys):
    (tmp_path / 'clip').mkdir()
    for t in range(3):
        cv2.imwrite(str(tmp_path / f'clip/img{t}.png'), draw_frame(t))
    (tmp_path / 'clip/img1.png').write_bytes(b'broken')
    assert run(source=tmp_path / 'clip') == 0
    masks = sorted((tmp_path / 'out/masks/clip').iterdir())
    assert [path.name for path in masks] == ['img0.png', 'img2.png']
    told = capsys.readouterr().err
    assert 'warning: frame 1 of clip (img1.png) cannot be decoded: left out' in told
    assert 'frames that could not be read and were left out: 1\n' in told


def test_odd_sizes_lose_no_pixel_of_the_overlay(run, tmp_path):
    (tmp_path / 'clip').mkdir()
    for t in range(2):
        cv2.imwrite(str(tmp_path / f'clip/{t}.png'), draw_frame(t, (63, 95)))
    assert run(source=tmp_path / 'clip') == 0
    assert overlay(tmp_path / 'out')[0].shape == (64, 96, 3)
    assert read_labels(tmp_path / 'out/masks/clip/1.png').shape == (63, 95)


def test_the_console_script_is_the_command():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    script = setup['options.entry_points']['console_scripts'].strip()
    name, _, target = script.partition(' = ')
    assert name == 'siampolarmask'
    assert EntryPoint(name, target, 'console_scripts').load() is main


def test_the_demo_is_the_same_command(monkeypatch, capsys):
    arguments = ['demo.py', 'nowhere.mp4', '--config', 'none', '--checkpoint', 'none']
    monkeypatch.setattr(sys, 'argv', arguments)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / 'tools/demo.py'), run_name='__main__')
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        'siampolarmask: error: no video, folder of images or camera at nowhere.mp4\n'
    )


def test_earlier_results_are_neither_mixed_nor_lost(run, tmp_path, capsys):
    assert run() == 0
    before = contents(tmp_path / 'out')
    assert run() == 1
    assert '--resume it, --overwrite it' in capsys.readouterr().err
    assert run('--overwrite', '--point', '200,200') == 1  # a mistake removes nothing
    assert contents(tmp_path / 'out') == before
    short = write_video(tmp_path / 'walk.avi', 2, 'MJPG')
    assert run('--overwrite', source=short) == 0
    assert numbers(tmp_path / 'out')[0] == [0, 1]
    other = write_video(tmp_path / 'other.mp4', 3)
    assert run(source=other) == 1
    assert run('--overwrite', '--no-csv', source=other) == 0
    assert [path.name for path in (tmp_path / 'out/masks').iterdir()] == ['other']
    assert run('--overwrite') == 0
    assert [path.name for path in (tmp_path / 'out/masks').iterdir()] == ['walk']
    assert run('--overwrite', source=other) == 0
    assert [path.name for path in (tmp_path / 'out/masks').iterdir()] == ['other']


def test_files_of_others_are_neither_in_the_way_nor_removed(run, tmp_path):
    mine = tmp_path / 'out/masks/person/mine.png'
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b'mine')
    assert run() == 0
    left = tmp_path / 'out/overlay.part.mp4'
    left.touch()
    assert run('--overwrite', '--no-overlay') == 0
    assert not left.exists()
    assert mine.read_bytes() == b'mine'


def test_masks_do_not_replace_the_images_they_are_of(run, tmp_path, capsys):
    images = tmp_path / 'out/masks/clip'
    images.mkdir(parents=True)
    cv2.imwrite(str(images / '0.png'), draw_frame(0))
    before = contents(tmp_path / 'out')
    assert run('--overwrite', source=images) == 1
    assert 'masks would be written over the images in ' in capsys.readouterr().err
    assert contents(tmp_path / 'out') == before


def test_what_is_damaged_is_not_resumed(run, tmp_path, capsys):
    assert run() == 0
    memory = tmp_path / 'out/resume.pth'
    memory.write_bytes(memory.read_bytes()[:500])
    assert run('--resume', boxes=()) == 1
    assert 'resume.pth is damaged, and the run cannot go on' in capsys.readouterr().err
    torch.save(dict(done=3), memory)
    assert run('--resume', boxes=()) == 1
    assert 'resume.pth is damaged, and the run cannot go on' in capsys.readouterr().err
    memory.unlink()
    assert run('--resume', boxes=()) == 1
    assert 'earlier run: --overwrite it or choose' in capsys.readouterr().err


def test_an_overlay_keeps_its_time_where_frames_are_missing(run, tmp_path):
    (tmp_path / 'clip').mkdir()
    for t in (0, 1, 2, 3, 4):
        cv2.imwrite(str(tmp_path / f'clip/{t}.png'), draw_frame(4 * t))
    (tmp_path / 'clip/2.png').write_bytes(b'broken')
    assert run(source=tmp_path / 'clip') == 0
    shown = overlay(tmp_path / 'out')
    assert len(shown) == 5
    apart = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(shown)]
    assert apart[1] < 0.5 < min(apart[0], apart[2], apart[3])  # the second one stays


@pytest.mark.parametrize(
    ('times', 'count'),
    [
        ((0, 0.04, 0.08), 3),
        ((0, 0.2, 0.24), 7),  # 0 to 6 at 25 a second
        ((0, 0.01, 0.02, 0.03, 0.2), 6),  # none is left out; the last one is due at 5
        ((0, 1e6), 1501),  # a minute at most
        ((0.2, 0.1, 0.3), 6),  # a clock that runs back
    ],
)
def test_an_overlay_plays_as_fast_as_its_frames_came(trained, tmp_path, times, count):
    tracker = load(*trained, device='cpu')
    state = tracker.init(draw_frame(0), box=[10, 20, 30, 40])
    writer = OverlayWriter(tmp_path / 'a.mp4', 25, ('masks',))
    for number, time in enumerate(times):
        writer.write(Frame(number, '', time, draw_frame(number)), state)
    assert writer.num_frames == count
    writer.close()
    assert count_frames(tmp_path / 'a.mp4') == count


def test_a_run_resumes_with_its_own_settings_only(run, tmp_path, capsys):
    assert run('--no-json') == 0
    assert run('--resume', boxes=()) == 1
    assert "outputs ['overlay', 'masks', 'csv'] expected" in capsys.readouterr().err
    assert run('--resume', '--no-json', '--fps', '5', boxes=()) == 1
    assert 'fps None expected, as in the run to resume, got 5.0' in capsys.readouterr().err
    other = write_video(tmp_path / 'other.mp4')
    assert run('--resume', '--no-json', source=other, boxes=()) == 1
    assert 'source ' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run('--resume', '--overwrite')
    assert 'not allowed with' in capsys.readouterr().err


def test_files_are_the_same_from_any_folder(run, trained, video, monkeypatch):
    assert run() == 0
    monkeypatch.chdir(video.parent)
    names = [Path(path).name for path in trained]
    files = ['--config', names[0], '--checkpoint', names[1]]  # the last ones count
    assert run('--resume', *files, source=video.name, boxes=()) == 0


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--box', '200,10,220,30'], 'a box within 96 x 64 pixels expected'),
        (['--box', '10,10'], "4 numbers with commas between expected, got '10,10'"),
        (['--mask', 'none.png'], 'no mask at none.png'),
        (['--labels', '1', '2', '3'], 'got 2 objects and 3 labels'),
        (['--point', 'inf,10'], 'a point within 96 x 64 pixels expected, got inf,10'),
        (['--point', 'nan,10'], 'a point within 96 x 64 pixels expected, got nan,10'),
        (['--fps', '0'], 'fps above 0 expected, got 0'),
        (['--device', 'meta'], 'torch cannot use meta: '),
        (['--device', 'foo'], 'torch cannot use foo: '),
        (['--device', 'cuda:99'], 'torch cannot use cuda:99: '),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(run, tmp_path, capsys, options, message):
    assert run(*options) == 1
    error = capsys.readouterr().err
    assert message in error
    assert 'Traceback' not in error
    assert not (tmp_path / 'out').exists()
    assert run() == 0  # the folder is not in the way of the next try


def test_a_first_frame_that_is_refused_is_one_line(trained, video, tmp_path, capsys):
    arguments = ['track', str(video), '--config', trained[0], '--checkpoint', trained[1]]
    arguments += ['--out', str(tmp_path / 'out'), '--device', 'cpu']
    assert main([*arguments, '--box', '200,10,220,30']) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main([*arguments, *BOXES]) == 0
    assert '6/6 [' in capsys.readouterr().err


def test_where_nobody_can_be_asked_no_folder_is_left(run, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv('DISPLAY', raising=False)
    assert run(boxes=(), out='far/out') == 1
    assert 'there is no display to click on' in capsys.readouterr().err
    assert not (tmp_path / 'far').exists()


def test_a_folder_that_cannot_be_written_is_told_before_tracking(run, tmp_path, capsys):
    (tmp_path / 'file').touch()
    assert run(out='file/out') == 1
    assert 'Not a directory' in capsys.readouterr().err


def test_videos_without_frames_are_told(run, tmp_path, capsys):
    (tmp_path / 'clip').mkdir()
    (tmp_path / 'clip/0.png').write_bytes(b'broken')
    assert run(source=tmp_path / 'clip') == 1
    error = capsys.readouterr().err
    assert 'warning: frame 0 of clip (0.png) cannot be decoded: left out' in error
    assert 'error: a video with frames expected, clip has none' in error


def test_help_loads_nothing_heavy():
    code = (
        'import sys\n'
        'from siampolarmask_mm.video.command import main\n'
        'try:\n    main(["track", "--help"])\n'
        'except SystemExit:\n    pass\n'
        'print([name for name in ("torch", "mmengine", "cv2") if name in sys.modules])'
    )
    printed = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    ).stdout
    assert '--box X1,Y1,X2,Y2' in printed
    assert printed.splitlines()[-1] == '[]'


def test_space_for_the_end_of_an_overlay_is_kept_until_it_is_written(trained, tmp_path):
    tracker = load(*trained, device='cpu')
    state = tracker.init(draw_frame(0), box=[10, 20, 30, 40])
    writer = OverlayWriter(tmp_path / 'a.mp4', 25, ('masks',))
    writer.write(Frame(0, '', 0.0, draw_frame(0)), state)
    reserve = tmp_path / 'a.reserve'
    assert reserve.stat().st_size == INDEX_SPACE
    release, there = writer._video.release, []

    class Video:
        def release(self):
            there.append(reserve.exists())
            release()

    writer._video = Video()
    writer.close()
    assert there == [False]
    assert count_frames(tmp_path / 'a.mp4') == 1
