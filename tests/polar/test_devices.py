"""Plain code, compiled code and a GPU give the same."""

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.models import PolarTargetAssigner
from siampolarmask_mm.polar import (
    Outlines,
    cast_rays,
    compiled,
    fuse_stars,
    mask_outlines,
    polygon_outlines,
    recast,
    soft_star_masks,
    star_centroids,
    star_masks,
    star_sizes,
    union_masks,
)
from siampolarmask_mm.polar.painting import pixel_grid

POINTS = pixel_grid((15, 20), torch.zeros(1)) * 4


@pytest.fixture(params=['compiled', 'cuda'])
def other(request, monkeypatch):
    """The device to compare with, after plain code has run on the CPU."""
    if request.param == 'compiled':
        if compiled.numba is None:
            pytest.skip('numba is not installed')
    elif not torch.cuda.is_available():
        pytest.skip('no GPU')
    fits = compiled.fits
    monkeypatch.setattr(compiled, 'fits', lambda *_: False)

    def switch():
        monkeypatch.setattr(compiled, 'fits', fits)
        return 'cuda' if request.param == 'cuda' else 'cpu'

    return switch


@pytest.fixture
def masks(disk_with_arm):
    """Three masks full of holes, and an empty one."""
    noise = torch.rand(4, 60, 80, generator=torch.Generator().manual_seed(1))
    return disk_with_arm[0] & (noise > torch.tensor([0.0, 0.02, 0.2, 1.0])[:, None, None])


@pytest.mark.parametrize('crossing', ['last', 'first', 'best'])
def test_rays(crossing, masks, other):
    of = torch.arange(len(POINTS)) % 4
    plain = cast_rays(mask_outlines(masks), POINTS, 36, crossing, of)
    device = other()
    outlines = Outlines(*(part.to(device) for part in mask_outlines(masks)))
    there = cast_rays(outlines, POINTS.to(device), 36, crossing, of.to(device))
    assert_close(there.lengths.cpu(), plain.lengths)
    assert torch.equal(there.crossings.cpu(), plain.crossings)


def test_masks_and_votes(other):
    generator = torch.Generator().manual_seed(3)
    centers = torch.rand(30, 2, generator=generator) * 60
    rays = torch.rand(30, 24, generator=generator) * 20
    of = torch.arange(30) % 3

    def paint(device):
        here = centers.to(device), rays.to(device)
        return (
            star_masks(*here, (50, 64)).cpu(),
            union_masks(*here, of.to(device), 3, (50, 64), reach=12.0).cpu(),
            fuse_stars(*here, torch.ones(30, device=device), (50, 64)).cpu(),
            soft_star_masks(*here, (50, 64)).cpu(),
        )

    for plain, there in zip(paint('cpu'), paint(other()), strict=True):
        assert_close(there, plain, atol=1e-4, rtol=1e-4)  # plain code has float32


def test_sizes_centroids_and_recast_rays(other):
    generator = torch.Generator().manual_seed(4)
    centers = torch.rand(30, 2, generator=generator) * 60
    rays = torch.rand(30, 24, generator=generator) * 20
    rays[3] = 0
    rays[4, ::2] = 0
    maps = rays.view(5, 6, 24).permute(2, 0, 1).contiguous().permute(1, 2, 0)

    def describe(device):
        here = centers.to(device), rays.to(device)
        centroids = star_centroids(*here)
        parts = star_sizes(maps.to(device)), centroids, recast(*here, centroids)
        return [part.cpu() for part in parts]

    for plain, there in zip(describe('cpu'), describe(other()), strict=True):
        assert_close(there, plain, atol=1e-4, rtol=1e-5)


def test_masks_of_stars_on_whole_pixels(other):
    """Outlines that run along rows and columns, through pixels and through the center."""
    generator = torch.Generator().manual_seed(5)
    centers = torch.randint(-4, 24, (400, 2), generator=generator) / 2
    rays = torch.randint(0, 9, (400, 8), generator=generator).float()
    plain = star_masks(centers, rays, (11, 14))
    device = other()
    there = star_masks(centers.to(device), rays.to(device), (11, 14))
    assert torch.equal(there.cpu(), plain)


def test_votes_of_stars_that_are_far_away_or_nowhere(other):
    centers = torch.tensor([[10.0, 10.0], [1e30, 10.0], [5.0, -40.0], [torch.nan, 3.0]])
    rays, scores = torch.full((4, 8), 5.0), torch.ones(4)
    plain = fuse_stars(centers[:1], rays[:1], scores[:1], (20, 20))
    device = other()
    there = fuse_stars(centers.to(device), rays.to(device), scores.to(device), (20, 20))
    assert_close(there.cpu(), plain, atol=1e-5, rtol=0)
    none = fuse_stars(*(x[:0].to(device) for x in (centers, rays, scores)), (20, 20))
    assert none.shape == (20, 20)
    assert not none.any()


def test_votes_with_the_hardest_edges(other):
    star = torch.tensor([[10.3, 10.1]]), torch.full((1, 8), 5.0), torch.ones(1)
    plain = fuse_stars(*star, (20, 20), softness=1e-13)
    device = other()
    there = fuse_stars(*(x.to(device) for x in star), (20, 20), softness=1e-13)
    assert plain.sum() > 10
    assert_close(there.cpu(), plain, atol=1e-5, rtol=0)


def test_rays_that_are_no_numbers_or_infinite(other):
    rays = torch.full((3, 8), 5.0)
    rays[0, 2] = torch.nan
    rays[1, 2] = torch.inf
    centers = torch.full((3, 2), 9.0)
    plain_masks = star_masks(centers, rays, (20, 20))
    device = other()
    masks = star_masks(centers.to(device), rays.to(device), (20, 20)).cpu()
    assert torch.equal(masks, plain_masks)
    assert masks[2].any()
    assert star_sizes(rays.to(device))[0].isnan().all()
    assert star_centroids(centers.to(device), rays.to(device))[0].isnan().all()


@pytest.mark.parametrize('representation', ['one_star', 'visible_union'])
def test_targets(representation, masks, other):
    assigner = PolarTargetAssigner(representation=representation, stride=4)
    points = POINTS.view(15, 20, 2)
    plain = assigner.assign(masks, points)
    device = other()
    there = assigner.assign(masks.to(device), points.to(device))
    assert torch.equal(there.positive.cpu(), plain.positive)
    assert_close(there.rays.cpu(), plain.rays)


def test_an_empty_batch_is_on_the_device_asked_for(other):
    device = other()
    outlines = polygon_outlines([[], []], device=device)
    points = torch.zeros(2, 2, device=device)
    lengths = cast_rays(outlines, points, 4, 'last', torch.arange(2, device=device)).lengths
    assert lengths.tolist() == [[0.0] * 4] * 2
