"""What MaskVectorHead and MaskVectorDecoder promise."""

import math

import pytest
import torch
from mmengine.registry import MODELS
from torch.testing import assert_close

from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import MaskVectorDecoder, MaskVectorHead, PolarTargetAssigner
from siampolarmask_mm.models.confidence import MAJORITY
from siampolarmask_mm.models.siamese_head import Prediction

POINTS = location_points((7, 7), 8, 65, torch.zeros(1))  # 8, 16, ..., 56
SURE = 30.0  # logit


@pytest.fixture
def head():
    return MaskVectorHead(8, cells=15, num_levels=1, feat_channels=16, num_convs=1)


@pytest.fixture
def loss():
    return MODELS.build(dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True))


def targets(columns=(20, 40)):
    mask = torch.zeros(1, 65, 65, dtype=torch.bool)
    mask[0, 30:37, slice(*columns)] = True
    return PolarTargetAssigner(12, representation='visible_union').assign(mask, POINTS)


def vectors(fill=-SURE):
    maps = torch.full((2, 1, 7, 7), 0.0)
    return Prediction(*maps, torch.full((1, 15**2, 7, 7), fill))


def paint(prediction, location, rows, columns):
    """Cells that are inside, counted from the location."""
    row, column = location
    cells = prediction.shape[0, :, row, column].view(15, 15)
    cells[slice(7 + rows[0], 8 + rows[1]), slice(7 + columns[0], 8 + columns[1])] = SURE


def test_true_vectors_have_no_loss_and_false_ones_a_large_one(head, loss):
    """Locations (24, 32) and (32, 32) see columns 20 to 39 and rows 30 to 36 by 2s."""
    assert targets().outlined.nonzero().tolist() == [[0, 3, 2], [0, 3, 3]]
    true = vectors()
    paint(true, (3, 2), (-1, 2), (-2, 7))
    paint(true, (3, 3), (-1, 2), (-6, 3))
    assert head.shape_loss(loss, true, targets(), POINTS) < 1e-6
    off = vectors()  # one column to the left
    paint(off, (3, 2), (-1, 2), (-3, 6))
    paint(off, (3, 3), (-1, 2), (-7, 2))
    wrong = 2 * 4 / 15**2  # share of cells
    value = head.shape_loss(loss, off, targets(), POINTS).item()
    assert value == pytest.approx(wrong * SURE, rel=1e-4)


def test_unsure_vectors_cost_the_logarithm_of_2(head, loss):
    value = head.shape_loss(loss, vectors(0.0), targets(), POINTS).item()
    assert value == pytest.approx(math.log(2), rel=1e-5)


def test_cells_outside_of_the_crop_count_for_nothing(head, loss):
    near_the_border = targets(columns=(0, 12))
    assert near_the_border.outlined.nonzero().tolist() == [[0, 3, 0]]
    true = vectors(SURE)  # where the crop ends, 4 cells left of (8, 32)
    cells = true.shape[0, :, 3, 0].view(15, 15)
    cells[:, 3:] = -SURE
    cells[6:10, 3:9] = SURE  # columns 0 to 10, rows 30 to 36
    assert head.shape_loss(loss, true, near_the_border, POINTS) < 1e-6


def test_an_even_number_of_cells_is_refused():
    with pytest.raises(ValueError, match='odd number of cells expected, got 64'):
        MaskVectorHead(8, cells=64)


def test_the_default_window_is_siammasks():
    head = MaskVectorHead(8, num_levels=1, feat_channels=16, num_convs=1)
    features = (torch.rand(1, 8, 3, 3),), (torch.rand(1, 8, 5, 5),)
    assert head(*features).shape.shape == (1, 63 * 63, 3, 3)
    assert head.cells * head.cell_size == 126


@pytest.fixture
def decoder():
    return MaskVectorDecoder(window_influence=0, num_rays=12, cell_size=2)


def seen(location, rows, columns):
    prediction = vectors()
    paint(prediction, location, rows, columns)
    prediction.scores.fill_(-SURE)
    prediction.scores[0, *location] = SURE
    return Prediction(*(part[0] for part in prediction))


def test_the_vector_is_laid_around_its_location(decoder):
    """Cells -5 to 1 and -2 to 3 of 2 pixels around (40, 24)."""
    maps = seen((2, 4), rows=(-2, 3), columns=(-5, 1))
    decoded = decoder.decode(maps, POINTS, torch.tensor([14.0, 12.0]), 65)
    expected = torch.zeros(65, 65, dtype=torch.bool)
    expected[24 - 4 : 24 + 7, 40 - 10 : 40 + 3] = True
    assert torch.equal(decoded.confidence > MAJORITY, expected)
    assert decoded.box.tolist() == [30, 20, 43, 31]
    row = decoder.raw_confidence(maps, POINTS, (2, 4), 65)[24]
    assert_close(row[[28, 29, 30, 42, 43, 44]], torch.tensor([0.0, 0.5, 1, 1, 0.5, 0]))


def test_a_window_that_leaves_the_crop_is_cut_there(decoder):
    maps = seen((0, 6), rows=(-7, 7), columns=(-7, 7))  # around (56, 8)
    mask = decoder.raw_confidence(maps, POINTS, (0, 6), 65) > 0.5
    assert mask[:23, 42:].all()
    assert mask.sum() == 23 * 23


def test_sizes_are_those_of_the_cells_box(decoder):
    maps = seen((2, 4), rows=(-2, 3), columns=(-5, 1))
    sizes = decoder.sizes(maps, POINTS)
    assert sizes[2, 4].tolist() == [14, 12]
    assert sizes[0, 0].tolist() == [0, 0]
    choice = decoder.choose(maps, POINTS, torch.tensor([14.0, 12.0]))
    assert choice.penalty == 1


def test_its_star_sees_the_cells(decoder):
    star = decoder.star(seen((2, 4), (-2, 3), (-5, 1)), POINTS, (2, 4))
    assert star.center.tolist() == [40, 24]
    # Cells reach half a cell beyond their middles.
    assert_close(star.rays[[0, 3, 6, 9]], torch.tensor([3.0, 7.0, 11.0, 5.0]))


def test_an_empty_vector_has_a_star_of_half_a_cell(decoder):
    maps = Prediction(*(part[0] for part in vectors()))
    assert_close(decoder.star(maps, POINTS, (3, 3)).rays, torch.ones(12))
