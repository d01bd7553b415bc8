"""What PixelHead and PixelDecoder promise."""

import math

import pytest
import torch
from mmengine.registry import MODELS
from torch.testing import assert_close

from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import PixelDecoder, PixelHead, PolarTargetAssigner
from siampolarmask_mm.models.confidence import MAJORITY
from siampolarmask_mm.models.siamese_head import Prediction

POINTS = location_points((7, 7), 8, 65, torch.zeros(1))  # 8, 16, ..., 56
SURE = 30.0  # logit


@pytest.fixture
def head():
    return PixelHead(8, num_levels=1, num_rays=12, feat_channels=16, num_convs=1)


@pytest.fixture
def loss():
    return MODELS.build(dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True))


def targets(is_outline=True, empty=False):
    mask = torch.zeros(1, 65, 65, dtype=torch.bool)
    mask[0, 30:37, 20:41] = not empty
    assigner = PolarTargetAssigner(12, representation='visible_union')
    return assigner.assign(mask, POINTS, torch.tensor([is_outline]))


def fine(*parts):
    """25 x 25 logits at pixels 8, 10, ..., 56, sure of parts (rows, columns) of pixels."""
    logits = torch.full((1, 25, 25), -SURE)
    for rows, columns in parts:
        y, x = (slice((a - 8) // 2, (b - 8) // 2 + 1) for a, b in (rows, columns))
        logits[0, y, x] = SURE
    return Prediction(torch.zeros(1, 7, 7), torch.zeros(1, 7, 7), logits)


def test_the_map_spans_the_locations_at_a_quarter_of_their_stride(head):
    features = (torch.rand(2, 8, 3, 3),), (torch.rand(2, 8, 9, 9),)
    prediction = head(*features)
    assert prediction.scores.shape == (2, 7, 7)
    assert prediction.shape.shape == (2, 25, 25)


@pytest.mark.parametrize(('stride', 'side'), [(8, 7), (4, 13), (1, 49)])
def test_the_fine_stride_is_a_choice(stride, side):
    head = PixelHead(8, num_levels=1, feat_channels=16, num_convs=1, pixel_stride=stride)
    features = (torch.rand(1, 8, 3, 3),), (torch.rand(1, 8, 9, 9),)
    assert head(*features).shape.shape == (1, side, side)


@pytest.mark.parametrize('stride', [3, 16])
def test_other_fine_strides_are_refused(stride):
    with pytest.raises(ValueError, match=f'power of two, expected, got {stride}'):
        PixelHead(8, pixel_stride=stride)


def test_the_true_map_has_no_loss_and_a_false_one_a_large_one(head, loss):
    true = fine(((30, 36), (20, 40)))
    assert head.shape_loss(loss, true, targets(), POINTS) < 1e-6
    off = fine(((30, 36), (18, 38)))  # a pixel of the map to the left
    value = head.shape_loss(loss, off, targets(), POINTS).item()
    assert value == pytest.approx(2 * 4 / 25**2 * SURE, rel=1e-4)


def test_where_the_object_is_not_nothing_is_to_be_seen(head, loss):
    nothing = targets(empty=True)
    assert head.shape_loss(loss, fine(), nothing, POINTS) < 1e-6
    value = head.shape_loss(loss, fine(((30, 36), (20, 40))), nothing, POINTS).item()
    assert value == pytest.approx(4 * 11 / 25**2 * SURE, rel=1e-4)


def test_a_box_is_no_mask_to_learn(head, loss):
    maps = fine(((8, 56), (8, 56)))
    maps.shape.requires_grad_()
    value = head.shape_loss(loss, maps, targets(is_outline=False), POINTS)
    assert value == 0
    value.backward()
    assert maps.shape.grad.abs().max() == 0


def test_dice_may_be_its_loss(head):
    loss = MODELS.build(dict(type='mmdet.DiceLoss'))
    true, half = fine(((30, 36), (20, 40))), fine(((30, 36), (20, 28)))
    assert head.shape_loss(loss, true, targets(), POINTS) < 0.01
    # By hand, 20 of 44 pixels: 1 - 2 * 20 / (20 + 44), of squares.
    value = head.shape_loss(loss, half, targets(), POINTS).item()
    assert value == pytest.approx(1 - 40 / 64, abs=0.01)


@pytest.fixture
def decoder():
    return PixelDecoder(window_influence=0, num_rays=12)


def seen(location, *parts):
    maps = Prediction(*(part[0] for part in fine(*parts)))
    maps.scores.fill_(-SURE)
    maps.scores[location] = SURE
    return maps


def test_the_part_that_the_location_is_in_is_the_object(decoder):
    maps = seen((2, 4), ((20, 30), (30, 42)), ((44, 50), (10, 16)))
    decoded = decoder.decode(maps, POINTS, torch.tensor([14.0, 12.0]), 65)
    expected = torch.zeros(65, 65, dtype=torch.bool)
    expected[20:31, 30:43] = True
    assert torch.equal(decoded.confidence > MAJORITY, expected)
    assert decoded.box.tolist() == [30, 20, 43, 31]
    raw = decoder.raw_confidence(maps, POINTS, (2, 4), 65)
    assert_close(raw[24, [28, 29, 30, 42, 43, 44]], torch.tensor([0, 0.5, 1, 1, 0.5, 0]))
    assert raw[47, 13] == 1


def test_a_threshold_is_sought_and_moves_the_outline(decoder):
    assert decoder.seeks_threshold
    maps = seen((3, 3), ((24, 40), (24, 40)))
    maps.shape[10:15, 17] = math.log(0.4 / 0.6)  # of 0.4 at column 42, rows 28 to 36
    size = torch.tensor([17.0, 17.0])
    # Confidence is 0.7 in column 41 and 0.2 in column 43; 0.5 in columns and rows 23, 41.
    for threshold, expected in ((0.5, [24, 24, 42, 41]), (0.35, [23, 23, 43, 42])):
        decoded = decoder.decode(maps, POINTS, size, 65, threshold)
        assert decoded.box.tolist() == expected


def test_a_location_is_as_large_as_its_part(decoder):
    maps = seen((2, 4), ((20, 30), (30, 42)), ((44, 50), (10, 16)))
    sizes = decoder.sizes(maps, POINTS)
    assert sizes[2, 4].tolist() == [14, 12]  # 7 x 6 pixels of 2
    assert sizes[5, 1].tolist() == [8, 8]  # at (16, 48)
    assert sizes[0, 0].tolist() == [0, 0]


def test_its_star_sees_its_part_alone(decoder):
    maps = seen((2, 4), ((20, 30), (30, 42)), ((20, 30), (10, 16)))
    star = decoder.star(maps, POINTS, (2, 4))
    assert star.center.tolist() == [40, 24]
    # Pixels reach half of 2 beyond their middles.
    assert_close(star.rays[[0, 3, 6, 9]], torch.tensor([3.0, 7.0, 11.0, 5.0]))
    assert_close(decoder.star(maps, POINTS, (6, 0)).rays, torch.ones(12))
