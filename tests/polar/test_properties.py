"""What holds for every star, tried on many (hypothesis)."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch.testing import assert_close

from siampolarmask_mm.polar import (
    cast_rays,
    recast,
    star_areas,
    star_masks,
    star_outlines,
    star_points,
    union_masks,
)

# Fixtures choose the way of computing, which is the same for all examples of a run.
examples = settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
pytestmark = pytest.mark.usefixtures('_both_ways')


@st.composite
def stars(draw, smallest=2.0, longest=40.0):
    """A center (1, 2) and rays (1, K) in float64, whatever the shape."""
    num_rays = draw(st.integers(4, 40))
    length = st.floats(smallest, longest)
    rays = draw(st.lists(length, min_size=num_rays, max_size=num_rays))
    center = draw(st.tuples(st.floats(-20, 80), st.floats(-20, 80)))
    return torch.tensor([center], dtype=torch.float64), torch.tensor(
        [rays], dtype=torch.float64
    )


@examples
@given(stars())
def test_encoding_a_star_from_its_center_gives_its_rays(star):
    center, rays = star
    for crossing in ('last', 'first', 'best'):
        cast = cast_rays(star_outlines(center, rays), center, rays.shape[1], crossing)
        assert_close(cast.lengths, rays)
        assert cast.crossings.eq(1).all()


@examples
@given(stars(), st.integers(0, 39))
def test_turning_by_a_ray_rolls_the_rays(star, steps):
    center, rays = star
    num_rays = rays.shape[1]
    angle = 2 * math.pi * steps / num_rays
    turn = [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    turn = torch.tensor(turn, dtype=torch.float64)  # for (x, y) @ turn
    eye = center + torch.tensor([0.7331, 0.4177]).double()  # not the star's own center
    outline = star_outlines(center, rays)
    turned = outline._replace(edges=(outline.edges - eye) @ turn + eye)
    before = cast_rays(outline, eye, num_rays, 'last').lengths
    after = cast_rays(turned, eye, num_rays, 'last').lengths
    assert_close(after, before.roll(steps, 1))


@examples
@given(stars(), st.floats(0.2, 5), st.tuples(st.floats(-50, 50), st.floats(-50, 50)))
def test_lengths_go_with_scale_and_stay_under_translation(star, scale, shift):
    center, rays = star
    shift = torch.tensor(shift).double()
    outline = star_outlines(center, rays)
    moved = outline._replace(edges=outline.edges * scale + shift)
    cast = cast_rays(moved, center * scale + shift, rays.shape[1], 'last').lengths
    assert_close(cast, rays * scale)


@examples
@given(st.floats(10, 25), st.floats(10, 25), st.floats(0, 2 * math.pi))
def test_recasting_there_and_back_keeps_an_ellipse(width, height, angle):
    """Up to what lies between two of 72 rays."""
    turn = torch.arange(72, dtype=torch.float64) * (2 * math.pi / 72)
    rays = 1 / torch.hypot(turn.cos() / width, turn.sin() / height)[None]
    center = torch.tensor([[30.0, 20.0]], dtype=torch.float64)
    near = center + 2 * torch.tensor([math.cos(angle), math.sin(angle)]).double()
    back = recast(near, recast(center, rays, near), center)
    assert_close(back, rays, atol=0.02 * max(width, height), rtol=0.0)


@examples
@given(st.lists(stars(), min_size=1, max_size=4))
def test_a_union_contains_each_part(parts):
    size = (60, 60)
    num_rays = min(rays.shape[1] for _, rays in parts)
    centers = torch.cat([center for center, _ in parts])
    rays = torch.cat([rays[:, :num_rays] for _, rays in parts])
    one = union_masks(centers, rays, torch.zeros(len(rays), dtype=torch.long), 1, size)[0]
    each = star_masks(centers, rays, size)
    assert torch.equal(each | one, one.expand_as(each))
    assert torch.equal(one, each.any(0))


@examples
@given(stars(smallest=5.0))
def test_the_raster_tends_to_the_area(star):
    """Off by less than one pixel on each pixel of the outline's length."""
    center, rays = star
    points = star_points(torch.full_like(center, 50.0), rays)[0]
    perimeter = float((points - points.roll(-1, 0)).norm(dim=1).sum())
    errors = []
    for scale in (1, 4):
        middle = torch.full_like(center, 50.0 * scale)
        count = star_masks(middle, rays * scale, (100 * scale, 100 * scale)).sum()
        errors.append(abs(float(count) / scale**2 - float(star_areas(rays))))
        assert errors[-1] < perimeter / scale


@examples
@given(stars())
def test_a_crop_shows_what_the_whole_shows_there(star):
    """Nothing outside leaks in, nothing inside is lost."""
    center, rays = star
    whole = star_masks(center + 70, rays, (220, 220))[0]
    crop = star_masks(center, rays, (50, 45))[0]
    assert torch.equal(crop, whole[70:120, 70:115])
