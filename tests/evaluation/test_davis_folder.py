"""What scoring a folder of masks promises."""

import csv
import os
import re
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from siampolarmask_mm.evaluation.davis_folder import score_folder
from siampolarmask_mm.evaluation.davis_scores import average
from siampolarmask_mm.evaluation.vot_export import mask_region, write_trajectories
from siampolarmask_mm.label_images import write_labels

ROOT = Path(__file__).parents[2]
SIZE = (60, 80)


def square(x, label=1):
    labels = np.zeros(SIZE, np.uint8)
    labels[20:30, x : x + 10] = label
    return labels


def write(root, sequence, frames):
    folder = root / sequence
    folder.mkdir(parents=True, exist_ok=True)
    for number, labels in enumerate(frames):
        write_labels(folder / f'{number:05d}.png', labels)


@pytest.fixture
def davis(tmp_path):
    """``walk``, one object of 6 frames; ``two``, objects 1 and 2 of 4 frames."""
    root = tmp_path / 'DAVIS'
    write(root / 'Annotations/480p', 'walk', [square(10, 255)] * 6)
    write(root / 'Annotations/480p', 'two', [square(10) + square(40, 2)] * 4)
    for year, names in (('2016', 'walk'), ('2017', 'walk\ntwo')):
        (root / 'ImageSets' / year).mkdir(parents=True)
        (root / 'ImageSets' / year / 'val.txt').write_text(names + '\n')
    return root


@pytest.fixture
def results(tmp_path):
    """``walk`` off by half, ``two`` with 1 right and 2 lost."""
    root = tmp_path / 'results'
    write(root, 'walk', [square(15)] * 6)
    write(root, 'two', [square(10)] * 4)
    return root


def score(*args, **kwargs):
    return [item for sequence in score_folder(*args, **kwargs) for item in sequence]


def test_2016_is_one_object_whatever_its_label(davis, results):
    (item,) = score(results, davis)
    assert item.name == 'walk_1'
    assert [j for j, _ in item.tracker] == pytest.approx([50 / 150] * 4)  # not first, last
    kwargs = dict(split='ImageSets/2017/val.txt', protocol='2016')
    assert [item.name for item in score(results, davis, **kwargs)] == ['walk_1', 'two_1']


def test_2017_is_each_object_of_the_first_frame(davis, results):
    write(davis / 'Annotations/480p', 'walk', [square(10)] * 6)
    objects = score(results, davis, protocol='2017')
    assert {item.name: item.tracker[0][0] for item in objects} == pytest.approx(
        dict(walk_1=1 / 3, two_1=1, two_2=0)
    )
    assert average(objects)['J-Mean'] == pytest.approx((1 / 3 + 1 + 0) / 3)


@pytest.mark.parametrize('value', [1, 255])
def test_grey_masks_of_0_and_255_count_as_the_only_object(davis, results, value):
    write(davis / 'Annotations/480p', 'walk', [square(10)] * 6)
    for number in range(6):
        Image.fromarray(square(15, value)).save(results / 'walk' / f'{number:05d}.png')
    for protocol in ('2016', '2017'):
        item = score(results, davis, protocol=protocol)[0]
        assert item.tracker[0][0] == pytest.approx(1 / 3)


def test_a_label_that_no_object_has_is_named(davis, results):
    (davis / 'ImageSets/2017/val.txt').write_text('two\n')
    write(results, 'two', [square(10), square(10), square(10, 7), square(10)])
    with pytest.raises(
        ValueError, match=r'labels \[1, 2\] expected, got \[7\] .*two.00002'
    ):
        score(results, davis, protocol='2017')


def test_a_colored_mask_is_named(davis, results):
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(results / 'walk/00002.png')
    with pytest.raises(ValueError, match=r'indexed or grey PNG .* RGB in .*walk/00002'):
        score(results, davis)


def test_a_mask_of_another_size_is_named(davis, results):
    write_labels(results / 'walk/00003.png', np.zeros((30, 40), np.uint8))
    with pytest.raises(ValueError, match=r'size \(60, 80\) .* \(30, 40\) in .*walk/00003'):
        score(results, davis)


def test_first_and_last_frame_need_no_mask_and_others_do(davis, results):
    (results / 'walk/00000.png').unlink()
    (results / 'walk/00005.png').unlink()
    assert len(score(results, davis)) == 1
    (results / 'walk/00002.png').unlink()
    with pytest.raises(
        FileNotFoundError, match=r'4 masks of walk .* 1 are missing, .*00002'
    ):
        score(results, davis)
    (item,) = score(results, davis, missing='empty')
    assert [j for j, _ in item.tracker] == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])


def test_nothing_is_scored_before_all_files_are_found(davis, results):
    write(davis / 'Annotations/480p', 'walk', [square(10)] * 6)
    (results / 'two/00002.png').unlink()
    with pytest.raises(FileNotFoundError, match='masks of two expected'):
        next(score_folder(results, davis, protocol='2017'))


def test_two_processes_give_what_one_gives(davis, results):
    kwargs = dict(split='ImageSets/2017/val.txt', references=['still', 'box', 'star'])
    one, two = (score(results, davis, workers=n, **kwargs) for n in (1, 2))
    assert one == two
    assert set(one[0].references) == {'still', 'box', 'star'}


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(protocol='2018'), "protocol must be one of ('2016', '2017'), got '2018'"),
        (dict(missing='skip'), "missing must be one of ('error', 'empty'), got 'skip'"),
        (dict(references=['best']), "got ['best']"),
    ],
)
def test_unknown_choices_are_refused(davis, results, kwargs, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        score(results, davis, **kwargs)


def test_a_first_frame_without_object_is_named(davis, results):
    write_labels(davis / 'Annotations/480p/walk/00000.png', np.zeros(SIZE, np.uint8))
    with pytest.raises(ValueError, match=r'an object in the first frame .*walk/00000'):
        score(results, davis)


def test_the_tool_prints_and_writes(davis, results, tmp_path, monkeypatch, capsys):
    arguments = [results, davis, '--csv', tmp_path, '--plot', tmp_path / 'J.png']
    monkeypatch.setattr(sys, 'argv', ['evaluate', *map(str, arguments), '--workers', '1'])
    runpy.run_path(str(ROOT / 'tools/evaluate_davis.py'), run_name='__main__')
    assert '0.333' in capsys.readouterr().out
    with (tmp_path / 'per_sequence_results.csv').open() as file:
        (row,) = csv.DictReader(file)
    assert row['Sequence'] == 'walk_1'
    assert row['J-Mean'] == '0.333333'
    assert cv2.imread(str(tmp_path / 'J.png')) is not None


def test_youtube_vos_has_no_folder_480p(davis, results):
    folder = davis / 'Annotations'
    for name in ('walk', 'two'):
        (folder / '480p' / name).rename(folder / name)
    (item,) = score(results, davis)
    assert item.tracker[0][0] == pytest.approx(1 / 3)


def test_a_region_of_vot_is_runs_in_a_box():
    mask = np.zeros((6, 9), bool)
    mask[2, 3:5] = mask[3, 4:7] = True
    # Box x 3..6, y 2..3; rows 1100 and 0111: no pixel outside, 2 in, 3 out, 3 in.
    assert mask_region(mask) == 'm3,2,4,2,0,2,3,3'
    assert mask_region(np.zeros((4, 4), bool)) == 'm0,0,1,1,1'


def test_trajectories_have_a_line_per_frame(davis, results, tmp_path):
    write_trajectories(results, davis, 'ImageSets/2017/val.txt', '2016', tmp_path / 'vot')
    lines = (tmp_path / 'vot/walk/walk_001.txt').read_text().splitlines()
    assert lines == ['1'] + ['m15,20,10,10,0,100'] * 5
    (results / 'walk/00002.png').unlink()
    write_trajectories(results, davis, 'ImageSets/2016/val.txt', '2016', tmp_path / 'vot')
    assert (tmp_path / 'vot/walk/walk_001.txt').read_text().splitlines()[2] == 'm0,0,1,1,1'


def test_unions_reach_more_than_one_star(davis, results):
    horseshoe = np.zeros(SIZE, np.uint8)
    horseshoe[10:50, 10:70] = 1
    horseshoe[10:35, 25:55] = 0
    write(davis / 'Annotations/480p', 'walk', [horseshoe] * 6)
    (item,) = score(results, davis, references=['star', 'union'])
    assert item.references['union'][0][0] > 0.93 > 0.85 > item.references['star'][0][0]


def test_255_beside_other_true_labels_is_nobody(davis, results):
    truth = square(10)
    truth[50:, :] = 255
    write(davis / 'Annotations/480p', 'walk', [truth] * 6)
    objects = score(results, davis, protocol='2017')
    assert [item.name for item in objects] == ['walk_1', 'two_1', 'two_2']
    write(results, 'walk', [square(15) + square(40, 255)] * 6)
    with pytest.raises(ValueError, match=r'labels \[1\] expected, got \[255\] as well'):
        score(results, davis, protocol='2017')


@pytest.mark.parametrize('missing', ['error', 'empty'])
def test_a_folder_that_does_not_exist_is_named(davis, missing):
    with pytest.raises(FileNotFoundError, match=r'no folder .*nowhere'):
        score(davis / 'nowhere', davis, missing=missing)


def test_a_sequence_too_short_to_score_is_named(davis, results):
    write(davis / 'Annotations/480p', 'short', [square(10)])
    (davis / 'ImageSets/2016/val.txt').write_text('short')
    with pytest.raises(ValueError, match=r'between the first and the last .*short'):
        score(results, davis)


def test_several_objects_have_a_trajectory_each(davis, results, tmp_path):
    write_trajectories(results, davis, 'ImageSets/2017/val.txt', '2017', tmp_path / 'vot')
    names = sorted(path.name for path in (tmp_path / 'vot/two').iterdir())
    assert names == ['two_1_001.txt', 'two_2_001.txt']


@pytest.mark.skipif(
    not {'DAVIS', 'SIAMMASK_RESULTS'} <= set(os.environ),
    reason='needs $DAVIS and $SIAMMASK_RESULTS, published masks of ten val sequences',
)
def test_siammasks_published_masks_score_what_they_should():
    folders = Path(os.environ['SIAMMASK_RESULTS']), Path(os.environ['DAVIS'])
    figures = average(score(*folders, workers=2))
    assert figures['J-Mean'] == pytest.approx(0.7252, abs=5e-5)
    assert figures['F-Mean'] == pytest.approx(0.6735, abs=5e-5)
