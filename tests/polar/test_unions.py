"""What `siampolarmask_mm.polar` promises of unions of stars."""

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.polar import (
    cast_rays,
    covering_scores,
    fuse_stars,
    mask_outlines,
    star_masks,
    union_masks,
)
from siampolarmask_mm.polar.painting import pixel_grid


@pytest.fixture
def horseshoe():
    """A mask that no star can hold, all points on a grid of 4 pixels, their rays."""
    mask = torch.zeros(64, 64, dtype=torch.bool)
    mask[10:54, 10:54] = True
    mask[10:40, 24:40] = False
    points = pixel_grid((16, 16), torch.zeros(1)) * 4 + 2
    rays = cast_rays(mask_outlines(mask[None]), points, 72, 'first')
    return mask, points, rays


def iou(one, other):
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.usefixtures('_both_ways')
def test_a_union_holds_all_of_its_stars_and_nothing_else(horseshoe):
    mask, points, rays = horseshoe
    own = torch.zeros(int(rays.inside.sum()), dtype=torch.long)
    union = union_masks(points[rays.inside], rays.lengths[rays.inside], own, 1, (64, 64))[0]
    each = star_masks(points[rays.inside], rays.lengths[rays.inside], (64, 64))
    assert torch.equal(union, each.any(0))
    assert iou(union, mask) > 0.97
    assert max(iou(star, mask) for star in each) < 0.8


@pytest.mark.usefixtures('_both_ways')
def test_each_star_goes_to_its_object():
    centers = torch.tensor([[5.0, 5.0], [20.0, 5.0], [7.0, 5.0]])
    rays = torch.full((3, 12), 4.2)
    unions = union_masks(centers, rays, torch.tensor([2, 0, 2]), 3, (11, 26))
    each = star_masks(centers, rays, (11, 26))
    assert torch.equal(unions[0], each[1])
    assert not unions[1].any()
    assert torch.equal(unions[2], each[0] | each[2])


@pytest.mark.usefixtures('_both_ways')
def test_a_cap_keeps_a_wrong_ray_near_its_center():
    rays = torch.full((1, 36), 6.0)
    rays[0, 3:6] = 25.0
    center, own = torch.tensor([[30.0, 30.0]]), torch.zeros(1, dtype=torch.long)
    capped = union_masks(center, rays, own, 1, (60, 60), reach=8.0)[0]
    far = (pixel_grid((60, 60), center) - center).norm(dim=1).view(60, 60) > 8.001
    assert union_masks(center, rays, own, 1, (60, 60))[0][far].any()
    assert not capped[far].any()


@pytest.mark.usefixtures('_both_ways')
@pytest.mark.parametrize('reach', [None, 8.0])
def test_one_map_of_scores_holds_the_unions_for_all_thresholds(horseshoe, reach):
    _, points, rays = horseshoe
    points, lengths = points[rays.inside] + 0.25, rays.lengths[rays.inside] * 1.01
    scores = torch.linspace(0.05, 0.95, len(points))[torch.randperm(len(points))]
    covering = covering_scores(points, lengths, scores, (64, 64), reach)
    for threshold in (0.0, 0.3, 0.72):
        own = torch.zeros(int((scores > threshold).sum()), dtype=torch.long)
        stars = points[scores > threshold], lengths[scores > threshold]
        union = union_masks(*stars, own, 1, (64, 64), reach)[0]
        assert torch.equal(covering > threshold, union)
    assert set(covering.unique().tolist()) <= {0, *scores.tolist()}


@pytest.mark.usefixtures('_both_ways')
def test_scores_are_painted_at_the_map_s_border_and_nowhere_else():
    centers = torch.tensor([[-2.0, 3.0], [11.0, 3.0], [40.0, 3.0]])
    scores = torch.tensor([0.4, 0.7, 0.9])
    covering = covering_scores(centers, torch.full((3, 36), 4.5), scores, (7, 12))
    assert_close(covering[3], torch.tensor([0.4] * 3 + [0.0] * 4 + [0.7] * 5))
    none = covering_scores(torch.zeros(0, 2), torch.zeros(0, 8), torch.zeros(0), (6, 7))
    assert none.shape == (6, 7)
    assert not none.any()


@pytest.mark.usefixtures('_both_ways')
def test_votes_of_true_stars_restore_a_shape_that_no_star_holds(horseshoe):
    mask, points, rays = horseshoe
    confidence = fuse_stars(
        points, rays.lengths, rays.inside.float(), (64, 64), reach=10, softness=0.5
    )
    assert iou(confidence > 0.5, mask) > 0.9
    assert ((confidence >= 0) & (confidence <= 1)).all()


@pytest.mark.usefixtures('_both_ways')
def test_among_many_a_wrong_star_is_outvoted(horseshoe):
    mask, points, rays = horseshoe
    wrong = rays.lengths.clone()
    wrong[int(rays.inside.nonzero()[20])] = 60.0
    before, after = (
        fuse_stars(points, r, rays.inside.float(), (64, 64), reach=10, softness=0.5) > 0.5
        for r in (rays.lengths, wrong)
    )
    own = torch.zeros(int(rays.inside.sum()), dtype=torch.long)
    union = union_masks(points[rays.inside], wrong[rays.inside], own, 1, (64, 64))[0]
    assert iou(before, after) > 0.99
    assert iou(union, mask) < 0.7  # the plain union believes it


@pytest.mark.usefixtures('_both_ways')
def test_a_pixel_hears_only_the_stars_within_reach():
    # Two stars 6 apart, both of which hold everything.
    centers = torch.tensor([[10.0, 10.0], [16.0, 10.0]])
    confidence = fuse_stars(
        centers,
        torch.full((2, 12), 90.0),
        torch.tensor([1.0, 0.5]),
        (20, 40),
        8.0,
        doubt=0.1,
    )[10]
    both = (1 - 3**2 / 8**2) ** 2  # how near both are to x = 13
    for x, weight in {6: (1 - 4**2 / 8**2) ** 2, 13: 1.5 * both, 30: 0}.items():
        expected = torch.tensor(weight / (weight + 0.1))
        assert_close(confidence[x], expected, atol=1e-3, rtol=0)


def test_votes_are_counted_alike_with_and_without_numba(horseshoe, monkeypatch):
    pytest.importorskip('numba', reason='needs numba')
    _, points, rays = horseshoe
    stars = points + 0.3, rays.lengths, torch.rand(len(points))
    one = fuse_stars(*stars, (64, 60), reach=9.5)
    monkeypatch.setattr('siampolarmask_mm.polar.compiled.numba', None)
    assert_close(one, fuse_stars(*stars, (64, 60), reach=9.5), atol=1e-5, rtol=0)


def test_gradients_reach_rays_and_scores():
    rays = torch.full((3, 8), 5.0, requires_grad=True)
    scores = torch.full((3,), 0.7, requires_grad=True)
    fuse_stars(torch.rand(3, 2) * 10 + 5, rays, scores, (20, 20)).sum().backward()
    assert (rays.grad > 0).any()
    assert (scores.grad != 0).all()


def test_no_star_is_no_object_and_no_reach_is_refused():
    none = torch.zeros(0, 2), torch.zeros(0, 8), torch.zeros(0)
    assert not fuse_stars(*none, (6, 7)).any()
    with pytest.raises(ValueError, match='reach above 0 expected, got 0'):
        fuse_stars(*none, (6, 7), reach=0)


@pytest.mark.usefixtures('_both_ways')
@pytest.mark.parametrize('owner', [-1, 2])
def test_an_object_that_does_not_exist_is_refused(owner):
    of = torch.tensor([0, owner])
    with pytest.raises(ValueError, match='objects from 0 to 1 expected'):
        union_masks(torch.zeros(2, 2), torch.ones(2, 8), of, 2, (9, 9))


@pytest.mark.usefixtures('_both_ways')
def test_very_many_stars_on_one_pixel_are_still_there():
    centers, rays = torch.full((40_000, 2), 1.0), torch.full((40_000, 4), 1.5)
    of = torch.zeros(40_000, dtype=torch.long)
    assert union_masks(centers, rays, of, 1, (3, 3))[0, 1, 1]
