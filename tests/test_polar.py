"""What `siampolarmask_mm.polar` promises."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.polar import (
    cast_rays,
    mask_edges,
    polar_centerness,
    polar_iou,
    polygon_edges,
    recast,
    star_boxes,
    star_centroids,
    star_masks,
    star_points,
)

SQUARE = torch.tensor([[2.0, 1.0], [6.0, 1.0], [6.0, 5.0], [2.0, 5.0]])  # center (4, 3)


def disk(center, radius, size):
    y, x = np.mgrid[: size[0], : size[1]]
    return torch.from_numpy((x - center[0]) ** 2 + (y - center[1]) ** 2 <= radius**2)


def test_rays_turn_clockwise_as_displayed_from_the_right():
    # Off-axis, with four different lengths, so that any swap of axes or turn is caught.
    points = star_points(torch.tensor([[10.0, 20.0]]), torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    assert_close(points[0], torch.tensor([[11.0, 20], [10, 22], [7, 20], [10, 16]]))


def test_a_row_of_rays_is_needed_for_every_center():
    with pytest.raises(ValueError, match=r'\(3, 8\) rays for \(2, 2\) centers'):
        star_points(torch.zeros(2, 2), torch.zeros(3, 8))


def test_rays_of_a_square_end_on_its_sides_and_corners():
    edges = polygon_edges([SQUARE])
    rays = cast_rays(edges, torch.tensor([[4.0, 3.0]]), 8, 'last')
    root = 2 * math.sqrt(2)
    assert_close(rays.lengths[0], torch.tensor([2, root, 2, root, 2, root, 2, root]))
    assert rays.crossings.tolist() == [[1] * 8]  # a ray through a corner counts once
    assert rays.inside.tolist() == [True]


def test_rays_from_off_the_center_have_each_its_own_length():
    rays = cast_rays(polygon_edges([SQUARE]), torch.tensor([[3.0, 2.0]]), 4, 'last')
    assert_close(
        rays.lengths[0], torch.tensor([3.0, 3.0, 1.0, 1.0])
    )  # right, down, left, up


def test_first_and_last_crossing_of_two_parts():
    far = SQUARE + torch.tensor([10.0, 0.0])  # x from 12 to 16
    edges = polygon_edges([SQUARE, far])
    center = torch.tensor([[4.0, 3.0]])
    assert_close(cast_rays(edges, center, 4, 'last').lengths[0, 0], torch.tensor(12.0))
    assert_close(cast_rays(edges, center, 4, 'first').lengths[0, 0], torch.tensor(2.0))
    assert cast_rays(edges, center, 4, 'last').crossings[0].tolist() == [3, 1, 1, 1]


def test_a_center_in_a_hole_is_outside():
    hole = (SQUARE - torch.tensor([4.0, 3.0])) / 2 + torch.tensor([4.0, 3.0])
    rays = cast_rays(polygon_edges([SQUARE, hole]), torch.tensor([[4.0, 3.0]]), 4, 'first')
    assert rays.inside.tolist() == [False]
    assert_close(rays.lengths[0], torch.ones(4))


def test_rays_that_miss_have_no_length_and_no_crossing():
    rays = cast_rays(polygon_edges([SQUARE]), torch.tensor([[0.0, 3.0]]), 4, 'last')
    assert_close(rays.lengths[0], torch.tensor([6.0, 0.0, 0.0, 0.0]))
    assert rays.crossings[0].tolist() == [2, 0, 0, 0]


@pytest.mark.parametrize(('crossing', 'rays'), [('farthest', 8), ('last', 2)])
def test_unknown_crossings_and_too_few_rays_are_refused(crossing, rays):
    with pytest.raises(ValueError, match=r'farthest|at least 3'):
        cast_rays(polygon_edges([SQUARE]), torch.zeros(1, 2), rays, crossing)


def test_a_polygon_of_two_points_is_refused():
    with pytest.raises(
        ValueError, match=r'at least 3 \(x, y\) points expected, got \(2, 2\)'
    ):
        polygon_edges([SQUARE[:2]])


def test_float32_rays_equal_a_marching_reference(disk_with_arm):
    """Against walking along each ray of the bitmap in steps of 1/200 pixel."""
    mask, center = disk_with_arm
    rays = cast_rays(mask_edges(mask[None])[0], center[None], 36, 'last').lengths[0]
    steps = torch.arange(0, 80, 0.005, dtype=torch.float64)
    for k, length in enumerate(rays):
        angle = 2 * math.pi * k / 36
        x = (center[0] + steps * math.cos(angle)).round().long()
        y = (center[1] + steps * math.sin(angle)).round().long()
        inside = mask[y.clamp(0, 59), x.clamp(0, 79)] & (x < 80) & (y < 60)
        # The bitmap's own border is a staircase about the outline, half a pixel off.
        assert abs(float(steps[inside].max()) - float(length)) < 0.72


@pytest.fixture
def disk_with_arm():
    mask = disk((30, 30), 14, (60, 80))
    mask[28:33, 40:70] = True
    return mask, torch.tensor([30.0, 30.0])


def test_all_pixels_of_a_mask_and_no_others_are_inside_its_outline(disk_with_arm):
    mask, _ = disk_with_arm
    mask[30, 30] = False  # a hole of one pixel
    mask[5, 5] = mask[6, 6] = True  # two parts that touch at a corner
    mask[0, :] = True  # a part at the border
    y, x = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing='ij')
    pixels = torch.stack([x, y], dim=-1).view(-1, 2)
    rays = cast_rays(mask_edges(mask[None])[0], pixels, 36, 'last')
    assert torch.equal(rays.inside.view(60, 80), mask)
    assert torch.equal((rays.crossings % 2 == 1).all(-1).view(60, 80), mask)


def test_outlines_of_a_batch_equal_each_alone(disk_with_arm):
    mask, center = disk_with_arm
    masks = torch.stack([mask, torch.zeros_like(mask), disk((50, 20), 5, (60, 80))])
    together = cast_rays(mask_edges(masks), center[None, None].expand(3, 1, 2), 24, 'last')
    for number in range(3):
        alone = cast_rays(
            mask_edges(masks[number : number + 1]), center[None, None], 24, 'last'
        )
        assert_close(together.lengths[number], alone.lengths[0])
    assert together.lengths[1].eq(0).all()  # of an empty mask


def test_a_pixel_is_inside_a_star_up_to_the_edge_between_two_tips():
    # A diamond |x| + |y| <= 3 about (4, 4): 25 pixels.
    mask = star_masks(torch.tensor([[4.0, 4.0]]), torch.full((1, 4), 3.001), (9, 9))[0]
    y, x = torch.meshgrid(torch.arange(9), torch.arange(9), indexing='ij')
    assert torch.equal(mask, (x - 4).abs() + (y - 4).abs() <= 3)
    assert mask.sum() == 25


def test_a_star_cut_by_the_border_keeps_its_pixels_inside():
    whole = star_masks(torch.tensor([[20.0, 20.0]]), torch.full((1, 36), 15.5), (60, 60))[0]
    cut = star_masks(torch.tensor([[5.0, 2.0]]), torch.full((1, 36), 15.5), (20, 21))[0]
    assert torch.equal(cut, whole[18:38, 15:36])


def test_stars_far_outside_or_without_extent_have_no_pixel():
    centers = torch.tensor([[500.0, 500.0], [-90.0, 3.0], [5.0, 5.0]])
    rays = torch.tensor([[10.0] * 8, [10.0] * 8, [0.0] * 8])
    assert star_masks(centers, rays, (12, 14)).sum() == 0
    assert star_masks(centers[:0], rays[:0], (12, 14)).shape == (0, 12, 14)


def test_a_star_is_not_inflated_as_fill_poly_is():
    """cv2 paints border pixels as well: a disk of radius 20 has 1257 pixels, not 1345."""
    center, rays = torch.tensor([[40.0, 40.0]]), torch.full((1, 180), 20.0)
    ours = star_masks(center, rays, (80, 80))[0].numpy()
    assert abs(ours.sum() - math.pi * 400) < 12
    points = star_points(center, rays)[0].numpy()
    theirs = cv2.fillPoly(
        np.zeros((80, 80), np.uint8), [np.round(points * 16).astype(int)], 1, shift=4
    )
    assert theirs.sum() > ours.sum() + 60


def test_star_shaped_masks_survive_encoding_and_decoding():
    mask = disk((40.3, 30.8), 20, (60, 80))
    center = torch.tensor([[40.3, 30.8]])
    rays = cast_rays(mask_edges(mask[None]), center[None], 72, 'last').lengths[0]
    decoded = star_masks(center, rays, (60, 80))[0]
    assert (decoded & mask).sum() / (decoded | mask).sum() > 0.985


def test_a_stars_box_has_its_edges_between_pixels():
    # Tips at x 3 and 5, y 2 and 6: the pixels 3..5 and 2..6 are whole inside the box.
    box = star_boxes(torch.tensor([4.0, 4.0]), torch.tensor([1.0, 2.0, 1.0, 2.0]))
    assert_close(box, torch.tensor([3.5, 2.5, 5.5, 6.5]))


def test_the_centroid_of_a_star_is_that_of_its_area_not_its_rays_origin():
    # Tips (6, 0), (0, 2), (-3, 0), (0, -2): two triangles of area 6 whose centroids are at
    # x = 2, two of area 3 at x = -1, so (12 * 2 - 6 * 1) / 18 = 1.
    centroid = star_centroids(torch.zeros(2), torch.tensor([6.0, 2.0, 3.0, 2.0]))
    assert_close(centroid, torch.tensor([1.0, 0.0]))
    assert_close(star_centroids(torch.ones(2), torch.zeros(4)), torch.ones(2))


def test_recasting_describes_the_same_star_from_elsewhere():
    # The diamond |x| + |y| <= 4 seen from (1, 0).
    rays = recast(torch.zeros(1, 2), torch.full((1, 4), 4.0), torch.tensor([[1.0, 0.0]]))
    assert_close(rays, torch.tensor([[3.0, 3.0, 5.0, 3.0]]))


def test_centerness_is_the_root_of_shortest_over_longest():  # eq. 1
    assert_close(polar_centerness(torch.tensor([1.0, 4.0, 2.0, 2.0])), torch.tensor(0.5))
    assert_close(polar_centerness(torch.full((36,), 7.0)), torch.tensor(1.0))
    assert polar_centerness(torch.tensor([0.0, 4.0])) == 0
    assert polar_centerness(torch.zeros(36)) == 0


def test_polar_iou_is_the_ratio_of_sums_not_of_areas():  # eq. 4
    assert_close(
        polar_iou(torch.tensor([1.0, 2, 3, 4]), torch.tensor([2.0, 2, 1, 4])),
        torch.tensor((1 + 2 + 1 + 4) / (2 + 2 + 3 + 4)),
    )
    assert_close(polar_iou(torch.ones(36), torch.full((36,), 2.0)), torch.tensor(0.5))
    assert polar_iou(torch.zeros(36), torch.zeros(36)) == 1
