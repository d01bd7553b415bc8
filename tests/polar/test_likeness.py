"""What `siampolarmask_mm.polar` promises of centerness and of the IoU of two stars."""

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.polar import (
    area_iou,
    mean_centerness,
    opposite_centerness,
    polar_centerness,
    polar_iou,
    star_areas,
    star_masks,
)

CENTERNESSES = [polar_centerness, mean_centerness, opposite_centerness]
IOUS = [polar_iou, area_iou]


def test_centerness_is_the_root_of_shortest_over_longest():  # eq. 1
    assert_close(polar_centerness(torch.tensor([1.0, 4.0, 2.0, 2.0])), torch.tensor(0.5))
    assert polar_centerness(torch.tensor([0.0, 4.0])) == 0


def test_mean_centerness_counts_one_short_ray_for_half():
    # Mean 2: (0 / 2 + 2 / 4) / 2 = 1 / 4.
    assert_close(mean_centerness(torch.tensor([0.0, 4.0, 2.0, 2.0])), torch.tensor(0.5))


def test_opposite_centerness_is_one_in_the_middle_of_any_ellipse():
    assert_close(opposite_centerness(torch.tensor([9.0, 2.0, 9.0, 2.0])), torch.tensor(1.0))
    # Right 1, left 4; up and down alike: the mean of 1 / 4 and 1.
    assert_close(
        opposite_centerness(torch.tensor([1.0, 2.0, 4.0, 2.0])), torch.tensor(0.625).sqrt()
    )
    with pytest.raises(ValueError, match='even number of rays expected, got 3'):
        opposite_centerness(torch.ones(3))


@pytest.mark.parametrize('centerness', CENTERNESSES)
def test_a_circles_center_is_central_and_a_point_is_not(centerness):
    assert_close(centerness(torch.full((36,), 7.0)), torch.tensor(1.0))
    assert centerness(torch.zeros(36)) == 0


def test_polar_iou_is_the_ratio_of_sums_not_of_areas():  # eq. 4
    assert_close(
        polar_iou(torch.tensor([1.0, 2, 3, 4]), torch.tensor([2.0, 2, 1, 4])),
        torch.tensor((1 + 2 + 1 + 4) / (2 + 2 + 3 + 4)),
    )
    assert_close(polar_iou(torch.ones(36), torch.full((36,), 2.0)), torch.tensor(0.5))


def test_area_iou_is_that_of_areas():  # eq. 2 and 3
    assert_close(area_iou(torch.ones(36), torch.full((36,), 2.0)), torch.tensor(0.25))


def test_area_iou_of_edges_that_cross():
    # Diamonds 2 x 1 and 1 x 2 (half axes): in each quadrant two triangles of area 1 that
    # cross at (2/3, 2/3) share 2/3. So 4 2/3 over 4 (1 + 1 - 2/3).
    wide, high = torch.tensor([2.0, 1.0, 2.0, 1.0]), torch.tensor([1.0, 2.0, 1.0, 2.0])
    assert_close(area_iou(wide, high), torch.tensor(0.5))
    assert_close(area_iou(wide, wide), torch.tensor(1.0))


def test_area_iou_is_what_fine_pixels_count():
    generator = torch.Generator().manual_seed(2)
    rays = torch.rand(2, 11, generator=generator) * 300 + 50
    one, other = star_masks(torch.full((2, 2), 350.0), rays, (701, 701))
    counted = (one & other).sum() / (one | other).sum()
    assert_close(area_iou(rays[0], rays[1]), counted, atol=2e-3, rtol=0)
    assert_close(one.sum().float(), star_areas(rays[0]), rtol=1e-3, atol=0)


@pytest.mark.parametrize('iou', IOUS)
def test_stars_without_extent_are_equal_to_each_other_and_to_no_other(iou):
    assert iou(torch.zeros(36), torch.zeros(36)) == 1
    assert iou(torch.zeros(36), torch.ones(36)) == 0


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize('length', [0.0, 1e-7, 1.0, 6e4])
@pytest.mark.parametrize('function', CENTERNESSES + IOUS)
def test_extreme_rays_give_finite_values_and_gradients(function, length, dtype):
    rays = torch.full((2, 36), length, dtype=dtype, requires_grad=True)
    value = function(rays) if function in CENTERNESSES else function(rays, rays + 1)
    value.sum().backward()
    assert value.dtype == dtype
    assert value.isfinite().all()
    assert ((value >= 0) & (value <= 1)).all()
    assert rays.grad.isfinite().all()


@pytest.mark.parametrize('function', CENTERNESSES + IOUS)
def test_gradients_are_those_of_finite_differences(function):
    """Of what does not depend on scale, so that the detached scale does not show."""
    generator = torch.Generator().manual_seed(0)
    rays = torch.rand(2, 8, dtype=torch.float64, generator=generator) + 1
    others = [torch.rand(2, 8, dtype=torch.float64, generator=generator) + 1]
    if function in CENTERNESSES:
        others = []
    assert torch.autograd.gradcheck(lambda r: function(r, *others), rays.requires_grad_())


@pytest.mark.parametrize('difference', [1e-7, 1e-5, 1e-3])
def test_area_iou_of_nearly_equal_stars_is_exact_in_float32(difference):
    generator = torch.Generator().manual_seed(0)
    rays = torch.rand(500, 36, generator=generator) * 50 + 5
    other = rays * (1 + difference * torch.randn(500, 36, generator=generator))
    rays.requires_grad_()
    value = area_iou(rays, other)
    assert_close(value.double(), area_iou(rays.double(), other.double()), atol=2e-6, rtol=0)
    value.sum().backward()
    assert rays.grad.abs().max() < 0.1
