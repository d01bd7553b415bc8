"""What J and F promise."""

import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from hypothesis import given, settings

from siampolarmask_mm.evaluation.region_contour import (
    contour_accuracy,
    contour_map,
    region_similarity,
    statistics,
)


def square(x, y, side, size=(60, 80)):
    mask = np.zeros(size, dtype=bool)
    mask[y : y + side, x : x + side] = True
    return mask


NOTHING = np.zeros((60, 80), dtype=bool)


@pytest.mark.parametrize(
    ('mask', 'truth', 'expected'),
    [
        (square(10, 10, 10), square(10, 10, 10), 1.0),
        (square(10, 10, 10), square(15, 10, 10), 50 / 150),
        (square(10, 10, 10), square(40, 10, 10), 0.0),
        (NOTHING, square(10, 10, 10), 0.0),
        (NOTHING, NOTHING, 1.0),  # nothing to find, nothing found
    ],
)
def test_region_similarity_is_intersection_over_union(mask, truth, expected):
    assert region_similarity(mask, truth) == pytest.approx(expected)


def test_a_contour_lies_left_and_above_of_where_masks_change():
    """One pixel at (row 2, column 3): it and its upper and left neighbors see a change."""
    contour = contour_map(square(3, 2, 1, (5, 6)))
    assert sorted(map(tuple, np.argwhere(contour))) == [(1, 2), (1, 3), (2, 2), (2, 3)]


def test_contours_at_the_last_row_and_column_look_one_way_only():
    mask = np.zeros((4, 4), dtype=bool)
    mask[2:, 2:] = True  # reaches the lower right corner
    contour = contour_map(mask)
    assert sorted(map(tuple, np.argwhere(contour))) == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (3, 1),
    ]
    assert not contour_map(np.ones((4, 4), dtype=bool)).any()


@pytest.mark.parametrize(
    ('mask', 'truth', 'expected'),
    [
        (square(10, 10, 10), square(10, 10, 10), 1.0),
        (square(10, 10, 10), square(11, 10, 10), 1.0),  # 1 pixel of 100 is tolerated
        (square(10, 10, 10), square(60, 40, 10), 0.0),
        (NOTHING, square(10, 10, 10), 0.0),
        (square(10, 10, 10), NOTHING, 0.0),
        (NOTHING, NOTHING, 1.0),
    ],
)
def test_contour_accuracy_tolerates_a_share_of_the_diagonal(mask, truth, expected):
    assert contour_accuracy(mask, truth) == pytest.approx(expected)


def test_contour_accuracy_by_hand():
    """Two pixels 3 apart in one row, tolerance 2: of the 4 contour pixels of each, the two
    in the columns between them are near the other's.
    """
    mask, truth = square(10, 10, 1), square(13, 10, 1)
    # Contours at columns 9, 10 and at 12, 13: 10 and 12 are 2 apart, 9 and 13 are farther.
    assert contour_accuracy(mask, truth, tolerance=2) == pytest.approx(0.5)
    assert contour_accuracy(mask, truth, tolerance=1) == 0
    assert contour_accuracy(mask, truth, tolerance=3) == 1


def test_the_tolerance_is_rounded_up_to_whole_pixels():
    # 480 x 854: 0.008 of the diagonal 979.66 is 7.84, so 8 pixels are right and 9 are not.
    size = (480, 854)
    truth = square(100, 100, 50, size)
    assert contour_accuracy(square(108, 100, 50, size), truth) == 1
    assert contour_accuracy(square(109, 100, 50, size), truth) < 1


def test_the_tolerance_is_round():
    """A pixel 2 right and 2 down is farther than 2."""
    assert contour_accuracy(square(10, 10, 1), square(12, 12, 1), tolerance=2) < 1
    assert contour_accuracy(square(10, 10, 1), square(12, 10, 1), tolerance=2) == 1


def test_statistics_by_hand():
    values = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    result = statistics(values)
    assert result.mean == pytest.approx(0.55)
    assert result.recall == 4 / 8  # 0.5 itself does not count
    # Borders at frames 1, 2.75, 4.5, 6.25, 8, rounded: 1, 3, 4, 6, 8; quarters share them.
    assert result.decay == pytest.approx((0.9 + 0.8 + 0.7) / 3 - (0.4 + 0.3 + 0.2) / 3)


def test_statistics_of_long_videos_do_not_overflow():
    values = np.linspace(1, 0, 400)
    assert statistics(values).decay == pytest.approx(0.75, abs=0.01)


def test_statistics_need_a_frame():
    with pytest.raises(ValueError, match='at least one frame expected, got none'):
        statistics([])


@pytest.mark.parametrize('measure', [region_similarity, contour_accuracy])
def test_masks_of_two_sizes_are_refused(measure):
    with pytest.raises(
        ValueError, match=r'one size expected, got \(60, 80\) and \(60, 81\)'
    ):
        measure(NOTHING, np.zeros((60, 81), dtype=bool))


@st.composite
def masks(draw):
    """Two masks of blocks, often at the border; tolerances of 1 and 2 pixels."""
    height, width = draw(st.integers(2, 90)), draw(st.integers(2, 140))
    mask = np.zeros((2, height, width), bool)
    for layer in mask:
        for _ in range(draw(st.integers(0, 3))):
            y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
            h, w = draw(st.integers(1, height)), draw(st.integers(1, width))
            layer[y : y + h, x : x + w] ^= True
    return mask


@settings(deadline=None, derandomize=True, max_examples=150)
@given(masks())
def test_j_and_f_equal_their_definitions(pair):
    mask, truth = pair
    assert region_similarity(mask, truth) == pytest.approx(
        reference.region(mask, truth), abs=1e-9
    )
    assert contour_accuracy(mask, truth) == pytest.approx(
        reference.contour_accuracy(mask, truth), abs=1e-9
    )


@pytest.mark.parametrize('seed', range(3))
def test_f_equals_its_definition_at_the_size_of_davis(seed):
    rng = np.random.default_rng(seed)
    pair = [
        np.kron(rng.random((16, 29)) > 0.8, np.ones((30, 30))).astype(bool)[:480, :854]
        for _ in range(2)
    ]
    assert contour_accuracy(*pair) == pytest.approx(
        reference.contour_accuracy(*pair), abs=1e-9
    )


@settings(deadline=None, derandomize=True, max_examples=50)
@given(masks())
def test_both_measures_are_symmetric_and_one_for_the_same(pair):
    mask, truth = pair
    for measure in (region_similarity, contour_accuracy):
        assert measure(mask, truth) == pytest.approx(measure(truth, mask))
        assert 0 <= measure(mask, truth) <= 1
        assert measure(mask, mask) == 1


@pytest.mark.parametrize('length', [1, 2, 3, 5, 80, 255])
def test_decay_is_the_official_one_up_to_255_frames(length):
    values = np.random.default_rng(length).random(length)
    assert statistics(values).decay == pytest.approx(
        reference.official_decay(values), abs=1e-12
    )


def test_decay_beyond_255_frames_is_right_where_the_official_one_is_not():
    """The official code keeps frame numbers in 8 bits, which 256 frames overflow."""
    values = np.linspace(1, 0, 400)
    quarter = 101 / 400  # quarters share their border frames
    assert statistics(values).decay == pytest.approx(1 - quarter, abs=0.01)
    assert reference.official_decay(values) != pytest.approx(1 - quarter, abs=0.1)


def test_masks_that_are_not_boolean_are_refused():
    with pytest.raises(ValueError, match='boolean masks expected, got uint8'):
        region_similarity(NOTHING, NOTHING.astype(np.uint8))
