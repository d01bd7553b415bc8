"""Which parts of the objects are drawn, and with which colors."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models.search_view import SearchView
from siampolarmask_mm.video.choices import PARTS
from siampolarmask_mm.visualization import MaskVisualizer
from siampolarmask_mm.visualization.objects import draw_objects

GREY = np.full((60, 80, 3), 100, np.uint8)


@pytest.fixture
def instances():
    masks = torch.zeros(2, 60, 80, dtype=torch.bool)
    masks[0, 20:40, 10:30] = True
    points = location_points((2, 2), 8, 51, torch.zeros(1))
    view = SearchView(Crop((26.0, 26.0), 1.0, 51), points, torch.ones(2, 2))
    return InstanceData(
        masks=masks,
        bboxes=torch.tensor([[10.0, 20, 30, 40], [50, 30, 70, 50]]),
        centers=torch.tensor([[20.0, 30], [60, 40]]),
        rays=torch.full((2, 4), 9.0),
        confidences=torch.tensor([0.9, 0.1]),
        lost=torch.tensor([False, True]),
        searches=[view, None],
    )


@pytest.mark.parametrize('part', PARTS)
def test_each_part_is_drawn_alone(instances, part):
    drawn = draw_objects(GREY, instances, (part,))
    assert (drawn != 100).any()
    assert (GREY == 100).all()
    everything = draw_objects(GREY, instances, PARTS)
    assert (everything != drawn).any()


def test_colors_are_the_labels_own(instances):
    drawn = draw_objects(GREY, instances, ('masks',), labels=[4, 1])
    assert drawn[30, 20].tolist() == [55, 55, 113]  # 0.55 of grey, 0.45 of (0, 0, 128)


def test_boxes_stand_for_masks_that_are_not_there(instances):
    boxes = InstanceData(bboxes=instances.bboxes)
    drawn = draw_objects(GREY, boxes, ('masks', 'rays', 'window', 'scores', 'tags'))
    assert np.array_equal(drawn, draw_objects(GREY, instances, ('boxes',)))


def test_unknown_parts_are_refused(instances):
    with pytest.raises(ValueError, match=r"expected, got \['mask'\]"):
        draw_objects(GREY, instances, ('mask', 'rays'))


def test_the_visualizer_draws_the_same(instances):
    visualizer = MaskVisualizer('parts', parts=('masks', 'window'))
    drawn = visualizer.draw_instances(GREY, instances)
    assert np.array_equal(drawn, draw_objects(GREY, instances, ('masks', 'window')))
