"""What `siampolarmask_mm.models.first_frame` promises."""

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models.first_frame import (
    fill_box,
    grow_from_point,
    object_masks,
    template_masks,
)


def test_a_box_fills_the_pixels_between_its_edges():
    filled = fill_box(torch.tensor([3.0, 4.0, 4.0, 6.0]), (9, 12))
    assert filled.shape == (9, 12)
    assert filled.nonzero().tolist() == [[4, 3], [5, 3]]
    whole = fill_box(torch.tensor([-5.0, -5.0, 40.0, 40.0]), (9, 12))
    assert whole.all()


def test_a_given_mask_is_cut_and_a_box_stands_for_a_missing_one():
    """At half the image's scale; the crop's middle, pixel 8, is pixel (40, 30)."""
    crops = [Crop((40.0, 30.0), 0.5, 17)] * 2
    boxes = torch.tensor([[36.5, 28.5, 44.5, 32.5]] * 2)
    mask = np.zeros((60, 80), np.uint8)
    mask[25:36, 35:42] = 1
    from_mask, from_box = template_masks(crops, boxes, [mask, None])
    # From -3.5 to 4.5 pixels of the image across, -1.5 to 2.5 down, edges and points
    # half a pixel apart: centers from -4 to 4 and -2 to 2, halved.
    rows, columns = from_box.nonzero().unbind(1)
    assert (columns.min(), columns.max()) == (6, 9)
    assert (rows.min(), rows.max()) == (7, 8)
    assert torch.equal(from_mask, torch.from_numpy(crops[0].cut_mask(mask)).bool())
    assert from_mask.any()


def test_a_box_is_cut_with_its_edges_between_pixels():
    """At twice the image's scale, where pixel 10 of the image is pixel 19 of the crop.

    The edges 3 and 5 are the points 2.5 and 4.5, which are at 4 and 8 in the crop; 4 and 6
    are at 6 and 10.
    """
    box = torch.tensor([[3.0, 4.0, 5.0, 6.0]])
    (filled,) = template_masks([Crop((10.0, 10.0), 2.0, 39)], box, [None])
    expected = torch.zeros(39, 39, dtype=torch.bool)
    expected[6:10, 4:8] = True
    assert torch.equal(filled, expected)


def test_of_training_crops_a_box_stands_for_a_missing_mask():
    mask = np.zeros((1, 9, 9), np.uint8)
    mask[0, 2, 5] = 1
    with_mask = InstanceData(bboxes=torch.zeros(1, 4), masks=BitmapMasks(mask, 9, 9))
    with_box = InstanceData(bboxes=torch.tensor([[3.0, 4.0, 4.0, 6.0]]))
    masks, is_outline = object_masks([with_mask, with_box], 9)
    assert is_outline.tolist() == [True, False]
    assert masks[0].nonzero().tolist() == [[2, 5]]
    assert masks[1].nonzero().tolist() == [[4, 3], [5, 3]]


def rectangle(x1, y1, x2, y2):
    mask = np.zeros((60, 80), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


OBJECT = rectangle(20, 10, 50, 40)


def sees(what, score=0.9):
    """A network that finds the same, whatever it is told, and what it was told."""
    told = []

    def look(box, mask):
        told.append((box, mask))
        return what.astype(bool), score

    return look, told


def test_from_a_point_grows_what_is_seen_there_and_not_what_lies_apart():
    look, told = sees(OBJECT | rectangle(60, 10, 70, 40))
    mask = grow_from_point(torch.tensor([30.2, 25.4]), (60, 80), look, first_sides=[0.2])
    assert np.array_equal(mask, OBJECT)
    box, disc = told[0]
    # 0.2 sqrt(60 * 80) / 2 = 6.9 pixels around pixel (30, 25).
    assert box.tolist() == [24, 19, 37, 32]
    assert disc[25, 24:37].all()
    assert disc.sum() == pytest.approx(np.pi * 6.93**2, rel=0.05)
    box, mask = told[1]
    assert box.tolist() == [20, 10, 50, 40]
    assert np.array_equal(mask, OBJECT)
    assert len(told) == 2  # it had found the same again


def test_it_grows_step_by_step_but_not_for_ever():
    def look(box, _):  # one pixel more to each side
        x1, y1, x2, y2 = box.int().tolist()
        return rectangle(x1 - 1, y1 - 1, x2 + 1, y2 + 1).astype(bool), 0.9

    point = torch.tensor([30.0, 25.0])
    mask = grow_from_point(point, (60, 80), look, first_sides=[0.2], num_looks=3)
    assert np.array_equal(mask, rectangle(24 - 3, 19 - 3, 37 + 3, 32 + 3))


def test_of_several_sizes_the_one_that_is_found_again_is_taken():
    def look(box, _):  # too little, the object, or all: the object is stable and sure
        x1, _, x2, _ = box.tolist()
        if x2 - x1 < 10:
            return rectangle(27, 22, 34, 28).astype(bool), 0.3
        if x2 - x1 < 40:
            return OBJECT.astype(bool), 0.8
        return rectangle(0, 0, int(x2) - 10, 60).astype(bool), 0.9  # ever less

    point = torch.tensor([30.0, 25.0])
    mask = grow_from_point(point, (60, 80), look, first_sides=(0.1, 0.3, 0.9), num_looks=2)
    assert np.array_equal(mask, OBJECT)


def test_where_nothing_is_seen_the_point_s_disc_is_the_object():
    look, told = sees(rectangle(60, 10, 70, 40))
    mask = grow_from_point(torch.tensor([30.0, 25.0]), (60, 80), look)
    assert np.array_equal(mask, told[0][1])
    assert len(told) == 3


def test_a_point_outside_of_the_image_is_refused():
    with pytest.raises(ValueError, match='a point within 80 x 60 pixels expected'):
        grow_from_point(torch.tensor([80.0, 25.0]), (60, 80), sees(OBJECT)[0])
