"""What `siampolarmask_mm.datasets.layers` promises."""

import numpy as np
import pytest

from siampolarmask_mm.datasets.layers import LONGEST_KERNEL, Layer, blur_along, paint

WHITE = np.full((40, 40, 3), 250, np.uint8)


def square(left, top, side=10):
    right, bottom = left + side, top + side
    return [[left, top, right, top, right, bottom, left, bottom]]


def moved(x, y):
    matrix = np.eye(3)
    matrix[:2, 2] = x, y
    return matrix


def base():
    target = np.zeros((40, 40), np.uint8)
    target[10:20, 10:20] = 1
    return np.full((40, 40, 3), 50, np.uint8), target


def test_a_layer_shows_its_object_where_its_map_puts_it():
    layer = Layer(WHITE, square(0, 0), moved(22, 5), is_target=True)
    image, target = paint(*base(), [layer], np.eye(3))
    inside = np.zeros((40, 40), bool)
    inside[5:15, 22:32] = True
    assert np.array_equal(target.astype(bool), inside)  # the target is the layer's object
    assert (image[7:13, 24:30] == 250).all()
    far = np.ones((40, 40), bool)
    far[3:17, 20:34] = False
    assert (image[far] == 50).all()


def test_a_layer_goes_through_the_crops_map():
    """The crop shows the frame at twice its size, 10 pixels to the left."""
    to_base = np.array([[2.0, 0, -10], [0, 2, 0], [0, 0, 1]])
    layer = Layer(WHITE, square(0, 0, side=6), moved(8, 3), is_target=True)
    _, target = paint(*base(), [layer], to_base)
    rows, columns = np.flatnonzero(target.any(1)), np.flatnonzero(target.any(0))
    # Edges from 8 to 14, so -0.5 pixel centers, times 2, less 10: 5 to 17.
    assert [columns[0], columns[-1] + 1] == pytest.approx([5.5, 17.5], abs=0.51)
    assert [rows[0], rows[-1] + 1] == pytest.approx([5.5, 17.5], abs=0.51)


def test_another_object_hides_the_target():
    image, target = paint(*base(), [Layer(WHITE, square(15, 5), np.eye(3))], np.eye(3))
    assert target.sum() == 100 - 5 * 5
    assert not target[10:15, 15:20].any()
    assert (image[11:14, 16:19] == 250).all()


def test_an_object_that_would_hide_too_much_is_left_out():
    layer = Layer(WHITE, square(11, 10), np.eye(3), max_cover=0.8)  # hides 90 of 100
    image, target = paint(*base(), [layer], np.eye(3))
    assert target.sum() == 100
    assert (image == 50).all()


def test_a_frame_whose_target_is_not_known_is_painted_all_the_same():
    image, target = paint(
        base()[0], None, [Layer(WHITE, square(15, 5), np.eye(3))], np.eye(3)
    )
    assert target is None
    assert (image[7:13, 17:23] == 250).all()


def test_a_moving_object_is_smeared_along_its_motion_around_its_middle_moment():
    layer = Layer(WHITE, square(15, 15), np.eye(3), motion=(8.0, 0.0), is_target=True)
    image, target = paint(*base(), [layer], np.eye(3))
    assert target.sum() == 100
    row = image[20, :, 0].astype(int)
    assert np.abs(row[12:28] - row[12:28][::-1]).max() <= 1  # symmetric about 19.5
    assert 50 < row[12] < 150 < row[16] < 250  # half covered at its edge, 15
    assert (np.diff(row[8:20]) >= 0).all()
    column = image[:, 20, 0]
    assert column[15 - 3] == 50  # not across


def test_the_smear_is_as_long_as_the_crop_shows_the_motion():
    """4 pixels of the frame are 8 of a crop that shows it at twice its size."""
    twice = np.diag([2.0, 2.0, 1.0])
    half = moved(10, 10)
    half[:2, :2] /= 2  # so that the object has the same 10 pixels in either crop
    layers = [
        Layer(WHITE, square(0, 0), matrix, motion=motion, is_target=True)
        for matrix, motion in ((half, (4.0, 0.0)), (twice @ half, (8.0, 0.0)))
    ]
    expected, _ = paint(*base(), [layers[1]], np.eye(3))
    found, _ = paint(*base(), [layers[0]], twice)
    assert np.array_equal(found, expected)
    row = found[25, :, 0].astype(int)
    # Its edges, 19.5 and 29.5, are spread over 4 pixels to either side.
    smeared = np.flatnonzero((row > 55) & (row < 245))
    assert smeared[0] == pytest.approx(16, abs=1)
    assert smeared[-1] == pytest.approx(33, abs=1)


def test_a_moving_object_does_not_smear_what_was_around_it():
    """Of a dark object in a white image, blurred over black, nothing is bright."""
    image = np.full((40, 40, 3), 255, np.uint8)
    image[15:25, 15:25] = 20
    layer = Layer(image, square(15, 15), np.eye(3), motion=(9.0, 0.0), is_target=True)
    painted, _ = paint(np.zeros((40, 40, 3), np.uint8), None, [layer], np.eye(3))
    assert abs(int(painted[20, 20, 0]) - 20) <= 1
    assert painted.max() < 60  # where edges are interpolated


def test_a_shadow_darkens_below_and_never_above():
    layer = Layer(WHITE, square(12, 12, side=16), np.eye(3), shadow=0.5)
    image, _ = paint(*base(), [layer], np.eye(3))
    assert image[29, 20, 0] < 45
    assert image[8, 20, 0] == 50


@pytest.mark.parametrize('motion', [(6.0, 0.0), (0.0, 5.0), (9.0, -7.0), (30.0, 12.0)])
def test_blur_spreads_a_point_along_its_motion(motion):
    point = np.zeros((81, 81), np.float32)
    point[40, 40] = 1
    spread = blur_along(point, motion)
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    y, x = np.mgrid[-40:41, -40:41]
    assert (spread * x).sum() == pytest.approx(0, abs=1e-3)
    assert (spread * y).sum() == pytest.approx(0, abs=1e-3)
    # A line of length l has a variance of l^2 / 12; n in a row, each l / n: l^2 / 12 n.
    passes = np.ceil(np.hypot(*motion) / (LONGEST_KERNEL - 1))
    xx, yy, xy = ((spread * a * b).sum() for a, b in ((x, x), (y, y), (x, y)))
    for found, one, other in ((xx, 0, 0), (yy, 1, 1), (xy, 0, 1)):
        exact = motion[one] * motion[other] / (12 * passes)
        assert found == pytest.approx(exact, abs=0.3 * passes)  # bilinear weights widen it


def test_less_than_a_pixel_is_no_motion():
    image = np.random.default_rng(0).random((9, 9)).astype(np.float32)
    assert blur_along(image, (0.5, 0.5)) is image
