"""What a report finds in a test's work directory."""

import copy
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from moved_squares import SHIFTS, square, write_masks, write_split

from siampolarmask_mm.evaluation.davis_scores import average
from siampolarmask_mm.report.page import Look, draw_sections
from siampolarmask_mm.report.scored_run import read_run, score_masks

ROOT = Path(__file__).parents[2]
TINY = next((ROOT / 'configs/siampolarmask').glob('*_tiny_1xb8-1500i_*.py'))


@pytest.mark.parametrize('objects', ['merged', 'each', 'all'])
def test_a_real_test_run_is_read_back(clips, tmp_path, model_config, objects):
    config = Config.fromfile(TINY)
    config.model = copy.deepcopy(model_config)
    config.test_dataloader.update(num_workers=0, persistent_workers=False)
    config.test_dataloader.dataset.update(data_root=str(clips), objects=objects)
    config.test_evaluator[0].result_dir = str(tmp_path / 'masks')
    config.work_dir = str(tmp_path / 'work')
    config.log_level = 'WARNING'
    config.experiment_name = tmp_path.name
    metrics = Runner.from_cfg(config).test()

    run = read_run(tmp_path / 'work')
    found = average(run.objects)
    assert found == pytest.approx({name: metrics[f'davis/{name}'] for name in found})
    assert run.ope == pytest.approx({name: metrics[f'sot/{name}'] for name in run.ope})
    assert list(run.ope) == ['success', 'norm_precision', 'precision']
    assert run.facts['config'] == str(tmp_path / 'work' / TINY.name)
    assert run.facts['checkpoint'] == 'none: random weights'
    assert run.notes == []
    sections = list(draw_sections(run, Look(picture_width=48, num_frames=0)))
    assert len(sections) == len(run.videos()) == 2  # masks of every object are found


@pytest.fixture
def work_dir(davis, masks, tmp_path):
    """As a test run leaves it: a config, scores beside the masks, and a log."""
    scored = score_masks(masks, davis, references=['still'])
    lines = (json.dumps(asdict(item)) + '\n' for item in scored.objects)
    (masks / 'scores_0.jsonl').write_text(''.join(lines))
    work_dir = tmp_path / 'work'
    write_config(work_dir / 'my_test.py', davis, masks)
    write_log(work_dir / '20260102_030405', average(scored.objects)['J&F-Mean'], 41)
    return work_dir


def write_config(path, davis, masks, metric=None, **dataset):
    path.parent.mkdir(exist_ok=True)
    dataset = dict(
        type='DAVISDataset', data_root=str(davis), ann_file='ImageSets/2016/val.txt'
    ) | dict(dataset)
    metric = metric or dict(type='DAVISMetric', result_dir=str(masks))
    path.write_text(
        f'test_dataloader = dict(dataset={dataset!r})\n'
        f"test_evaluator = [{metric!r}, dict(type='mmtrack.SOTMetric')]\n"
        "load_from = 'weights.pth'\n"
    )


def write_log(folder, mean, success):
    folder.mkdir()
    text = json.dumps({'davis/J&F-Mean': mean, 'sot/success': success})
    (folder / f'{folder.name}.json').write_text(text * 2)  # as two processes do


def test_scores_and_folders_are_those_of_the_run(work_dir, davis, masks):
    run = read_run(work_dir)
    scored = score_masks(masks, davis, references=['still'])
    assert [item.name for item in run.objects] == ['bad_1', 'good_1', 'lost_1']
    assert average(run.objects) == pytest.approx(average(scored.objects))
    assert (run.title, run.masks, run.group) == ('my_test', masks, 'merged')
    assert run.truths == davis / 'Annotations/480p'
    assert run.frames == davis / 'JPEGImages/480p'
    assert run.facts['checkpoint'] == 'weights.pth'
    assert run.ope == dict(success=41)


def test_the_newest_config_counts(work_dir, davis, masks):
    write_config(work_dir / 'another.py', davis, masks, objects='all')
    os.utime(work_dir / 'another.py', (1, 1))
    assert read_run(work_dir).title == 'my_test'
    os.utime(work_dir / 'another.py', (2e9, 2e9))
    assert read_run(work_dir).title == 'another'


def test_ope_is_of_the_same_run(work_dir):
    write_log(work_dir / '20260102_040000', 0.123, 42)  # of other masks
    assert read_run(work_dir).ope == dict(success=41)
    (work_dir / '20260102_030405/20260102_030405.json').unlink()
    (work_dir / '20260102_040000/cut_short.json').write_text('{"davis/J')
    assert read_run(work_dir).ope == {}


def test_an_interrupted_run_says_so(work_dir, davis):
    write_split(davis, [*SHIFTS, 'more', 'less'])
    (note,) = read_run(work_dir).notes
    assert note.startswith('2 of the 5 videos have no scores')
    assert note.endswith('less, more.')


def test_a_resumed_run_says_that_ope_is_of_the_rest(work_dir, davis, masks):
    metric = dict(type='DAVISMetric', result_dir=str(masks), resume=True)
    write_config(work_dir / 'my_test.py', davis, masks, metric)
    assert 'after --resume' in read_run(work_dir).notes[0]


def test_youtube_vos_has_no_folder_480p(davis, masks, work_dir):
    for kind in ('Annotations', 'JPEGImages'):
        for name in SHIFTS:
            (davis / kind / '480p' / name).rename(davis / kind / name)
        (davis / kind / '480p').rmdir()
    write_config(
        work_dir / 'my_test.py', davis, masks, type='YouTubeVOSDataset', ann_file=''
    )
    run = read_run(work_dir)
    assert (run.truths, run.frames) == (davis / 'Annotations', davis / 'JPEGImages')
    assert run.group == 'all'
    assert run.facts['split'] == 'every video'
    (split,) = {score_masks(masks, davis, references=[]).truths}
    assert split == davis / 'Annotations'


def test_an_object_that_is_given_later_ends_with_the_others(work_dir, masks):
    with (masks / 'scores_0.jsonl').open('a') as file:
        late = dict(sequence='good', object_id=2, tracker=[[0.5, 0.5]] * 2)
        file.write(json.dumps(late | dict(references=dict(still=[[0, 0]] * 2))) + '\n')
    video = {video.name: video for video in read_run(work_dir).videos()}['good']
    assert video.frames == [f'{number:05d}' for number in range(1, 9)]
    assert video.region()[-3:] == pytest.approx([1, 0.75, 0.75])


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        ('no metric', ValueError, r'one DAVISMetric with result_dir expected in .*my_test'),
        ('no result_dir', ValueError, r'--cfg-options test_evaluator.0.result_dir=FOLDER'),
        ('other data', ValueError, r'a DAVISDataset expected in .* got mmtrack.LaSOT'),
        ('no test', ValueError, r'test_evaluator and test_dataloader expected in .*train'),
        ('no masks', FileNotFoundError, r'no folder .*gone.*start where the test was run'),
        ('no scores', FileNotFoundError, r'scores of at least one video expected in'),
        ('cut scores', ValueError, r'scores expected in line 1 of .*scores_0.jsonl'),
        ('no frames', FileNotFoundError, r'no folder .*JPEGImages.480p'),
        ('no work_dir', FileNotFoundError, r'no folder .*work'),
    ],
)
def test_what_a_work_directory_lacks_is_named(
    work_dir, davis, masks, change, error, message
):
    path = work_dir / 'my_test.py'
    changes = {
        'no metric': lambda: write_config(path, davis, masks, dict(type='OtherMetric')),
        'no result_dir': lambda: write_config(path, davis, masks, dict(type='DAVISMetric')),
        'other data': lambda: write_config(path, davis, masks, type='mmtrack.LaSOT'),
        'no test': lambda: path.rename(path.with_name('train.py')).write_text('a = 1'),
        'no masks': lambda: write_config(path, davis, masks.parent / 'gone'),
        'no scores': lambda: (masks / 'scores_0.jsonl').unlink(),
        'cut scores': lambda: (masks / 'scores_0.jsonl').write_text('{"sequence": \n'),
        'no frames': lambda: (davis / 'JPEGImages/480p').rename(davis / 'gone'),
        'no work_dir': lambda: work_dir.rename(work_dir.with_name('gone')),
    }
    changes[change]()
    with pytest.raises(error, match=message):
        read_run(work_dir)


def test_true_masks_that_have_gone_are_named(work_dir, davis):
    (davis / 'Annotations/480p/good').rename(davis / 'gone')
    with pytest.raises(FileNotFoundError, match=r'no label image \(.png\) in .*good'):
        read_run(work_dir).videos()


def test_masks_are_scored_once_by_the_scoring_code(davis, masks):
    write_masks(masks, 'good', [square(25)] * 10)
    run = score_masks(masks, davis, references=['still'])
    good, *_ = (item for item in run.objects if item.sequence == 'good')
    assert [j for j, _ in good.tracker] == pytest.approx([1 / 3] * 8)
    assert run.facts['protocol'] == '2016'
