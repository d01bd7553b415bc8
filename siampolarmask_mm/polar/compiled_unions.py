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
def hear_stars(
    votes: np.ndarray,
    weights: np.ndarray,
    centers: np.ndarray,
    rays: np.ndarray,
    scores: np.ndarray,
    directions: np.ndarray,
    reach: float,
    softness: float,
) -> None:
    """Add what stars (P) say of pixels (H, W); see `siampolarmask_mm.polar.fuse_stars`.

    Args:
        votes: (H, W) weighted votes for the object, changed in place.
        weights: (H, W), changed in place.
        centers: (P, 2).
        rays: (P, K).
        scores: (P,).
        directions: (K, 2) unit vectors.
        reach: in pixels.
        softness: in pixels.
    """
    height, width = votes.shape
    num_rays = len(directions)
    half = math.ceil(reach)
    window = np.empty((2 * half + 1, 2 * half + 1, 3))
    nearness = np.empty((2 * half + 1, 2 * half + 1))
    sectors = np.empty((2 * half + 1, 2 * half + 1), np.int64)
    x0 = y0 = math.nan
    for p in range(len(centers)):
        column0, row0 = round(centers[p, 0]), round(centers[p, 1])
        x, y = column0 - centers[p, 0], row0 - centers[p, 1]
        if x != x0 or y != y0:
            x0, y0 = x, y
            place_window(window, sectors, x0, y0, directions)
            nearness[:] = np.maximum(1 - (window[..., 2] / reach) ** 2, 0) ** 2
        for row in range(max(row0 - half, 0), min(row0 + half + 1, height)):
            for column in range(max(column0 - half, 0), min(column0 + half + 1, width)):
                i, j = row - row0 + half, column - column0 + half
                near = nearness[i, j]
                if near == 0:
                    continue
                distance = window[i, j, 2]
                k = sectors[i, j]
                a, b = rays[p, k], rays[p, (k + 1) % num_rays]
                length = a
                if distance > 0:
                    across = window[i, j, 0] * b + window[i, j, 1] * a
                    length = a * (b / max(across, 1e-12)) * distance
                weight = scores[p] * near
                weights[row, column] += weight
                votes[row, column] += weight * logistic((length - distance) / softness)
