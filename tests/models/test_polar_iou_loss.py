"""What PolarIoULoss promises."""

import math

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.models import AreaIoULoss, PolarIoULoss

RAYS = torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]])
TARGET = torch.tensor([[2.0, 2.0, 1.0, 4.0], [5.0, 5.0, 5.0, 5.0]])


def test_it_is_the_log_of_the_sums_ratio():  # eq. 5
    # sum max = 2 + 2 + 3 + 4 = 11, sum min = 1 + 2 + 1 + 4 = 8; the second star is exact.
    assert_close(PolarIoULoss()(RAYS, TARGET), torch.tensor(math.log(11 / 8) / 2))


def test_power_2_compares_squares_as_published_code_does():
    # sum max = 4 + 4 + 9 + 16 = 33, sum min = 1 + 4 + 1 + 16 = 22.
    assert_close(PolarIoULoss(power=2)(RAYS, TARGET), torch.tensor(math.log(33 / 22) / 2))


def test_stars_count_by_their_weight():
    weight = torch.tensor([3.0, 1.0])
    expected = math.log(11 / 8)
    assert_close(PolarIoULoss()(RAYS, TARGET, weight), torch.tensor(expected * 3 / 4))
    assert_close(
        PolarIoULoss(loss_weight=1.5)(RAYS, TARGET, weight, avg_factor=2),
        torch.tensor(1.5 * expected * 3 / 2),
    )


def test_no_star_costs_nothing_and_still_has_a_gradient():
    rays = torch.zeros(0, 36, requires_grad=True)
    loss = PolarIoULoss()(rays, torch.zeros(0, 36))
    loss.backward()
    assert loss == 0
    assert rays.grad.shape == (0, 36)


@pytest.mark.parametrize('value', [0.0, 1e-8, 1e4])
def test_extreme_lengths_give_finite_loss_and_gradient(value):
    rays = torch.full((1, 36), 20.0, requires_grad=True)
    loss = PolarIoULoss()(rays, torch.full((1, 36), value))
    loss.backward()
    assert loss.isfinite()
    assert rays.grad.isfinite().all()


@pytest.mark.parametrize('power', [1.0, 2.0])
def test_gradients_are_those_of_finite_differences(power):
    generator = torch.Generator().manual_seed(0)
    rays = torch.rand(3, 7, dtype=torch.float64, generator=generator) * 20 + 1
    target = torch.rand(3, 7, dtype=torch.float64, generator=generator) * 20
    loss = PolarIoULoss(power=power)
    assert torch.autograd.gradcheck(lambda r: loss(r, target), rays.requires_grad_())


def test_a_power_of_zero_is_refused():
    with pytest.raises(ValueError, match='power must be above 0, got 0'):
        PolarIoULoss(power=0)


def test_the_area_loss_is_minus_the_log_of_the_iou():  # eq. 2 and 3
    # Circles of radius 1 and 2: 1 / 4.
    loss = AreaIoULoss()(torch.ones(1, 36), torch.full((1, 36), 2.0))
    assert_close(loss, torch.tensor(4.0).log())
    rays = torch.rand(3, 7, dtype=torch.float64) * 20 + 1
    target = torch.rand(3, 7, dtype=torch.float64) * 20
    loss = AreaIoULoss(loss_weight=2.0)
    assert torch.autograd.gradcheck(lambda r: loss(r, target), rays.requires_grad_())


@pytest.mark.parametrize('loss', [PolarIoULoss(), PolarIoULoss(power=2.0), AreaIoULoss()])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize('length', [0.0, 1e-4, 6e4])
@pytest.mark.parametrize('true_length', [0.0, 6e4])
def test_no_rays_give_nan_in_any_precision(loss, dtype, length, true_length):
    rays = torch.full((2, 36), length, dtype=dtype, requires_grad=True)
    value = loss(rays, torch.full((2, 36), true_length, dtype=dtype))
    value.backward()
    assert value.isfinite()
    assert rays.grad.isfinite().all()
