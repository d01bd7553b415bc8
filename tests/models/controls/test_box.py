"""What BoxHead and BoxDecoder promise."""

import math

import pytest
import torch
from mmengine.registry import MODELS
from torch.testing import assert_close

from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import BoxDecoder, BoxHead, PolarTargetAssigner
from siampolarmask_mm.models.confidence import MAJORITY
from siampolarmask_mm.models.controls.box import mask_boxes
from siampolarmask_mm.models.siamese_head import Prediction

POINTS = location_points((7, 7), 8, 65, torch.zeros(1))  # 8, 16, ..., 56


@pytest.fixture
def head():
    return BoxHead(8, num_levels=1, num_rays=12, feat_channels=16, num_convs=1)


@pytest.fixture
def loss():
    return MODELS.build(dict(type='mmdet.IoULoss'))


def targets():
    """A mask of columns 20 to 39 and rows 30 to 36, whose middle is (29.5, 33)."""
    mask = torch.zeros(1, 65, 65, dtype=torch.bool)
    mask[0, 30:37, 20:40] = True
    return PolarTargetAssigner(12, representation='visible_union').assign(mask, POINTS)


def everywhere(left_top, right_bottom):
    """Boxes with these corners (points) at all locations."""
    left_top, right_bottom = torch.tensor(left_top), torch.tensor(right_bottom)
    distances = torch.cat([POINTS - left_top, right_bottom - POINTS], dim=-1)
    maps = torch.zeros(2, 1, 7, 7)
    return Prediction(*maps, distances.permute(2, 0, 1)[None])


def test_the_true_box_has_no_loss(head, loss):
    assert targets().outlined.nonzero().tolist() == [[0, 3, 2], [0, 3, 3]]
    true = everywhere([19.5, 29.5], [39.5, 36.5])  # half a pixel around pixels' middles
    assert head.shape_loss(loss, true, targets(), POINTS) < 1e-5


def test_half_the_box_costs_the_logarithm_of_2(head, loss):
    half = everywhere([19.5, 29.5], [29.5, 36.5])
    value = head.shape_loss(loss, half, targets(), POINTS).item()
    assert value == pytest.approx(math.log(2), rel=1e-5)


def test_boxes_of_masks_have_their_edges_between_pixels():
    masks = torch.zeros(2, 9, 9, dtype=torch.bool)
    masks[0, 4, 3] = True
    assert mask_boxes(masks).tolist() == [[3, 4, 4, 5], [0, 0, 0, 0]]


def seen(distances, location=(3, 3)):
    prediction = Prediction(
        torch.full((7, 7), -30.0), torch.full((7, 7), 30.0), torch.full((4, 7, 7), 8.0)
    )
    prediction.scores[location] = 30.0
    prediction.shape[:, *location] = torch.tensor(distances)
    return prediction


@pytest.fixture
def decoder():
    return BoxDecoder(window_influence=0, num_rays=12)


def test_the_mask_is_the_filled_box(decoder):
    """From (40, 24): columns 40 - 10 to 40 + 3, rows 24 - 2 to 24 + 5."""
    maps = seen([10.5, 2.5, 3.5, 5.5], location=(2, 4))
    decoded = decoder.decode(maps, POINTS, torch.tensor([14.0, 8.0]), 65)
    expected = torch.zeros(65, 65, dtype=torch.bool)
    expected[22:30, 30:44] = True
    assert torch.equal(decoded.confidence > MAJORITY, expected)
    assert decoded.box.tolist() == [30, 22, 44, 30]


def test_confidence_is_the_covered_share_of_a_pixel(decoder):
    maps = seen([10.25, 8.5, 8.75, 8.5])  # from (32, 32)
    row = decoder.raw_confidence(maps, POINTS, (3, 3), 65)[32]
    assert_close(row[[21, 22, 23, 40, 41]], torch.tensor([0.0, 0.75, 1.0, 1.0, 0.25]))


def test_a_box_that_leaves_the_crop_is_cut_there(decoder):
    mask = decoder.raw_confidence(seen([90.0, 8.5, 90.0, 8.5]), POINTS, (3, 3), 65) > 0.5
    assert mask[24:41].all()
    assert mask.sum() == 17 * 65


def test_its_star_ends_at_the_box(decoder):
    star = decoder.star(seen([10.0, 4.0, 6.0, 20.0]), POINTS, (3, 3))
    assert star.center.tolist() == [32, 32]
    # Every 30 degrees from the right, downwards: at 30 the right side is met.
    expected = [6.0, 6 / math.cos(math.pi / 6), 6 / math.cos(math.pi / 3), 20.0]
    assert_close(star.rays[:4], torch.tensor(expected))
    assert_close(star.rays[[6, 9]], torch.tensor([10.0, 4.0]))
    assert_close(star.rays[7], torch.tensor(4 / math.sin(math.pi / 6)))


def test_a_change_in_size_is_penalized(decoder):  # eq. 7
    maps = seen([20.0, 20.0, 20.0, 20.0])
    size = torch.tensor([20.0, 20.0])
    choice = decoder.choose(maps, POINTS, size)
    assert choice.location == (3, 3)
    assert choice.penalty == pytest.approx(math.exp(-0.04))  # twice as large: 2 - 1
    maps.scores[3, 4], maps.shape[:, 3, 4] = 25.0, 10.0
    assert decoder.choose(maps, POINTS, size).location == (3, 4)


def test_no_threshold_is_sought(decoder):
    assert not decoder.seeks_threshold
