"""What `siampolarmask_mm.polar` promises of rays."""

import math

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.polar import Outlines, cast_rays, mask_outlines, polygon_outlines

SQUARE = torch.tensor([[2.0, 1.0], [6.0, 1.0], [6.0, 5.0], [2.0, 5.0]])  # center (4, 3)
MIDDLE = torch.tensor([[4.0, 3.0]])

pytestmark = pytest.mark.usefixtures('_both_ways')


def right_of(polygon, x):
    return polygon + torch.tensor([x, 0.0])


def test_rays_of_a_square_end_on_its_sides_and_corners():
    rays = cast_rays(polygon_outlines([[SQUARE]]), MIDDLE, 8, 'last')
    root = 2 * math.sqrt(2)
    assert_close(rays.lengths[0], torch.tensor([2, root, 2, root, 2, root, 2, root]))
    assert rays.crossings.tolist() == [[1] * 8]  # a ray through a corner counts once
    assert rays.inside.tolist() == [True]


def test_rays_from_off_the_center_have_each_its_own_length():
    rays = cast_rays(polygon_outlines([[SQUARE]]), torch.tensor([[3.0, 2.0]]), 4, 'last')
    # right, down, left, up
    assert_close(rays.lengths[0], torch.tensor([3.0, 3.0, 1.0, 1.0]))


def test_crossings_of_two_parts():
    outlines = polygon_outlines([[SQUARE, right_of(SQUARE, 10.0)]])  # x 2..6 and 12..16
    lengths = {
        crossing: cast_rays(outlines, MIDDLE, 4, crossing).lengths[0, 0].item()
        for crossing in ('last', 'first', 'best')
    }
    assert lengths['last'] == pytest.approx(12)
    assert lengths['first'] == pytest.approx(2)
    # Areas go with squares: to 2 it is 4 / (4 + 144 - 64); to 12, 84 / 144.
    assert lengths['best'] == pytest.approx(12)
    assert cast_rays(outlines, MIDDLE, 4, 'last').crossings.tolist() == [[3, 1, 1, 1]]


def test_the_best_length_leaves_out_a_far_small_part():
    far = right_of(SQUARE, 10.0) * torch.tensor([0.5, 1.0])  # x from 6 to 8
    outlines = polygon_outlines([[SQUARE - torch.tensor([1.0, 0.0]), far]])  # and 1..5
    rays = cast_rays(outlines, torch.tensor([[1.5, 3.0]]), 4, 'best')
    # To 3.5: 12.25 / (12.25 + 42.25 - 20.25) = 0.358; to 6.5: 34.25 / 42.25 = 0.81.
    assert rays.lengths[0, 0] == pytest.approx(6.5)
    # Of x 33..33.1 there are 846.81 - 841 = 5.81. To 2: 4 / 9.81; to 29.1: 9.81 / 846.81.
    thin = SQUARE.clone()
    thin[:, 0] = torch.tensor([33.0, 33.1, 33.1, 33.0])
    outlines = polygon_outlines([[SQUARE, thin]])
    assert cast_rays(outlines, MIDDLE, 4, 'best').lengths[0, 0] == pytest.approx(2)
    assert cast_rays(outlines, MIDDLE, 4, 'last').lengths[0, 0] == pytest.approx(29.1)


def test_from_a_hole_the_first_exit_is_behind_the_object():
    hole = (SQUARE - MIDDLE) / 2 + MIDDLE
    outlines = polygon_outlines([[SQUARE, hole]])
    first = cast_rays(outlines, MIDDLE, 4, 'first')
    assert first.inside.tolist() == [False]
    assert_close(first.lengths[0], torch.full((4,), 2.0))


def test_rays_that_miss_are_not_valid():
    rays = cast_rays(polygon_outlines([[SQUARE]]), torch.tensor([[0.0, 3.0]]), 4, 'last')
    assert_close(rays.lengths[0], torch.tensor([6.0, 0.0, 0.0, 0.0]))
    assert rays.crossings[0].tolist() == [2, 0, 0, 0]
    assert rays.valid[0].tolist() == [True, False, False, False]


def test_rays_along_a_side_are_finite():
    for center in ([2.0, 1.0], [2.0, 3.0], [6.0, 5.0], [2.0, -4.0]):
        rays = cast_rays(polygon_outlines([[SQUARE]]), torch.tensor([center]), 8, 'last')
        assert rays.lengths.isfinite().all()
        assert (rays.lengths < 10).all()


@pytest.mark.parametrize(('crossing', 'rays'), [('farthest', 8), ('last', 2)])
def test_unknown_crossings_and_too_few_rays_are_refused(crossing, rays):
    with pytest.raises(ValueError, match=r'farthest|at least 3'):
        cast_rays(polygon_outlines([[SQUARE]]), torch.zeros(1, 2), rays, crossing)


def test_which_object_a_center_looks_at_must_be_told():
    two = polygon_outlines([[SQUARE], [right_of(SQUARE, 1.0)]])
    with pytest.raises(ValueError, match='which of 2 objects'):
        cast_rays(two, MIDDLE, 4, 'last')
    with pytest.raises(ValueError, match=r'one object for each of 1 expected, got \(2,\)'):
        cast_rays(two, MIDDLE, 4, 'last', of=torch.tensor([0, 1]))


def test_rays_equal_a_march_over_the_bitmap(disk_with_arm):
    """Against walking along each ray of the bitmap in steps of 1/200 pixel."""
    mask, center = disk_with_arm
    rays = cast_rays(mask_outlines(mask[None]), center[None], 36, 'last').lengths[0]
    steps = torch.arange(0, 80, 0.005, dtype=torch.float64)
    for k, length in enumerate(rays):
        angle = 2 * math.pi * k / 36
        x = (center[0] + steps * math.cos(angle)).round().long()
        y = (center[1] + steps * math.sin(angle)).round().long()
        inside = mask[y.clamp(0, 59), x.clamp(0, 79)] & (x < 80) & (y < 60)
        # The bitmap's own border is a staircase about the outline, half a pixel off.
        assert abs(float(steps[inside].max()) - float(length)) < 0.72


def reference_lengths(outlines, center, num_rays, crossing):
    """Every ray against every edge, one by one, in Python's float64."""
    lengths = []
    for k in range(num_rays):
        dx, dy = math.cos(2 * math.pi * k / num_rays), math.sin(2 * math.pi * k / num_rays)
        met = []
        for (x1, y1), (x2, y2) in (outlines.edges.double() - center.double()).tolist():
            side1, side2 = dx * y1 - dy * x1, dx * y2 - dy * x2
            if (side1 >= 0) != (side2 >= 0):
                share = side1 / (side1 - side2)
                distance = dx * (x1 + share * (x2 - x1)) + dy * (y1 + share * (y2 - y1))
                if distance > 0:
                    met.append(distance)
        met.sort()
        if crossing == 'last':
            lengths.append(met[-1] if met else 0)
        else:
            lengths.append(met[1 - len(met) % 2] if met else 0)
    return torch.tensor(lengths, dtype=torch.float32)


@pytest.mark.parametrize('crossing', ['last', 'first'])
@pytest.mark.parametrize('num_rays', [7, 36])
def test_float32_is_exact_to_a_thousandth_of_a_pixel(crossing, num_rays):
    """Thin, many-cornered objects far from the origin, as at 1080p."""
    generator = torch.Generator().manual_seed(num_rays)
    polygons = [
        torch.rand(60, 2, generator=generator) * 300 + torch.tensor([1500.0, 700.0]),
        torch.rand(5, 2, generator=generator) * 50 + torch.tensor([1600.0, 800.0]),
    ]
    outlines = polygon_outlines([polygons])
    for center in torch.rand(10, 2, generator=generator) * 300 + polygons[0].amin(0):
        lengths = cast_rays(outlines, center[None], num_rays, crossing).lengths[0]
        expected = reference_lengths(outlines, center, num_rays, crossing)
        assert_close(lengths, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize('crossing', ['last', 'first', 'best'])
def test_a_batch_equals_each_object_alone(disk_with_arm, crossing):
    mask, _ = disk_with_arm
    ring = mask.clone()
    ring[25:36, 25:36] = False
    masks = torch.stack([mask, torch.zeros_like(mask), ring])
    centers = torch.rand(30, 2, generator=torch.Generator().manual_seed(0)) * 60
    of = torch.arange(30) % 3
    together = cast_rays(mask_outlines(masks), centers, 24, crossing, of)
    for number in range(3):
        alone = cast_rays(
            mask_outlines(masks[number : number + 1]), centers[of == number], 24, crossing
        )
        assert_close(together.lengths[of == number], alone.lengths)
        assert torch.equal(together.crossings[of == number], alone.crossings)
    assert together.lengths[of == 1].eq(0).all()  # of an empty mask
    assert not together.valid[of == 1].any()


def test_the_type_of_the_centers_is_kept():
    outlines = polygon_outlines([[SQUARE.double()]])
    for dtype in (torch.float64, torch.float32, torch.float16):
        lengths = cast_rays(outlines, MIDDLE.to(dtype), 4, 'last').lengths
        assert lengths.dtype == dtype
        assert lengths.tolist() == [[2, 2, 2, 2]]


def test_gradients_reach_the_outline():
    """Moving the right side by 1 lengthens the ray to the right by 1."""
    corners = SQUARE.clone().requires_grad_()
    edges = torch.stack([corners, corners.roll(-1, 0)], dim=1)
    lengths = cast_rays(Outlines(edges, torch.tensor([4])), MIDDLE, 4, 'last').lengths
    lengths[0, 0].backward()
    assert_close(corners.grad.sum(0), torch.tensor([1.0, 0.0]))


def test_an_object_that_does_not_exist_is_refused():
    for owner in (-1, 1):
        with pytest.raises(ValueError, match=r'objects from 0 to 0 expected, got'):
            cast_rays(
                polygon_outlines([[SQUARE]]), MIDDLE, 4, 'last', torch.tensor([owner])
            )
