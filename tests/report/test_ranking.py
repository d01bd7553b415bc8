"""What comes first in a report."""

import numpy as np
import pytest

from siampolarmask_mm.evaluation.davis_scores import ObjectScores, average
from siampolarmask_mm.report.ranking import (
    VideoScores,
    common_references,
    evenly_spaced,
    mean_figures,
    worst_first,
    worst_frames,
)


def make_video(name, *tracks, **references):
    objects = [
        ObjectScores(name, i, [(j, j / 2) for j in track])
        for i, track in enumerate(tracks, start=1)
    ]
    for item in objects:
        item.references = {key: [(j, j) for j in row] for key, row in references.items()}
    return VideoScores(name, objects, [f'{t:05d}' for t in range(1, len(tracks[0]) + 1)])


def test_worst_videos_come_first_and_equal_ones_by_name():
    videos = [make_video('b', [0.5] * 4), make_video('c', [0.1] * 4)]
    videos += [make_video('d', [0.9] * 4), make_video('a', [0.5] * 4)]
    assert [video.name for video in worst_first(videos)] == ['c', 'a', 'b', 'd']


def test_the_worst_frame_comes_first_and_its_neighbors_are_left_out():
    region = np.array([0.9, 0.2, 0.1, 0.2, 0.9, 0.8, 0.3, 0.9])
    # 8 frames, 2 pictures: at least 2 apart; 1 and 3 are next to 2.
    assert worst_frames(region, 2) == [2, 6]


@pytest.mark.parametrize(
    ('length', 'number', 'found'),
    [(10, 4, 4), (3, 4, 3), (4, 4, 4), (1, 5, 1), (7, 0, 0), (100, 9, 9)],
)
def test_as_many_worst_frames_as_there_can_be(length, number, found):
    region = np.random.default_rng(0).random(length)
    positions = worst_frames(region, number)
    assert len(positions) == len(set(positions)) == found
    assert list(region[positions]) == sorted(region[positions])


@pytest.mark.parametrize('number', [1, 2, 3, 5, 8])
def test_being_apart_costs_no_picture(number):
    for length in range(1, 40):
        valley = np.abs(np.arange(length) - length / 3)  # neighbors of the worst are next
        assert len(worst_frames(valley, number)) == min(length, number)


@pytest.mark.parametrize(
    ('length', 'number', 'positions'),
    [(9, 3, [0, 4, 8]), (2, 5, [0, 1]), (1, 3, [0]), (5, 1, [0]), (5, 0, [])],
)
def test_even_positions_reach_from_first_to_last(length, number, positions):
    assert evenly_spaced(length, number) == positions


def test_an_object_that_is_given_later_counts_from_there():
    video = make_video('late', [0.2, 0.4, 0.6], [1.0])
    assert video.region() == pytest.approx([0.2, 0.4, (0.6 + 1) / 2])
    assert video.contour() == pytest.approx([0.1, 0.2, (0.3 + 0.5) / 2])


def test_figures_are_those_of_the_metric():
    videos = [make_video('a', [0.2, 0.9, 0.4, 0.8], still=[0.1] * 4)]
    videos += [make_video('b', [0.7] * 4, [0.3] * 4, still=[0.4] * 4)]
    objects = [item for video in videos for item in video.objects]
    expected = average(objects)
    found = mean_figures(objects)
    assert found == pytest.approx({name: expected[name] for name in found})
    still = mean_figures(objects, 'still')
    assert still['J&F-Mean'] == pytest.approx(expected['still/J&F-Mean']) == 0.3
    # A video's is the mean of its objects: J (0.7 + 0.3) / 2, F half of it.
    assert videos[1].figures()['J&F-Mean'] == pytest.approx((0.5 + 0.25) / 2)


def test_a_reference_that_an_object_lacks_is_left_out():
    objects = make_video('a', [0.5] * 2, star=[1] * 2, box=[1] * 2).objects
    objects += make_video('b', [0.5] * 2, star=[1] * 2).objects
    assert common_references(objects) == ['star']
