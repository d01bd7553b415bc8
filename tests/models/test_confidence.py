"""What `siampolarmask_mm.models.confidence` promises."""

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.models.confidence import (
    best_threshold,
    keep_part,
    mask_box,
    move_majority,
    star_confidence,
)
from siampolarmask_mm.polar import star_masks


def test_odds_are_divided_by_those_of_the_threshold():
    moved = move_majority(torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0]), 0.8)
    # 1/4, 1 and 4 to 1, divided by 4 to 1.
    assert_close(moved, torch.tensor([0.0, 1 / 17, 0.2, 0.5, 1.0]))
    assert_close(move_majority(moved, 0.2), torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0]))


def test_of_the_mask_only_the_part_at_the_point_is_kept():
    confidence = torch.full((9, 12), 0.3)
    confidence[2:5, 1:4] = 0.8
    confidence[5, 4] = 0.6  # touches a corner
    confidence[2:5, 7:10] = 0.9
    kept = keep_part(confidence, torch.tensor([2.2, 2.8]))
    expected = confidence.clone()
    expected[2:5, 7:10] = 0
    assert torch.equal(kept, expected)
    assert torch.equal(keep_part(confidence, torch.tensor([11.0, 8.0])), confidence)


def test_a_point_between_pixels_is_in_the_even_one():
    confidence = torch.full((9, 12), 0.3)
    confidence[2:5, 1:4] = confidence[2:5, 8:10] = confidence[3, 6] = 0.8
    kept = keep_part(confidence, torch.tensor([6.5, 2.5]))
    assert torch.equal(kept, confidence)  # row 2 has no mask there
    kept = keep_part(confidence, torch.tensor([6.5, 3.5]))
    assert torch.equal(kept, confidence)  # nor has row 4
    kept = keep_part(confidence, torch.tensor([6.5, 3.0]))
    assert (kept > 0.5).nonzero().tolist() == [[3, 6]]


def test_a_mask_s_box_has_its_edges_between_pixels():
    mask = torch.zeros(6, 9, dtype=torch.bool)
    assert mask_box(mask) is None
    mask[4, 3] = mask[2, 7] = True
    assert mask_box(mask).tolist() == [3, 2, 8, 5]


def test_the_best_threshold_is_that_of_trying_all():
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing='ij')
    distance = ((x - 20) ** 2 + (y - 18) ** 2).sqrt()
    truth = distance < 9
    noise = 0.05 * torch.rand(40, 40, generator=generator)
    confidence = (1 - distance / 24).clamp(0, 0.95) + noise  # 0.64 on the true outline
    tried = torch.linspace(0.2, 0.9, 141)
    overlaps = torch.stack(
        [
            ((confidence > t) & truth).sum() / ((confidence > t) | truth).sum()
            for t in tried.tolist()
        ]
    )
    found = best_threshold(confidence, truth, 0.2, 0.9)
    good = tried[overlaps >= overlaps.max() - 0.01]
    assert float(good.min()) - 0.01 <= found <= float(good.max()) + 0.01
    assert found == pytest.approx(0.64, abs=0.03)
    assert best_threshold(confidence, truth, 0.2, 0.5) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    'center', [(20.3, 18.4), (1.2, 38.5), (-30.0, 5.0), (500.0, 500.0)]
)
def test_a_star_s_confidence_has_its_outline_at_one_half(center):
    center, rays = torch.tensor(center), torch.linspace(5.0, 14.0, 16)
    confidence = star_confidence(center, rays, 41)
    mask = star_masks(center[None], rays[None], (41, 41))[0]
    assert torch.equal(confidence > 0.5, mask)
    assert confidence.shape == (41, 41)
