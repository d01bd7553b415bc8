"""What `siampolarmask_mm.polar` promises of stars."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.polar import (
    cast_rays,
    mask_outlines,
    recast,
    soft_star_masks,
    star_areas,
    star_boxes,
    star_centroids,
    star_distances,
    star_masks,
    star_points,
    star_sizes,
)
from siampolarmask_mm.polar.painting import pixel_grid

pytestmark = pytest.mark.usefixtures('_both_ways')


def test_rays_turn_clockwise_as_displayed_from_the_right():
    # Off-axis, with four different lengths, so that any swap of axes or turn is caught.
    points = star_points(torch.tensor([[10.0, 20.0]]), torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    assert_close(points[0], torch.tensor([[11.0, 20], [10, 22], [7, 20], [10, 16]]))


def test_a_row_of_rays_is_needed_for_every_center():
    with pytest.raises(ValueError, match=r'\(3, 8\) rays for \(2, 2\) centers'):
        star_points(torch.zeros(2, 2), torch.zeros(3, 8))


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
    y, x = np.mgrid[:60, :80]
    mask = torch.from_numpy((x - 40.3) ** 2 + (y - 30.8) ** 2 <= 400)
    center = torch.tensor([[40.3, 30.8]])
    rays = cast_rays(mask_outlines(mask[None]), center, 72, 'last').lengths
    decoded = star_masks(center, rays, (60, 80))[0]
    assert (decoded & mask).sum() / (decoded | mask).sum() > 0.985


def test_a_stars_box_has_its_edges_between_pixels():
    # Tips at x 3 and 5, y 2 and 6: edges at a point's x are half a pixel further.
    box = star_boxes(torch.tensor([4.0, 4.0]), torch.tensor([1.0, 2.0, 1.0, 2.0]))
    assert_close(box, torch.tensor([3.5, 2.5, 5.5, 6.5]))


def test_the_centroid_of_a_star_is_that_of_its_area_not_its_rays_origin():
    # Tips (6, 0), (0, 2), (-3, 0), (0, -2): two triangles of area 6 whose centroids are at
    # x = 2, two of area 3 at x = -1, so (12 * 2 - 6 * 1) / 18 = 1.
    centroid = star_centroids(torch.zeros(2), torch.tensor([6.0, 2.0, 3.0, 2.0]))
    assert_close(centroid, torch.tensor([1.0, 0.0]))
    assert_close(star_centroids(torch.ones(2), torch.zeros(4)), torch.ones(2))
    several = star_centroids(torch.ones(2), torch.ones(3, 4))
    assert_close(several, torch.ones(3, 2))


def test_recasting_describes_the_same_star_from_elsewhere():
    # The diamond |x| + |y| <= 4 seen from (1, 0).
    rays = recast(torch.zeros(1, 2), torch.full((1, 4), 4.0), torch.tensor([[1.0, 0.0]]))
    assert_close(rays, torch.tensor([[3.0, 3.0, 5.0, 3.0]]))
    for few in (dict(centers=torch.zeros(2, 2)), dict(new_centers=torch.zeros(2, 2))):
        good = dict(centers=torch.zeros(1, 2), new_centers=torch.zeros(1, 2))
        with pytest.raises(ValueError, match='one row of rays per center expected'):
            recast(rays=torch.ones(1, 4), **(good | few))
    with pytest.raises(ValueError, match='at least 3 rays, got 2'):
        recast(torch.zeros(1, 2), torch.ones(1, 2), torch.zeros(1, 2))
    double = torch.zeros(1, 2, dtype=torch.float64)
    assert recast(torch.zeros(1, 2), torch.ones(1, 4), double).dtype == torch.float64


def random_stars(number, num_rays, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centers = torch.rand(number, 2, generator=generator) * 60
    return centers, torch.rand(number, num_rays, generator=generator) * 30


def test_masks_are_where_the_signed_distance_is_positive():
    centers, rays = random_stars(20, 9)
    masks = star_masks(centers, rays, (50, 64)).flatten(1)
    distances = star_distances(centers, rays, pixel_grid((50, 64), centers))
    sure = distances.abs() > 1e-3
    assert torch.equal(masks[sure], (distances > 0)[sure])
    assert 0.05 < masks.float().mean() < 0.5


def test_an_empty_sector_has_no_pixel():
    # Rays right, down, left, up; without the one down, only the upper half is left.
    mask = star_masks(
        torch.tensor([[5.0, 5.0]]), torch.tensor([[4.5, 0, 4.5, 4.5]]), (11, 11)
    )
    assert not mask[0, 6:].any()
    assert mask[0, :5].sum() > 10


def test_distances_are_along_the_direction_of_a_point():
    # The diamond of radius 4 about (5, 5): along +x the edge is at 4, along the diagonal at
    # 2 root 2; (5, 5) itself is 4 inside.
    points = torch.tensor([[7.0, 5.0], [6.0, 6.0], [5.0, 12.0], [5.0, 5.0]])
    distances = star_distances(torch.tensor([[5.0, 5.0]]), torch.full((1, 4), 4.0), points)
    assert_close(distances, torch.tensor([[2.0, math.sqrt(2), -3.0, 4.0]]))


def test_soft_masks_are_half_on_the_outline_and_hard_ones_in_the_limit():
    centers, rays = random_stars(5, 12, seed=3)
    soft = soft_star_masks(centers, rays, (50, 64), softness=1e-4)
    hard = star_masks(centers, rays, (50, 64))
    assert ((soft > 0.5) != hard).float().mean() < 1e-3
    on_edge = soft_star_masks(torch.tensor([[5.0, 5.0]]), torch.full((1, 4), 4.0), (11, 11))
    assert_close(on_edge[0, 5, 9], torch.tensor(0.5))
    with pytest.raises(ValueError, match='softness above 0 expected, got 0'):
        soft_star_masks(centers, rays, (5, 5), softness=0)


def test_gradients_of_soft_masks_are_those_of_finite_differences():
    centers = torch.tensor([[3.3, 4.2]], dtype=torch.float64, requires_grad=True)
    rays = torch.rand(1, 7, dtype=torch.float64) * 3 + 1
    assert torch.autograd.gradcheck(
        lambda c, r: soft_star_masks(c, r, (9, 8)), (centers, rays.requires_grad_())
    )


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize('length', [0.0, 1e-7, 6e4])
def test_extreme_rays_have_finite_distances_and_gradients(dtype, length):
    rays = torch.full((1, 12), length, dtype=dtype, requires_grad=True)
    centers = torch.tensor([[4.0, 4.0]], dtype=dtype)
    distances = star_distances(centers, rays, pixel_grid((9, 9), centers))
    distances.sum().backward()
    assert distances.isfinite().all()
    assert rays.grad.isfinite().all()
    assert star_masks(centers, rays, (9, 9)).any() == (length > 0)


def test_area_and_size_of_a_diamond():
    rays = torch.tensor([3.0, 2.0, 3.0, 2.0])  # 6 wide, 4 high
    assert_close(star_areas(rays), torch.tensor(12.0))
    assert_close(star_sizes(rays), torch.tensor([6.0, 4.0]))


def test_the_number_of_pixels_is_about_the_area():
    centers, rays = random_stars(30, 36)
    count = star_masks(centers + 40, rays, (150, 150)).sum((1, 2))
    assert_close(count.float(), star_areas(rays), rtol=0.05, atol=25)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_areas_and_centroids_are_finite_in_any_precision(dtype):
    rays = torch.tensor([[60.0, 40, 60, 40] * 9, [0.0] * 36, [6e4] * 36], dtype=dtype)
    centers = torch.full((3, 2), 100.0, dtype=dtype)
    rays.requires_grad_()
    areas, centroids = star_areas(rays), star_centroids(centers, rays)
    assert areas.isfinite().all()
    assert_close(areas[0], star_areas(rays[0].double()).float(), rtol=1e-2, atol=0)
    assert_close(centroids[:2].double(), torch.full((2, 2), 100.0).double(), atol=1, rtol=0)
    (centroids[:2].sum() + areas[:2].sum()).backward()
    assert rays.grad[:2].isfinite().all()


def test_soft_masks_of_half_precision_know_pixels_beyond_256():
    centers, rays = torch.tensor([[300.0, 260.0]]), torch.full((1, 36), 30.0)
    exact = soft_star_masks(centers, rays, (320, 400))
    half = soft_star_masks(centers.bfloat16(), rays.bfloat16(), (320, 400))
    assert_close(half, exact, atol=1e-3, rtol=0)


def test_a_center_for_each_star_is_needed():
    with pytest.raises(ValueError, match='3 centers expected, got 1'):
        star_masks(torch.zeros(1, 2), torch.ones(3, 8), (9, 9))
