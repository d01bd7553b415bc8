"""What ColorJitterPair and BlurPair promise."""

import numpy as np
import pytest

from siampolarmask_mm.datasets import BlurPair, ColorJitterPair


def pair(value=(40, 90, 160)):
    return dict(img=[np.full((6, 6, 3), value, np.uint8) for _ in range(2)])


def jitter(value=(40, 90, 160), **amounts):
    settings = dict(brightness=0, contrast=0, saturation=0, gray_prob=0) | amounts
    return [
        image[0, 0].astype(int) for image in ColorJitterPair(**settings)(pair(value))['img']
    ]


def test_nothing_changes_without_amounts():
    assert [color.tolist() for color in jitter()] == [[40, 90, 160]] * 2


def test_brightness_multiplies_all_colors():
    for color in jitter(brightness=0.3):
        factor = color[2] / 160
        assert 0.69 < factor < 1.31
        assert np.abs(color - np.array([40, 90, 160]) * factor).max() <= 1.1


def test_contrast_keeps_middle_grey_and_saturation_keeps_all_greys():
    for amounts in (dict(contrast=1), dict(saturation=1)):
        for color in jitter((127, 127, 127), **amounts):
            assert np.abs(color - 127).max() <= 1
    for color in jitter((40, 40, 40), saturation=1):
        assert np.abs(color - 40).max() <= 1


def test_grey_pairs_have_the_brightness_of_their_colors():
    grey = 0.114 * 40 + 0.587 * 90 + 0.299 * 160  # ITU-R BT.601, blue first
    for color in jitter(gray_prob=1):
        assert np.abs(color - grey).max() <= 1


def test_template_and_search_crop_change_apart_but_are_grey_together():
    np.random.seed(0)
    template, search = jitter(brightness=0.3)
    assert abs(template[2] - search[2]) > 5
    for _ in range(30):
        template, search = jitter(gray_prob=0.5)
        assert (np.ptp(template) <= 1) == (np.ptp(search) <= 1)


def test_a_share_of_search_crops_is_blurred():
    edge = np.zeros((32, 32, 3), np.uint8)
    edge[:, 16:] = 200
    blurred = 0
    for _ in range(200):
        template, search = BlurPair(prob=(0, 0.5))(dict(img=[edge, edge]))['img']
        assert np.array_equal(template, edge)
        blurred += not np.array_equal(search, edge)
    assert 50 < blurred < 110  # some motions are along the edge or below a pixel


@pytest.mark.parametrize(
    ('transform', 'arguments'),
    [
        (ColorJitterPair, dict(brightness=-0.1)),
        (ColorJitterPair, dict(gray_prob=1.5)),
        (BlurPair, dict(prob=(0, 2))),
        (BlurPair, dict(max_length=0)),
    ],
)
def test_arguments_out_of_range_are_refused(transform, arguments):
    with pytest.raises(ValueError, match='expected, got'):
        transform(**arguments)
