"""What `siampolarmask_mm.polar` promises of outlines."""

import pytest
import torch

from siampolarmask_mm.polar import cast_rays, mask_outlines, polygon_outlines

SQUARE = torch.tensor([[2.0, 1.0], [6.0, 1.0], [6.0, 5.0], [2.0, 5.0]])  # center (4, 3)


def test_objects_of_different_complexity_stand_one_after_another():
    outlines = polygon_outlines([[SQUARE], [], [SQUARE[:3], SQUARE]])
    assert outlines.counts.tolist() == [4, 0, 7]
    assert outlines.starts.tolist() == [0, 4, 4]
    assert outlines.edges[4].tolist() == [[2, 1], [6, 1]]
    assert outlines.edges[6].tolist() == [[6, 5], [2, 1]]  # the last corner joins the first


def test_a_polygon_of_two_points_is_refused():
    with pytest.raises(
        ValueError, match=r'at least 3 \(x, y\) points expected, got shape \(2, 2\)'
    ):
        polygon_outlines([[SQUARE[:2]]])


def test_no_objects_have_no_outlines():
    assert polygon_outlines([]).counts.shape == (0,)
    assert mask_outlines(torch.zeros(0, 5, 5, dtype=torch.bool)).counts.shape == (0,)
    empty = mask_outlines(torch.zeros(2, 5, 5, dtype=torch.bool))
    assert empty.counts.tolist() == [0, 0]
    assert empty.edges.shape == (0, 2, 2)


def test_all_pixels_of_a_mask_and_no_others_are_inside_its_outline(disk_with_arm):
    mask, _ = disk_with_arm
    mask[30, 30] = False  # a hole of one pixel
    mask[5, 5] = mask[6, 6] = True  # two parts that touch at a corner
    mask[0, :] = True  # a part at the border
    y, x = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing='ij')
    pixels = torch.stack([x, y], dim=-1).view(-1, 2)
    rays = cast_rays(mask_outlines(mask[None]), pixels, 36, 'last')
    assert torch.equal(rays.inside.view(60, 80), mask)
    assert torch.equal((rays.crossings % 2 == 1).all(-1).view(60, 80), mask)


def test_a_mask_that_fills_its_image_closes_half_a_pixel_beyond_it():
    rays = cast_rays(
        mask_outlines(torch.ones(1, 5, 9, dtype=torch.bool)),
        torch.tensor([[2.0, 2.0]]),
        4,
        'last',
    )
    assert rays.lengths.tolist() == [[6.5, 2.5, 2.5, 2.5]]
