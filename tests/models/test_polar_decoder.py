"""What PolarDecoder promises."""

import math

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import PolarDecoder
from siampolarmask_mm.models.confidence import MAJORITY
from siampolarmask_mm.models.decoded import Choice, Star
from siampolarmask_mm.models.location_ranking import change_penalty, cosine_window
from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.polar import cast_rays, polygon_outlines, star_boxes, star_masks

POINTS = location_points((5, 5), 8, 65, torch.zeros(1))


def prediction(scores, rays=10.0, centerness=0.0):
    """Maps of 5 x 5: logits as given by location, circles of one radius elsewhere."""
    score_map = torch.full((5, 5), -20.0)
    ray_map = torch.full((36, 5, 5), 10.0)
    for (row, column), logit in scores.items():
        score_map[row, column] = logit
    if isinstance(rays, dict):
        for (row, column), length in rays.items():
            ray_map[:, row, column] = length
    return PolarPrediction(score_map, torch.full((5, 5), centerness), ray_map)


def test_change_in_scale_and_ratio_is_penalized():
    """By hand, from 10 x 20 to 20 x 20.

    Old: p = 15, s = sqrt(25 * 35), r = 1/2. New: p = 20, s = 40, r = 1.
    """
    scale = 40 / math.sqrt(25 * 35)
    expected = math.exp(-0.04 * (scale * 2 - 1))
    old, new = torch.tensor([10.0, 20.0]), torch.tensor([20.0, 20.0])
    assert_close(change_penalty(new, old, 0.04), torch.tensor(expected))
    assert_close(
        change_penalty(old, new, 0.04), torch.tensor(expected)
    )  # shrinking as growing
    assert change_penalty(old, old, 0.04) == 1
    assert change_penalty(old, new, 0) == 1


def test_the_window_is_1_in_the_middle_and_0_at_the_border():
    window = cosine_window(5, 7, torch.zeros(1))
    assert window[2, 3] == 1
    assert window[0].max() == window[:, -1].max() == 0
    assert_close(window[1, 3], torch.tensor(0.5))  # Hann: sin^2(pi / 4)


def test_the_best_of_score_penalty_and_window_is_taken():  # eq. 7
    scores = {(2, 2): 0.0, (1, 1): 1.0}  # in the middle 0.5, off it 0.731
    size = torch.tensor([20.0, 20.0])

    def place(window_influence):
        decoder = PolarDecoder(window_influence, penalty_k=0, use_centerness=False)
        return decoder.choose(prediction(scores), POINTS, size).star.center.tolist()

    # w = 0.2: 0.8 * 0.5 + 0.2 * 1 = 0.6 in the middle, 0.8 * 0.731 + 0.2 * 0.25 = 0.635
    # off it; w = 0.3: 0.65 and 0.587.
    assert place(0.2) == POINTS[1, 1].tolist()
    assert place(0.3) == POINTS[2, 2].tolist()


def test_the_penalty_enters_the_choice():
    maps = prediction({(2, 1): 1.0, (2, 3): 0.9}, rays={(2, 1): 30.0, (2, 3): 10.0})
    size = torch.tensor([20.0, 20.0])  # what a radius of 10 gives
    with_penalty = PolarDecoder(0, penalty_k=0.3).choose(maps, POINTS, size)
    assert with_penalty.star.center.tolist() == POINTS[2, 3].tolist()
    assert with_penalty.penalty == pytest.approx(1.0)
    without = PolarDecoder(0, penalty_k=0).choose(maps, POINTS, size)
    assert without.star.center.tolist() == POINTS[2, 1].tolist()


def test_rows_are_y_and_columns_are_x():
    choice = PolarDecoder(0).choose(prediction({(1, 3): 5.0}), POINTS, torch.ones(2))
    assert choice.star.center.tolist() == [32 + 8, 32 - 8]


def test_centerness_multiplies_the_score_where_it_is_switched_on():
    maps = prediction({(2, 2): 2.0}, centerness=1.0)
    sigmoid = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    size = torch.tensor([20.0, 20.0])
    on = PolarDecoder(use_centerness=True).choose(maps, POINTS, size)
    off = PolarDecoder(use_centerness=False).choose(maps, POINTS, size)
    assert on.score == pytest.approx(sigmoid(2) * sigmoid(1))
    assert off.score == pytest.approx(sigmoid(2))


def circle(x, y, radius):
    return Star(torch.tensor([x, y]), torch.full((36,), radius))


def choice(score=1.0, penalty=1.0):
    return Choice(circle(0.0, 0.0, 1.0), score, penalty)


def test_smoothing_moves_lengths_by_rate_times_score_times_penalty():
    decoder = PolarDecoder(update_rate=0.5)
    star = decoder.smooth(circle(0.0, 0.0, 10.0), circle(40.0, 5.0, 20.0), choice(0.8, 0.5))
    assert_close(star.rays, torch.full((36,), 10 + 0.5 * 0.8 * 0.5 * 10), atol=1e-3, rtol=0)
    assert_close(star.center, torch.tensor([40.0, 5.0]), atol=1e-3, rtol=0)  # does not lag


def test_ten_frames_of_growth_and_of_shrinkage_follow_alike():
    decoder = PolarDecoder(update_rate=1.0)
    for factor in (1.1, 1 / 1.1):
        star = circle(50.0, 50.0, 40.0)
        for frame in range(1, 11):
            star = decoder.smooth(star, circle(50.0, 50.0, 40 * factor**frame), choice(0.9))
        assert float(star.rays.mean()) / (40 * factor**10) == pytest.approx(1, abs=0.03)


def test_one_shape_seen_from_two_origins_stays_that_shape():
    """A square's star from (0, 0) and from (3, 2): averaging ray by ray would bend it."""
    corners = torch.tensor([[-10.4, -10.4], [10.4, -10.4], [10.4, 10.4], [-10.4, 10.4]])
    stars = [
        Star(
            center,
            cast_rays(polygon_outlines([[corners]]), center[None], 360, 'last').lengths[0],
        )
        for center in (torch.tensor([0.0, 0.0]), torch.tensor([3.0, 2.0]))
    ]
    smooth = PolarDecoder(update_rate=0.5).smooth(*stars, choice())
    mask = star_masks(smooth.center[None] + 16, smooth.rays[None], (33, 33))[0]
    square = torch.zeros(33, 33, dtype=torch.bool)
    square[6:27, 6:27] = True
    assert (mask ^ square).sum() <= 8


def ellipse(angle, origin):
    """Half axes of 30 and 12 pixels, turned about (40, 40), seen from an origin."""
    turn = torch.linspace(0, 2 * math.pi, 361)[:-1]
    x, y = 30 * turn.cos(), 12 * turn.sin()
    sine, cosine = math.sin(angle), math.cos(angle)
    outline = 40 + torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=-1)
    rays = cast_rays(polygon_outlines([[outline]]), origin[None], 72, 'last')
    return Star(origin, rays.lengths[0])


def test_an_object_that_turns_is_followed_from_any_origin():
    """By 10 degrees a frame, its star's origin going round with it, 6 pixels off."""
    decoder = PolarDecoder(update_rate=0.6)
    star = None
    for frame in range(19):
        angle = math.radians(10 * frame)
        origin = 40 + 6 * torch.tensor([math.cos(angle), math.sin(angle)])
        seen = ellipse(angle, origin)
        star = seen if star is None else decoder.smooth(star, seen, choice())
        stars = (torch.stack(pair) for pair in zip(star, seen, strict=True))
        masks = star_masks(*stars, (81, 81))
        overlap = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
        assert overlap > 0.8


def test_without_a_rate_the_new_star_is_taken_as_it_is():
    new = circle(4.0, 5.0, 6.0)
    assert (
        PolarDecoder(update_rate=None).smooth(circle(0.0, 0.0, 1.0), new, choice()) is new
    )


def test_a_window_influence_above_1_is_refused():
    with pytest.raises(ValueError, match='window_influence from 0 to 1 expected, got 2'):
        PolarDecoder(window_influence=2)


def seen_at(*locations, length=6.0):
    """A prediction of equal stars, sure of some of 7 x 7 locations, and its points."""
    prediction = PolarPrediction(
        scores=torch.full((7, 7), -30.0),
        centerness=torch.full((7, 7), 30.0),
        rays=torch.full((12, 7, 7), length),
    )
    for location in locations:
        prediction.scores[location] = 30.0
    return prediction, location_points((7, 7), 8, 65, torch.zeros(1))


def decode(prediction, points, threshold=None, **kwargs):
    """Mask (65, 65) and what it comes from."""
    decoder = PolarDecoder(**dict(dict(decoding='visible_union'), **kwargs))
    size = torch.tensor([12.0, 12.0])
    decoded = decoder.decode(prediction, points, size, 65, threshold)
    assert decoded.confidence.dtype == torch.float32
    assert ((decoded.confidence >= 0) & (decoded.confidence <= 1)).all()
    return decoded.confidence > MAJORITY, decoded


@pytest.mark.parametrize('fusion', ['plain', 'capped'])
def test_a_union_is_of_the_stars_that_hang_together_with_the_best(fusion):
    prediction, points = seen_at((2, 4), (3, 5), (4, 2))  # the last one is apart
    prediction.scores[4, 2] = 2.0
    mask, decoded = decode(prediction, points, fusion=fusion)
    assert decoded.choice.location in {(2, 4), (3, 5)}
    stars = star_masks(points[[2, 3], [4, 5]], torch.full((2, 12), 6.0), (65, 65)).any(0)
    assert torch.equal(mask, stars)
    # Centers (40, 24) and (48, 32); 12 rays reach 6 pixels to each side.
    assert_close(decoded.box, torch.tensor([34.0, 18.0, 55.0, 39.0]))


def test_a_vote_holds_where_stars_agree():
    prediction, points = seen_at((3, 3), (3, 4), (4, 3), (4, 4), length=14.0)
    prediction.rays[:, 4, 4] = 26.0  # three others know better
    mask, _ = decode(prediction, points, fusion='vote')
    assert mask[28:45, 28:45].all()
    assert not mask[36, 58:].any()


def test_a_capped_ray_ends_three_strides_away():
    prediction, points = seen_at((3, 3), length=28.0)
    plain, _ = decode(prediction, points, fusion='plain')
    capped, decoded = decode(prediction, points, fusion='capped')
    assert plain[32, 32 + 27]
    assert capped[32, 32 + 24]
    assert not capped[32, 32 + 25 :].any()
    assert_close(decoded.box, torch.tensor([8.0, 8.0, 57.0, 57.0]))


def test_the_score_map_is_interpolated_between_locations():
    prediction, points = seen_at()
    prediction.scores[3, 2:5] = torch.tensor([0.2, 0.6, 0.4]).logit()
    _, decoded = decode(prediction, points, fusion='score_map')
    row = decoded.confidence[32]  # locations at pixels 24, 32 and 40
    assert_close(row[[24, 28, 32, 36, 40]], torch.tensor([0.2, 0.4, 0.6, 0.5, 0.4]))
    assert_close(decoded.confidence[30, 32], torch.tensor(0.6 * 6 / 8))
    assert decoded.confidence[:8].max() == decoded.confidence[:, 57:].max() == 0
    # Above 0.5 are pixels 30 to 35 of that row: 0.2 + 0.05 (x - 24), 0.6 - 0.025 (x - 32).
    assert_close(decoded.box[[0, 2]], torch.tensor([31.0, 36.0]))


def test_confidence_is_moved_such_that_the_threshold_is_one_half():
    prediction, points = seen_at()
    for column, score in ((2, 0.9), (3, 0.8), (4, 0.6)):
        prediction.scores[3, column] = torch.tensor(score).logit()
    mask, decoded = decode(prediction, points, threshold=0.75)
    raw = decoded.raw
    assert_close(raw[32, [20, 28, 36, 45]], torch.tensor([0.9, 0.9, 0.8, 0.6]))
    # By hand: odds of 9, 4 and 1.5 to 1, divided by 3.
    expected = torch.tensor([3 / 4, (4 / 3) / (7 / 3), 0.5 / 1.5])
    assert_close(decoded.confidence[32, [20, 36, 45]], expected)
    assert torch.equal(mask, raw > 0.75)
    decoder = PolarDecoder(decoding='visible_union', threshold=0.75)
    own = decoder.decode(prediction, points, torch.tensor([12.0, 12.0]), 65)
    assert torch.equal(own.confidence, decoded.confidence)


def test_without_a_sure_location_the_best_one_is_the_object():
    prediction, points = seen_at()
    prediction.scores[2, 5] = -1.0
    mask, decoded = decode(prediction, points, window_influence=0.0)
    assert decoded.choice.location == (2, 5)
    expected = star_masks(points[2:3, 5], torch.full((1, 12), 6.0), (65, 65))[0]
    assert torch.equal(mask, expected)


def test_where_nothing_is_seen_the_mask_is_empty_and_the_box_a_star_s():
    prediction, points = seen_at()
    mask, decoded = decode(prediction, points)
    assert not mask.any()
    assert_close(decoded.box, star_boxes(*decoded.choice.star))


def test_one_star_is_surer_the_farther_inside():
    prediction, points = seen_at((3, 3), length=9.0)
    mask, decoded = decode(prediction, points, decoding='one_star')
    star = decoded.choice.star
    assert torch.equal(
        mask, star_masks(star.center[None], star.rays[None], (65, 65))[0] & mask
    )
    sigmoid = torch.sigmoid(torch.tensor([9.0, 4.0, 0.0, -1.0, -5.0]) / 2)
    assert_close(decoded.confidence[32, 32 + torch.tensor([0, 5, 9, 10, 14])], sigmoid)
    assert decoded.confidence[:10].max() == 0
    assert_close(decoded.box, torch.tensor([24.0, 24.0, 41.0, 41.0]))


def test_one_star_that_leaves_the_crop_is_cut_there():
    prediction, points = seen_at((0, 3), length=12.0)  # at (32, 8)
    mask, decoded = decode(prediction, points, decoding='one_star', window_influence=0.0)
    assert mask[0, 32]
    assert decoded.box[1] == 0
    assert_close(decoded.confidence[8, 32], torch.sigmoid(torch.tensor(6.0)))


def test_the_threshold_is_the_one_that_reproduces_the_first_mask():
    """Three nested masks with raw confidences 1, 0.93 and 0.6."""
    prediction, points = seen_at((3, 3), (3, 4))
    prediction.scores[4, 3:5] = torch.tensor(0.7).logit()
    prediction.scores[5, 3:5] = torch.tensor(0.4).logit()
    decoder = PolarDecoder(decoding='visible_union')
    _, decoded = decode(prediction, points)
    # The middle of what is allowed: from 0.7 to 0.8, 0.4 to 0.7, and 0.2 to 0.4.
    for rows, expected in ((slice(3, 4), 0.75), (slice(3, 5), 0.55), (slice(3, 6), 0.3)):
        centers = points[rows, 3:5].flatten(0, 1)
        truth = star_masks(centers, torch.full((len(centers), 12), 6.0), (65, 65)).any(0)
        found = decoder.find_threshold(decoded.raw, truth)
        assert found == pytest.approx(expected, abs=0.01)
        again, _ = decode(prediction, points, threshold=found)
        assert torch.equal(again, truth)


@pytest.mark.parametrize(
    'kwargs', [dict(decoding='many_stars'), dict(decoding='visible_union', fusion='mean')]
)
def test_unknown_decodings_are_refused(kwargs):
    with pytest.raises(ValueError, match=r"must be one of .* got '(many_stars|mean)'"):
        PolarDecoder(**kwargs)
