"""What `siampolarmask_mm.models.first_frame` promises."""

import numpy as np
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models.first_frame import fill_box, object_masks, template_masks


def test_a_box_fills_the_pixels_between_its_edges():
    filled = fill_box(torch.tensor([3.0, 4.0, 4.0, 6.0]), 9)
    assert filled.nonzero().tolist() == [[4, 3], [5, 3]]
    whole = fill_box(torch.tensor([-5.0, -5.0, 40.0, 40.0]), 9)
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


def test_of_training_crops_a_box_stands_for_a_missing_mask():
    mask = np.zeros((1, 9, 9), np.uint8)
    mask[0, 2, 5] = 1
    with_mask = InstanceData(bboxes=torch.zeros(1, 4), masks=BitmapMasks(mask, 9, 9))
    with_box = InstanceData(bboxes=torch.tensor([[3.0, 4.0, 4.0, 6.0]]))
    masks, is_outline = object_masks([with_mask, with_box], 9)
    assert is_outline.tolist() == [True, False]
    assert masks[0].nonzero().tolist() == [[2, 5]]
    assert masks[1].nonzero().tolist() == [[4, 3], [5, 3]]
