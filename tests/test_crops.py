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
    location_points,
)


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


def test_masks_are_cut_at_half_a_pixel():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:9, 6:12] = 1
    cut = Crop((10.0, 10.0), 2.0, 39).cut_mask(mask)
    assert set(np.unique(cut)) == {0, 1}
    # Pixel 5 of the image is pixel 9 of the crop; its border, 4.5, is at 8.
    assert np.flatnonzero(cut.any(1)).tolist() == list(range(8, 17))
    assert np.flatnonzero(cut.any(0)).tolist() == list(range(10, 23))


def test_template_and_search_crop_have_one_scale():
    box = torch.tensor([10.0, 20.0, 50.0, 40.0])
    template, search = crop_around(box, 127, 127), crop_around(box, 255, 127)
    assert template.scale == search.scale == pytest.approx(127 / math.sqrt(70 * 50))
    assert template.center == search.center == (29.5, 29.5)


@pytest.mark.parametrize('box', [[5, 5, 5, 9], [9, 5, 5, 9], [0, 0, 0, 0]])
def test_a_box_without_extent_is_refused(box):
    with pytest.raises(ValueError, match='x1 < x2 and y1 < y2 expected, got'):
        crop_around(torch.tensor(box, dtype=torch.float), 127, 127)
