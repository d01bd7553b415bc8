"""What PolarTargetAssigner promises."""

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import PolarTargetAssigner
from siampolarmask_mm.models.polar_targets import CENTERNESS, mass_centers

POINTS = location_points((13, 13), 8, 129, torch.zeros(1))  # location 6 looks at pixel 64


def rectangle(x1, y1, x2, y2):
    """A mask of the pixels x1..x2, y1..y2, both included."""
    mask = torch.zeros(129, 129, dtype=torch.bool)
    mask[y1 : y2 + 1, x1 : x2 + 1] = True
    return mask


def assign(*masks, **kwargs):
    return PolarTargetAssigner(num_rays=4, **kwargs).assign(torch.stack(masks), POINTS)


def test_the_mass_center_is_the_mean_of_all_parts_pixels():
    two_parts = rectangle(0, 0, 0, 0) | rectangle(10, 4, 10, 4) | rectangle(10, 5, 10, 5)
    centers, exist = mass_centers(torch.stack([two_parts, torch.zeros_like(two_parts)]))
    assert_close(centers[0], torch.tensor([20 / 3, 3.0]))
    assert exist.tolist() == [True, False]


def test_nine_locations_around_the_center_are_positive():
    positive = assign(rectangle(44, 36, 100, 76)).positive[0]  # center (72, 56)
    assert positive.nonzero().tolist() == [[r, c] for r in (4, 5, 6) for c in (6, 7, 8)]


def test_each_positive_has_the_rays_from_where_it_stands():
    targets = assign(rectangle(44, 36, 100, 76))
    # Location (row 4, column 6) looks at (64, 48); sides are half a pixel outside.
    assert_close(
        targets.rays[0], torch.tensor([36.5, 28.5, 20.5, 12.5])
    )  # right down left up
    assert_close(targets.centerness[0], torch.tensor((12.5 / 36.5) ** 0.5))


def test_locations_off_a_thin_object_are_not_positive():
    positive = assign(rectangle(20, 62, 110, 66)).positive[0]
    assert positive.nonzero().tolist() == [[6, 5], [6, 6], [6, 7]]  # the row at y = 64 only


def test_a_ring_whose_center_is_outside_it_keeps_the_locations_around_the_center():
    ring = rectangle(24, 24, 104, 104) & ~rectangle(34, 34, 94, 94)
    targets = assign(ring)
    assert targets.positive.sum() == 9
    assert (targets.rays > 26).all()  # to the outer side


@pytest.mark.parametrize('representation', ['one_star', 'visible_union'])
def test_an_object_between_locations_has_the_nearest_one(representation):
    targets = assign(rectangle(68, 69, 69, 70), representation=representation, radius=0.3)
    assert targets.positive[0].nonzero().tolist() == [[7, 7]]  # which looks at (72, 72)
    # Up and left of the location, (72, 72), no ray meets it.
    assert_close(targets.rays, torch.zeros(1, 4))
    diagonal = PolarTargetAssigner(8, radius=0.3, representation=representation).assign(
        rectangle(68, 68, 69, 69)[None], POINTS
    )
    assert_close(diagonal.rays[0, 5], torch.tensor(4.5 * 2**0.5), atol=0.4, rtol=0)


def test_all_locations_inside_are_positive_for_the_visible_union():
    ring = rectangle(24, 24, 104, 104) & ~rectangle(34, 34, 94, 94)
    targets = assign(ring, representation='visible_union')
    looked_at = ring[POINTS[..., 1].long(), POINTS[..., 0].long()]
    assert torch.equal(targets.positive[0], looked_at)
    # Row 2, column 2 looks at (32, 32): it sees along the ring's upper and left part.
    index = targets.positive[0].nonzero().tolist().index([2, 2])
    assert_close(targets.rays[index], torch.tensor([72.5, 72.5, 8.5, 8.5]))


def test_the_visible_union_looks_no_further_than_the_first_exit():
    two = rectangle(24, 60, 50, 80) | rectangle(70, 60, 100, 80)
    one_star = assign(two, radius=5)
    union = assign(two, representation='visible_union')
    # Location (row 6, column 2) looks at (32, 64).
    row = [
        targets.positive[0].nonzero().tolist().index([6, 2])
        for targets in (one_star, union)
    ]
    assert_close(one_star.rays[row[0], 0], torch.tensor(68.5))
    assert_close(union.rays[row[1], 0], torch.tensor(18.5))


def test_the_crossing_is_a_choice_and_an_unknown_representation_is_refused():
    two = rectangle(24, 60, 50, 80) | rectangle(70, 60, 100, 80)
    targets = assign(two, representation='visible_union', crossing='last')
    assert targets.rays.max() > 60
    with pytest.raises(ValueError, match="got 'stars'"):
        PolarTargetAssigner(representation='stars')


def test_a_hidden_or_different_object_has_no_positive_location():
    targets = assign(rectangle(44, 36, 100, 76), torch.zeros(129, 129, dtype=torch.bool))
    assert targets.positive.sum((1, 2)).tolist() == [9, 0]
    assert targets.rays.shape == (9, 4)


def test_an_object_cut_by_the_crop_ends_at_its_border():
    targets = assign(rectangle(96, 40, 128, 80))
    row, column = targets.positive[0].nonzero()[0].tolist()
    x = POINTS[row, column, 0]
    assert_close(targets.rays[0, 0], 128.5 - x)


def test_the_radius_is_in_strides():
    assert assign(rectangle(24, 24, 104, 104), radius=0.5).positive.sum() == 1
    assert assign(rectangle(24, 24, 104, 104), radius=2).positive.sum() == 25


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(crossing='farthest'), "crossing must be one of .* got 'farthest'"),
        (dict(centerness='soft'), "centerness must be one of .* got 'soft'"),
        (dict(num_rays=2), 'num_rays from 3 and radius above 0 expected, got 2 and 1.5'),
        (dict(radius=-1), 'got 36 and -1'),
    ],
)
def test_wrong_arguments_are_refused_at_once(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PolarTargetAssigner(**kwargs)


def test_the_centerness_is_a_choice():
    box = rectangle(44, 36, 100, 76)
    kinds = {kind: assign(box, centerness=kind).centerness[4] for kind in CENTERNESS}
    # The middle location, (72, 56), has rays 28.5, 20.5, 28.5, 20.5.
    assert kinds['polar'] < kinds['mean'] < kinds['opposite'] == 1


def test_scores_count_by_halves_or_equally():
    masks = rectangle(44, 36, 100, 76), torch.zeros(129, 129, dtype=torch.bool)
    halves = assign(*masks)  # 9 of 2 x 169 locations are positive
    assert_close(halves.score_weights[halves.positive], torch.full((9,), 0.5 / 9))
    assert_close(halves.score_weights[~halves.positive], torch.full((329,), 0.5 / 329))
    equal = assign(*masks, balance='equal')
    assert_close(equal.score_weights, torch.full((2, 13, 13), 1 / 338))
    with pytest.raises(ValueError, match=r"balance must be one of .* got 'none'"):
        assign(*masks, balance='none')


@pytest.mark.parametrize('representation', ['one_star', 'visible_union'])
def test_of_a_box_the_middle_is_positive_and_the_rest_counts_for_nothing(representation):
    """The box of an unknown object beside an object whose outline is known."""
    box, known = rectangle(44, 36, 100, 76), rectangle(56, 56, 72, 72)
    assigner = PolarTargetAssigner(4, representation=representation)
    is_outline = torch.tensor([False, True])
    targets = assigner.assign(torch.stack([box, known]), POINTS, is_outline)
    # The middle is (72, 56): location (row 5, column 7).
    positive = targets.positive[0].nonzero().tolist()
    assert positive == [[r, c] for r in (4, 5, 6) for c in (6, 7, 8)]
    counts = targets.score_weights[0] > 0
    # Inside are columns 4 to 10 (pixels 48 to 96) and rows 3 to 7 (pixels 40 to 72).
    inside = torch.zeros(13, 13, dtype=torch.bool)
    inside[3:8, 4:11] = True
    assert torch.equal(~counts, inside & ~targets.positive[0])
    assert (targets.score_weights[1] > 0).all()
    assert_close(targets.score_weights.sum(), torch.tensor(1.0))
    assert not targets.outlined[0].any()
    assert torch.equal(targets.outlined[1], targets.positive[1])
    assert len(targets.rays) == targets.positive[1].sum() == 9


def test_boxes_weigh_as_their_locations_do():
    box = rectangle(44, 36, 100, 76)
    targets = PolarTargetAssigner(4, balance='equal').assign(
        box[None], POINTS, torch.tensor([False])
    )
    weights = targets.score_weights.unique()
    assert_close(weights, torch.tensor([0.0, 1 / (13 * 13 - 7 * 5 + 9)]))
