"""What `siampolarmask_mm.crops` promises."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.crops import (
    Crop,
    box_center,
    context_side,
    crop_around,
    map_box,
    map_mask_box,
    sample_mask,
)
from siampolarmask_mm.locations import location_points


@pytest.fixture
def image():
    """60 x 80, red grows by 2 a pixel to the right, green by 3 a pixel downwards."""
    y, x = np.mgrid[:60, :80]
    return np.stack([2 * x, 3 * y, np.full_like(x, 7)], axis=-1).astype(np.uint8)


def test_the_middle_of_a_box_is_half_a_pixel_before_the_middle_of_its_edges():
    assert_close(box_center(torch.tensor([3.0, 4.0, 4.0, 5.0])), torch.tensor([3.0, 4.0]))
    assert_close(box_center(torch.tensor([0.0, 0.0, 10.0, 4.0])), torch.tensor([4.5, 1.5]))


def test_context_adds_half_the_mean_side_on_each_side():
    assert context_side(20, 40) == pytest.approx(math.sqrt((20 + 30) * (40 + 30)))


def test_the_middle_of_a_search_crop_of_255_is_pixel_127():  # eq. 11
    crop = Crop(center=(100.0, 50.0), scale=0.5, size=255)
    points = torch.tensor([[127.0, 127.0], [131.0, 121.0]])
    expected = torch.tensor([[100.0, 50.0], [108.0, 38.0]])
    assert_close(crop.to_image(points), expected)
    assert_close(crop.from_image(expected), points)


@pytest.mark.parametrize(
    ('locations', 'size', 'first', 'middle'),
    [
        (25, 255, 31, 127),  # the paper's ResNet-50: search = 8 location + 31, eq. 10
        (27, 257, 24, 128),  # a symmetrically padded MobileNetV2
        (13, 129, 16, 64),
    ],
)
def test_locations_are_centered_in_the_search_crop(locations, size, first, middle):
    points = location_points((locations, locations), 8, size, torch.zeros(1))
    assert points[0, 0].tolist() == [first, first]
    assert points[locations // 2, locations // 2].tolist() == [middle, middle]
    assert points[2, 5].tolist() == [
        first + 8 * 5,
        first + 8 * 2,
    ]  # (row, column) to (x, y)


def test_a_crop_at_scale_1_copies_pixels(image):
    crop = Crop(center=(30.0, 20.0), scale=1.0, size=11)
    assert np.array_equal(crop.cut(image), image[15:26, 25:36])


def test_a_crop_interpolates_where_its_pixels_fall(image):
    crop = Crop(center=(30.5, 20.0), scale=2.0, size=21)
    cut = crop.cut(image).astype(float)
    x = 30.5 + (np.arange(21) - 10) / 2
    y = 20.0 + (np.arange(21) - 10) / 2
    assert np.abs(cut[..., 0] - 2 * x[None, :]).max() <= 0.51
    assert np.abs(cut[..., 1] - 3 * y[:, None]).max() <= 0.51


def test_the_images_mean_color_lies_outside(image):
    crop = Crop(center=(0.0, 0.0), scale=1.0, size=21)
    cut = crop.cut(image)
    assert cut[0, 0].tolist() == [79, 88, 7]  # means of 0..158, of 0..177 (88.5) and of 7
    assert np.array_equal(cut[10:, 10:], image[:11, :11])
    far = Crop(center=(-500.0, 900.0), scale=1.0, size=5).cut(image)
    assert (np.abs(far.astype(int) - [79, 88, 7]) <= 1).all()


def test_training_and_test_crops_are_equal_to_the_pixel(image):
    """Training reads (H, W, 3) arrays, the tracker has views of (3, H, W) tensors."""
    frame = torch.from_numpy(image.transpose(2, 0, 1).copy())
    for crop in (Crop((30.7, 21.2), 0.73, 65), Crop((3.1, 57.9), 1.9, 129)):
        assert np.array_equal(crop.cut(image), crop.cut(frame.permute(1, 2, 0).numpy()))


def test_a_crop_is_the_same_wherever_the_window_lies(image):
    """Only the window's surroundings are read; that must not move a pixel."""
    crop = Crop((30.3, 25.4), 1.7, 33)
    wide = np.pad(image, ((0, 40), (0, 40), (0, 0)))
    assert np.array_equal(crop.cut(image), crop.cut(wide))


def test_a_turned_crop_shows_the_image_turned_clockwise(image):
    """What lies right of the center lies below it after a quarter turn."""
    cut = Crop((40.0, 30.0), 1.0, 21, angle=math.pi / 2).cut(image)
    assert np.array_equal(cut[15, 10], image[30, 45])
    assert np.array_equal(cut[10, 4], image[36, 40])


def test_a_mirrored_crop_exchanges_left_and_right_after_the_turn(image):
    cut = Crop((40.0, 30.0), 1.0, 21, mirrored=True).cut(image)
    assert np.array_equal(cut[12, 5], image[32, 45])
    both = Crop((40.0, 30.0), 1.0, 21, angle=math.pi / 2, mirrored=True).cut(image)
    assert np.array_equal(both[15, 10], image[30, 45])
    assert np.array_equal(both[10, 16], image[36, 40])


def test_points_go_where_the_pixels_go(image):
    crop = Crop((40.0, 30.0), 1.7, 33, angle=0.4, mirrored=True)
    points = torch.tensor([[44.0, 27.0], [35.0, 33.5]], dtype=torch.double)
    in_crop = crop.from_image(points)
    assert_close(crop.to_image(in_crop), points)
    for (x, y), (u, v) in zip(
        points.tolist(), in_crop.round().long().tolist(), strict=True
    ):
        red, green = crop.cut(image)[v, u, :2].astype(float)
        assert abs(red - 2 * x) <= 2  # of 2 a pixel, seen from less than a pixel away
        assert abs(green - 3 * y) <= 3


def test_masks_are_cut_at_half_a_pixel():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:9, 6:12] = 1
    cut = Crop((10.0, 10.0), 2.0, 39).cut_mask(mask)
    assert set(np.unique(cut)) == {0, 1}
    # Pixel 5 of the image is pixel 9 of the crop; its border, 4.5, is at 8.
    assert np.flatnonzero(cut.any(1)).tolist() == list(range(8, 17))
    assert np.flatnonzero(cut.any(0)).tolist() == list(range(10, 23))


def test_polygons_have_their_edges_between_pixels():
    """As COCO's: the square from 5 to 9 covers pixels 5 to 8, at any scale."""
    square = [[6.0, 5.0, 12.0, 5.0, 12.0, 9.0, 6.0, 9.0]]
    mask = np.zeros((20, 20), np.uint8)
    mask[5:9, 6:12] = 1
    assert np.array_equal(sample_mask(square, np.eye(3), (20, 20)), mask)
    crop = Crop((10.2, 10.1), 2.0, 39)  # so that no edge meets a pixel's center
    drawn = sample_mask(square, crop.matrix, (39, 39))
    assert drawn.sum() == 12 * 8
    assert (drawn != crop.cut_mask(mask)).sum() <= 4  # bitmaps lose their corners


def test_a_pixel_is_inside_if_any_polygon_covers_it():
    parts = [[2.0, 2, 8, 2, 8, 8, 2, 8], [5.0, 5, 12, 5, 12, 12, 5, 12]]
    mask = sample_mask(parts, np.eye(3), (15, 15))
    assert mask.sum() == 36 + 49 - 9


def test_polygons_that_leave_the_crop_end_at_its_border():
    mask = sample_mask([[-50.0, -9, 4, -9, 4, 99, -50, 99]], np.eye(3), (8, 8))
    assert np.array_equal(mask, np.repeat([[1, 1, 1, 1, 0, 0, 0, 0]], 8, axis=0))


def test_boxes_go_where_their_masks_go():
    square = [[6.0, 5.0, 12.0, 5.0, 12.0, 9.0, 6.0, 9.0]]
    bitmap = sample_mask(square, np.eye(3), (20, 20))
    for angle in (0.0, math.pi / 2):
        matrix = Crop((10.0, 10.0), 2.0, 39, angle).matrix
        found = np.argwhere(sample_mask(square, matrix, (39, 39)))
        tight = [*found.min(0)[::-1], *(found.max(0)[::-1] + 1)]
        for box in (
            map_box(np.array([6.0, 5.0, 12.0, 9.0]), matrix),
            map_mask_box(square, matrix),
            map_mask_box(bitmap, matrix),
        ):
            assert np.abs(box - tight).max() <= 0.51


def test_the_box_around_a_turned_mask_is_tighter_than_around_its_turned_box():
    """A square on its corner; turned by an eighth it is half as wide."""
    diamond = [[10.0, 0.0, 20.0, 10.0, 10.0, 20.0, 0.0, 10.0]]
    matrix = Crop((9.5, 9.5), 1.0, 31, math.pi / 4).matrix
    half = 10 / math.sqrt(2)
    expected = np.array([15.5 - half, 15.5 - half, 15.5 + half, 15.5 + half])
    assert np.allclose(map_mask_box(diamond, matrix), expected)
    assert np.allclose(
        map_box(np.array([0.0, 0, 20, 20]), matrix),
        [15.5 - 2 * half] * 2 + [15.5 + 2 * half] * 2,
    )


def test_a_mask_without_a_pixel_has_no_box():
    with pytest.raises(ValueError, match='at least one pixel expected, got an empty one'):
        map_mask_box(np.zeros((4, 4), np.uint8), np.eye(3))


def test_template_and_search_crop_have_one_scale():
    box = torch.tensor([10.0, 20.0, 50.0, 40.0])
    template, search = crop_around(box, 127, 127), crop_around(box, 255, 127)
    assert template.scale == search.scale == pytest.approx(127 / math.sqrt(70 * 50))
    assert template.center == search.center == (29.5, 29.5)


@pytest.mark.parametrize('box', [[5, 5, 5, 9], [9, 5, 5, 9], [0, 0, 0, 0]])
def test_a_box_without_extent_is_refused(box):
    with pytest.raises(ValueError, match='x1 < x2 and y1 < y2 expected, got'):
        crop_around(torch.tensor(box, dtype=torch.float), 127, 127)
