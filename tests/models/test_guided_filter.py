"""What GuidedFilter promises."""

import cv2
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.models import GuidedFilter, PolarDecoder
from siampolarmask_mm.models.polar_head import PolarPrediction

SIZE = 65


def two_colors(edge, object_color, other_color):
    """Columns from ``edge`` on have the object's color."""
    image = np.empty((SIZE, SIZE, 3), np.uint8)
    image[:, :edge], image[:, edge:] = other_color, object_color
    return image


def slope(middle, width=12.0):
    """Confidence that grows across the columns, 0.5 at ``middle``."""
    ramp = ((np.arange(SIZE) - middle) / width + 0.5).clip(0, 1)
    return np.tile(ramp.astype(np.float32), (SIZE, 1))


def test_a_smooth_confidence_gets_the_edge_of_the_image():
    """The confidence says column 30, the colors 33."""
    image = two_colors(33, (200, 60, 40), (40, 90, 160))
    mask = GuidedFilter()(slope(30), image) > 0.5
    assert mask[:, 33:50].all()
    assert not mask[:, :33].any()


def test_colors_of_one_brightness_have_an_edge_too():
    image = two_colors(33, (120, 60, 60), (60, 120, 60))
    assert image[0, 0].sum() == image[0, -1].sum()
    mask = GuidedFilter()(slope(30), image) > 0.5
    assert mask[:, 33:50].all()
    assert not mask[:, :33].any()


def test_without_an_edge_confidence_is_only_smoothed():
    confidence = slope(30, width=40)
    filtered = GuidedFilter(radius=3)(confidence, np.full((SIZE, SIZE, 3), 77, np.uint8))
    # Twice the mean over 7 columns leaves a straight slope as it is.
    assert_close(filtered[:, 17:44], confidence[:, 17:44], atol=1e-3, rtol=0)


def slow_filter(confidence, image, radius, smoothness):
    """The paper's eq. 14 to 16, pixel by pixel, in float64."""
    colors, p = image / 255.0, confidence.astype(float)
    rows, columns = confidence.shape
    slopes, offsets = np.zeros((rows, columns, 3)), np.zeros((rows, columns))

    def around(y, x):
        # What lies outside is mirrored, the border itself not repeated.
        ys, xs = (np.abs(np.arange(c - radius, c + radius + 1)) for c in (y, x))
        ys, xs = (
            np.where(ys >= rows, 2 * rows - 2 - ys, ys),
            np.where(xs >= columns, 2 * columns - 2 - xs, xs),
        )
        return np.ix_(ys, xs)

    for y in range(rows):
        for x in range(columns):
            i, q = colors[around(y, x)].reshape(-1, 3), p[around(y, x)].ravel()
            covariance = np.cov(i.T, bias=True) + smoothness * np.eye(3)
            a = np.linalg.solve(covariance, i.T @ q / len(q) - i.mean(0) * q.mean())
            slopes[y, x], offsets[y, x] = a, q.mean() - a @ i.mean(0)
    result = np.empty((rows, columns))
    for y in range(rows):
        for x in range(columns):
            a, b = slopes[around(y, x)].mean((0, 1)), offsets[around(y, x)].mean()
            result[y, x] = a @ colors[y, x] + b
    return result.clip(0, 1)


@pytest.mark.parametrize('channels', [3, 1])  # a gray image's three are the same
def test_it_is_the_papers_filter(channels):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (20, 24, channels), dtype=np.uint8)
    image = np.repeat(image, 3 // channels, axis=2)
    confidence = rng.uniform(0.1, 0.9, (20, 24)).astype(np.float32)
    expected = slow_filter(confidence, image, 2, 1e-3)
    filtered = GuidedFilter(2, 1e-3, subsample=1)(confidence, image)
    assert_close(filtered, expected.astype(np.float32), rtol=0, atol=1e-4)


def test_far_from_the_object_nothing_changes():
    confidence = np.zeros((SIZE, SIZE), np.float32)
    confidence[30:34, 30:34] = 0.9
    confidence[2, 2] = 0.01  # surely nothing
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    filtered = GuidedFilter(radius=2)(confidence, image)
    around = np.zeros((SIZE, SIZE), bool)
    around[26:38, 26:38] = True  # two radii
    assert np.array_equal(filtered[~around], confidence[~around])
    assert not np.array_equal(filtered[around], confidence[around])
    nothing = np.zeros_like(confidence)
    assert np.array_equal(GuidedFilter()(nothing, image), nothing)


@pytest.mark.parametrize('size', [(80, 90), (81, 87)])
def test_at_half_the_resolution_it_finds_the_same_edges(size):
    """Of an image as smooth as photographs are, whose object is elsewhere by 4 pixels."""
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (10, 11, 3), dtype=np.uint8), size[::-1])
    truth = np.zeros(size, np.float32)
    truth[20:60, 24:70] = 1
    image[truth > 0] = image[truth > 0] // 3
    rough = np.roll(cv2.GaussianBlur(truth, (0, 0), 5), 4, axis=1)
    exact, fast = (GuidedFilter(subsample=k)(rough, image) for k in (1, 2))
    wrong = [((part > 0.5) != (truth > 0)).sum() for part in (rough, exact, fast)]
    assert wrong[1] < 0.7 * wrong[0]
    assert wrong[2] < 0.7 * wrong[0]
    assert ((exact > 0.5) != (fast > 0.5)).mean() < 0.01


@pytest.mark.parametrize(
    'argument', [dict(radius=0), dict(radius=3, subsample=4), dict(smoothness=1e-5)]
)
def test_impossible_arguments_are_refused(argument):
    with pytest.raises(ValueError, match='radius >= subsample >= 1 and smoothness'):
        GuidedFilter(**argument)


def test_a_union_is_fitted_to_the_image():
    """The union of three disks ends with column 43; the object's color with column 41."""
    scores = torch.full((9, 9), -9.0)
    scores[4, 3:6] = 9.0
    prediction = PolarPrediction(scores, scores, torch.full((36, 9, 9), 10.0))
    grid = torch.arange(9.0) * 8
    points = torch.stack(torch.meshgrid(grid, grid, indexing='xy'), dim=-1)
    arguments = prediction, points, torch.tensor([36.0, 20.0]), SIZE, 0.5
    image = two_colors(42, (30, 30, 30), (200, 200, 200))
    common = dict(decoding='visible_union', fusion='vote')
    plain = PolarDecoder(**common).decode(*arguments, image).confidence > 0.5
    decoder = PolarDecoder(**common, edges=dict(type='GuidedFilter', radius=4))
    fitted = decoder.decode(*arguments, image).confidence > 0.5
    assert plain[32, 43]
    assert not fitted[:, 42:].any()
    assert fitted[32, 23:42].all()
    assert torch.equal(decoder.decode(*arguments).confidence > 0.5, plain)


def test_a_thin_object_is_not_filtered_away():
    """A line of the object's color, two pixels high, through the stars' centers."""
    scores = torch.full((9, 9), -9.0)
    scores[4, 4] = 9.0
    prediction = PolarPrediction(scores, scores, torch.full((36, 9, 9), 2.0))
    grid = torch.arange(9.0) * 8
    points = torch.stack(torch.meshgrid(grid, grid, indexing='xy'), dim=-1)
    decoder = PolarDecoder(decoding='visible_union', fusion='plain')
    decoder.edges = lambda confidence, image: np.zeros_like(confidence)  # noqa: ARG005
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    decoded = decoder.decode(prediction, points, torch.tensor([4.0, 4.0]), SIZE, 0.5, image)
    mask = decoded.confidence > 0.5
    assert mask[32, 32]
    assert 5 <= mask.sum() <= 25
