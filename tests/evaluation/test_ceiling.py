"""What the measure of a representation's ceiling promises."""

import csv
import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from siampolarmask_mm.evaluation.ceiling import (
    Truth,
    best_union,
    coco_truths,
    davis_truths,
    look_at,
    measure_ceiling,
    represent,
)
from siampolarmask_mm.label_images import write_labels

TOOL = Path(__file__).parents[2] / 'tools' / 'ceiling.py'


def disk(radius=30, size=(120, 160)):
    y, x = np.mgrid[: size[0], : size[1]]
    return (x - 80) ** 2 + (y - 60) ** 2 <= radius**2


def horseshoe():
    mask = np.zeros((120, 160), bool)
    mask[10:110, 20:140] = True
    mask[10:80, 50:110] = False
    return mask


def iou(one, other):
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def test_every_representation_holds_a_disk():
    mask = disk()
    for name, found in represent(mask, 36, look_at(mask, 127, 255, 8)).items():
        assert iou(found, mask) > 0.93, name


def test_only_unions_hold_a_horseshoe():
    mask = horseshoe()
    reached = {
        name: iou(found, mask)
        for name, found in represent(mask, 36, look_at(mask, 127, 255, 8)).items()
    }
    assert all(reached[name] < 0.85 for name in reached if name.startswith('one star'))
    assert all(reached[name] > 0.93 for name in reached if name.startswith('union'))


def test_an_object_between_locations_is_one_star_at_its_center():
    mask = np.zeros((120, 160), bool)
    mask[40:42, 20:150] = True  # a line
    stars = look_at(mask, 127, 255, 40)
    assert torch.equal(stars.points, stars.center)
    assert len(look_at(disk(), 127, 255, 8).points) > 20


def test_the_best_union_takes_what_adds_most_and_nothing_that_harms():
    mask = np.zeros((4, 10), bool)
    mask[:, :8] = True
    candidates = np.zeros((3, 4, 10), bool)
    candidates[0, :, :5] = True  # alone 20 of 32
    candidates[1, :, 4:8] = True  # with it, all
    candidates[2, :, 7:] = True  # 4 right, 8 wrong
    assert np.array_equal(best_union(candidates, mask, 3), mask)
    assert np.array_equal(best_union(candidates, mask, 1), candidates[0])


@pytest.mark.slow
def test_means_are_over_groups_first():
    """A video of two frames counts as much as one of one frame."""
    truths = [Truth('a', horseshoe()), Truth('a', horseshoe()), Truth('b', disk())]
    rows = {row.representation: row for row in measure_ceiling(truths, [36])}
    alone = [measure_ceiling([truth], [36])[0] for truth in truths]
    expected = (alone[0].J + alone[2].J) / 2
    found = rows['one star, last'].J
    assert found == pytest.approx(expected)
    with pytest.raises(ValueError, match='at least one mask expected'):
        measure_ceiling([], [36])


@pytest.fixture
def davis(tmp_path):
    folder = tmp_path / 'Annotations' / '480p' / 'clip'
    folder.mkdir(parents=True)
    for number in range(4):
        labels = disk(20 + number).astype(np.uint8)
        labels[100:110, 5:20] = 3
        write_labels(folder / f'{number:05d}.png', labels)
    for year in ('2016', '2017'):
        (tmp_path / 'ImageSets' / year).mkdir(parents=True)
        (tmp_path / 'ImageSets' / year / 'val.txt').write_text('clip\n')
    return tmp_path


def test_davis_truths_are_as_the_benchmark_scores_them(davis):
    merged = list(davis_truths(davis))
    assert [truth.group for truth in merged] == ['clip/1'] * 2  # without first and last
    assert merged[0].mask.sum() == disk(21).sum() + 150
    each = list(davis_truths(davis, 'ImageSets/2017/val.txt', every=2))
    assert [truth.group for truth in each] == ['clip/1', 'clip/3']
    (davis / 'ImageSets/2016/val.txt').write_text('other\n')
    with pytest.raises(FileNotFoundError, match=r'no label image .* in .*other'):
        list(davis_truths(davis))


def coco(tmp_path):
    polygon = [[20, 20, 60, 20, 60, 70, 20, 70]]
    common = dict(image_id=1, iscrowd=0, category_id=1)
    content = dict(
        images=[dict(id=1, height=120, width=160, file_name='a.jpg')],
        annotations=[
            dict(id=5, segmentation=polygon, area=2000, bbox=[20, 20, 40, 50], **common),
            dict(id=6, segmentation=polygon, area=10, bbox=[20, 20, 40, 50], **common),
        ],
    )
    path = tmp_path / 'instances.json'
    path.write_text(json.dumps(content))
    return path


def test_coco_truths_are_the_instances(tmp_path):
    truths = list(coco_truths(coco(tmp_path), min_area=100))
    assert [truth.group for truth in truths] == ['5']
    assert truths[0].mask.sum() == 2000
    (tmp_path / 'list.json').write_text('[1]')
    with pytest.raises(ValueError, match="COCO's format expected in"):
        list(coco_truths(tmp_path / 'list.json'))


def run_tool(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['ceiling.py', *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name='__main__')


def test_the_tool_writes_table_and_picture(tmp_path, monkeypatch):
    table, picture = tmp_path / 'out.csv', tmp_path / 'out.png'
    options = ['--rays', '12,24', '--workers', '1', '--csv', table, '--plot', picture]
    run_tool(monkeypatch, coco(tmp_path), *options)
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['representation', 'rays', 'J', 'F', 'J&F']
    assert {row['rays'] for row in rows} == {'12', '24'}
    mean = (float(rows[0]['J']) + float(rows[0]['F'])) / 2
    assert float(rows[0]['J&F']) == pytest.approx(mean)
    drawn = cv2.imread(str(picture))
    assert drawn.shape[1] > 500
    (tmp_path / 'others').mkdir()
    others = coco(tmp_path / 'others')
    others.write_text(others.read_text().replace('60, 20, 60, 70', '90, 20, 90, 40'))
    run_tool(monkeypatch, coco(tmp_path), *options, '--examples', others)
    assert not np.array_equal(cv2.imread(str(picture)), drawn)


def test_the_tool_tells_what_it_expected(tmp_path, monkeypatch, capsys):
    with pytest.raises(FileNotFoundError, match="a folder in DAVIS's layout or a file"):
        run_tool(monkeypatch, 'nowhere')
    with pytest.raises(FileNotFoundError, match='or a file expected at nowhere'):
        run_tool(monkeypatch, coco(tmp_path), '--examples', 'nowhere')
    with pytest.raises(SystemExit):
        run_tool(monkeypatch, 'x.json', '--rays', '36,two')
    assert 'numbers from 3 on, like 36,72, expected' in capsys.readouterr().err
