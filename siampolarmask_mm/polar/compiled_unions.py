"""The loops of `siampolarmask_mm.polar.unions` that numba compiles."""

from __future__ import annotations

import math

import numpy as np

from siampolarmask_mm.polar.compiled import compile_loop

# The logistic function in steps from -FARTHEST on; beyond, and between, nothing changes by
# as much as 1e-6.
FARTHEST, STEPS = 30, 128
LOGISTIC = 1 / (1 + np.exp(-np.arange(-FARTHEST, FARTHEST + 1 / STEPS, 1 / STEPS)))


@compile_loop
def logistic(x: float) -> float:
    """1 / (1 + exp(-x)) to 1e-6, in a fraction of the time."""
    if x >= FARTHEST:
        return 1.0
    if x <= -FARTHEST:
        return 0.0
    if math.isnan(x):
        return x
    place = (x + FARTHEST) * STEPS
    step = int(place)
    low, high = LOGISTIC[step], LOGISTIC[step + 1]
    return low + (place - step) * (high - low)


@compile_loop
def place_window(
    window: np.ndarray, sectors: np.ndarray, x0: float, y0: float, directions: np.ndarray
) -> None:
    """Describe the pixels around a star's center by the rays next to them.

    Args:
        window: (2 R + 1, 2 R + 1, 3), gets s, t and the distance of each offset q from the
            center, where q = s a^ + t b^ in the unit vectors of its two rays.
        sectors: (2 R + 1, 2 R + 1), gets the number of the first of these rays.
        x0: of the window's middle pixel from the center.
        y0: likewise.
        directions: (K, 2) unit vectors.
    """
    num_rays = len(directions)
    half = len(window) // 2
    sine = math.sin(2 * math.pi / num_rays)
    for i in range(len(window)):
        for j in range(len(window)):
            x, y = x0 + j - half, y0 + i - half
            k = math.floor(math.atan2(y, x) * (num_rays / (2 * math.pi))) % num_rays
            following = (k + 1) % num_rays
            ax, ay = directions[k, 0], directions[k, 1]
            bx, by = directions[following, 0], directions[following, 1]
            sectors[i, j] = k
            window[i, j, 0] = (x * by - y * bx) / sine
            window[i, j, 1] = (y * ax - x * ay) / sine
            window[i, j, 2] = math.sqrt(x * x + y * y)


@compile_loop
def paint_scores(
    canvas: np.ndarray,
    centers: np.ndarray,
    rays: np.ndarray,
    scores: np.ndarray,
    directions: np.ndarray,
) -> None:
    """Raise each pixel (H, W) to the highest score of the stars (P) that it is in.

    Args:
        canvas: (H, W), changed in place.
        centers: (P, 2).
        rays: (P, K).
        scores: (P,); falling ones are fastest.
        directions: (K, 2) unit vectors.
    """
    height, width = canvas.shape
    num_rays = len(directions)
    largest = max(height, width) + 1  # farther pixels are not on the canvas
    half = int(min(math.ceil(rays.max()), largest))
    window = np.empty((2 * half + 1, 2 * half + 1, 3))
    sectors = np.empty((2 * half + 1, 2 * half + 1), np.int64)
    x0 = y0 = math.nan
    for p in range(len(centers)):
        column0, row0 = round(centers[p, 0]), round(centers[p, 1])
        x, y = column0 - centers[p, 0], row0 - centers[p, 1]
        if x != x0 or y != y0:  # locations lie alike between their pixels
            x0, y0 = x, y
            place_window(window, sectors, x0, y0, directions)
        score = scores[p]
        own = int(min(math.ceil(rays[p].max()), half))
        for row in range(max(row0 - own, 0), min(row0 + own + 1, height)):
            for column in range(max(column0 - own, 0), min(column0 + own + 1, width)):
                if canvas[row, column] >= score:
                    continue
                i, j = row - row0 + half, column - column0 + half
                k = sectors[i, j]
                a, b = rays[p, k], rays[p, (k + 1) % num_rays]
                # s / a + t / b <= 1 in the oblique coordinates q = s a^ + t b^.
                limit = a * b * (1 + 1e-12)
                if limit > 0 and window[i, j, 0] * b + window[i, j, 1] * a <= limit:
                    canvas[row, column] = score


@compile_loop
def surroundings(
    reach: float, x0: float, y0: float, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a star's votes need to know of the pixels around it, whatever its rays.

    A pixel at distance d is at q = d (s a^ + t b^), in the unit vectors of the two rays it
    lies between. If their lengths are a and b, the star reaches a b / (s b + t a) in its
    direction.

    Args:
        reach: all pixels nearer than that are described.
        x0: of the middle pixel from the star's center.
        y0: likewise.
        directions: (K, 2) unit vectors of the rays.

    Returns:
        (K + 1,) where the pixels between each ray and the next begin, and their number;
        (M, 2) rows and columns of all from the middle one; and (4, M) of them: s, t, d and
        the weight of a vote from there.
    """
    half = math.ceil(reach)
    window = np.empty((2 * half + 1, 2 * half + 1, 3))
    sectors = np.empty((2 * half + 1, 2 * half + 1), np.int64)
    place_window(window, sectors, x0, y0, directions)
    starts = np.zeros(len(directions) + 1, np.int64)
    for i in range(len(window)):
        for j in range(len(window)):
            if window[i, j, 2] < reach:
                starts[sectors[i, j] + 1] += 1
    starts = np.cumsum(starts)
    free = starts.copy()
    places = np.empty((starts[-1], 2), np.int64)
    parts = np.empty((4, starts[-1]))
    for i in range(len(window)):
        for j in range(len(window)):
            s, t, distance = window[i, j]
            if distance >= reach:
                continue
            m = free[sectors[i, j]]
            free[sectors[i, j]] += 1
            places[m] = i - half, j - half
            parts[0, m] = s / distance if distance > 0 else 1.0  # the center, along ray 0
            parts[1, m] = t / distance if distance > 0 else 0.0
            parts[2, m] = distance
            parts[3, m] = (1 - (distance / reach) ** 2) ** 2
    return starts, places, parts


@compile_loop
def hear_stars(
    confidence: np.ndarray,
    centers: np.ndarray,
    rays: np.ndarray,
    scores: np.ndarray,
    directions: np.ndarray,
    reach: float,
    softness: float,
    doubt: float,
) -> None:
    """Say of each pixel (H, W) what stars (P) do; see `siampolarmask_mm.polar.fuse_stars`.

    Args:
        confidence: (H, W) of zeros, changed in place.
        centers: (P, 2).
        rays: (P, K).
        scores: (P,).
        directions: (K, 2) unit vectors.
        reach: in pixels.
        softness: in pixels.
        doubt: weight of the vote against.
    """
    height, width = confidence.shape
    half = math.ceil(reach)
    columns, rows = np.rint(centers[:, 0]), np.rint(centers[:, 1])
    # The part of the map where stars are heard.
    left, right = span(columns, half, width)
    top, bottom = span(rows, half, height)
    votes = np.zeros((bottom - top, right - left))
    weights = np.zeros((bottom - top, right - left))
    x0 = y0 = math.nan
    for p in range(len(centers)):
        if not (-half <= columns[p] < width + half and -half <= rows[p] < height + half):
            continue  # heard nowhere
        x, y = columns[p] - centers[p, 0], rows[p] - centers[p, 1]
        if x != x0 or y != y0:  # locations lie alike between their pixels
            x0, y0 = x, y
            starts, places, parts = surroundings(reach, x0, y0, directions)
            inside = np.empty(len(places))
        measure(inside, rays[p], starts, parts)
        row0, column0 = int(rows[p]) - top, int(columns[p]) - left
        for m in range(len(places)):
            row, column = row0 + places[m, 0], column0 + places[m, 1]
            if 0 <= row < len(votes) and 0 <= column < votes.shape[1]:
                weight = scores[p] * parts[3, m]
                weights[row, column] += weight
                votes[row, column] += weight * logistic(inside[m] / softness)
    confidence[top:bottom, left:right] = votes / (weights + doubt)


@compile_loop
def span(middles: np.ndarray, half: int, size: int) -> tuple[int, int]:
    """The first of ``size`` pixels at most ``half`` from any middle, and the one after."""
    first, end = size, 0
    for middle in middles:
        if -half <= middle < size + half:
            first = min(first, max(int(middle) - half, 0))
            end = max(end, min(int(middle) + half + 1, size))
    return first, max(first, end)


@compile_loop
def measure(
    inside: np.ndarray, rays: np.ndarray, starts: np.ndarray, parts: np.ndarray
) -> None:
    """How far inside a star its surroundings lie, in pixels along their directions.

    Args:
        inside: (M,), set.
        rays: (K,).
        starts: (K + 1,) of `surroundings`.
        parts: (4, M) of `surroundings`.
    """
    num_rays = len(rays)
    for k in range(num_rays):
        a, b = rays[k], rays[(k + 1) % num_rays]
        for m in range(starts[k], starts[k + 1]):
            across = max(parts[0, m] * b + parts[1, m] * a, 1e-12)
            inside[m] = a * (b / across) - parts[2, m]
