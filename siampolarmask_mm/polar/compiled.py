"""What numba makes faster on a CPU; without numba, plain tensor code gives the same.

With SIAMPOLARMASK_NUMBA=0 in the environment numba is not imported, which saves 75 MB.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable

import numpy as np
from torch import Tensor

numba = None
if os.environ.get('SIAMPOLARMASK_NUMBA') != '0':
    with contextlib.suppress(ImportError):  # optional
        import numba


def fits(*tensors: Tensor) -> bool:
    """Whether compiled code may take these: on a CPU, and without gradients."""
    return numba is not None and all(
        t.device.type == 'cpu' and not t.requires_grad for t in tensors
    )


def compile_loop(function: Callable) -> Callable:
    """Compile a function of arrays and numbers if numba is installed."""
    return function if numba is None else numba.njit(cache=True, nogil=True)(function)


@compile_loop
def cast_rays(  # noqa: C901, PLR0915
    edges: np.ndarray,
    starts: np.ndarray,
    counts: np.ndarray,
    centers: np.ndarray,
    of: np.ndarray,
    directions: np.ndarray,
    crossing: int,
    same_angle: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Lengths (P, K) and numbers of crossings (P, K); see `siampolarmask_mm.polar.rays`.

    Args:
        edges: (E, 4) x, y, x, y.
        starts: (N,) each object's first edge.
        counts: (N,) each object's edges.
        centers: (P, 2).
        of: (P,) each center's object.
        directions: (K, 2) unit vectors.
        crossing: 0 last, 1 first, 2 best.
        same_angle: in rays.
    """
    num_rays = len(directions)
    per_radian = num_rays / (2 * math.pi)
    lengths = np.zeros((len(centers), num_rays))
    crossings = np.zeros((len(centers), num_rays), np.int64)
    capacity = 8
    distances = np.empty((num_rays, capacity))
    for p in range(len(centers)):
        count = crossings[p]
        x2 = y2 = math.nan  # the end of the last edge, where most edges go on
        u2 = 0.0
        for e in range(starts[of[p]], starts[of[p]] + counts[of[p]]):
            x1, y1 = edges[e, 0] - centers[p, 0], edges[e, 1] - centers[p, 1]
            u1 = u2 if x1 == x2 and y1 == y2 else math.atan2(y1, x1) * per_radian
            x2, y2 = edges[e, 2] - centers[p, 0], edges[e, 3] - centers[p, 1]
            u2 = math.atan2(y2, x2) * per_radian
            after1 = math.ceil(u1 - same_angle)
            after2 = math.ceil(u2 - same_angle)
            low, high = min(after1, after2), max(after1, after2)
            if abs(u1 - u2) > num_rays / 2:
                low, high = high, low + num_rays
            for turn in range(low, high):
                k = turn % num_rays
                dx, dy = directions[k, 0], directions[k, 1]
                beside1, beside2 = dx * y1 - dy * x1, dx * y2 - dy * x2
                along1, along2 = dx * x1 + dy * y1, dx * x2 + dy * y2
                share = 0.5
                if beside1 != beside2:
                    share = min(max(beside1 / (beside1 - beside2), 0.0), 1.0)
                if count[k] == capacity:
                    wider = np.empty((num_rays, 2 * capacity))
                    wider[:, :capacity] = distances
                    distances, capacity = wider, 2 * capacity
                # Sorted in, as they come.
                distance = max(along1 + share * (along2 - along1), 0.0)
                i = count[k]
                while i > 0 and distances[k, i - 1] > distance:
                    distances[k, i] = distances[k, i - 1]
                    i -= 1
                distances[k, i] = distance
                count[k] += 1

        first_exit = 0 if count[0] % 2 == 1 else 1
        for k in range(num_rays):
            if count[k] == 0:
                continue
            if crossing == 0:
                lengths[p, k] = distances[k, count[k] - 1]
            elif count[k] > first_exit:
                lengths[p, k] = distances[k, first_exit]
            if crossing == 2:
                total = 0.0
                for i in range(first_exit, count[k], 2):
                    before = distances[k, i - 1] if i > 0 else 0.0
                    total += distances[k, i] ** 2 - before**2
                shared, highest = 0.0, -1.0
                for i in range(first_exit, count[k], 2):
                    before = distances[k, i - 1] if i > 0 else 0.0
                    square = distances[k, i] ** 2
                    shared += square - before**2
                    iou = shared / max(square + total - shared, 1e-12)
                    if iou >= highest - 1e-12:
                        lengths[p, k] = distances[k, i]
                        highest = max(iou, highest)
    return lengths, crossings


@compile_loop
def paint_stars(
    masks: np.ndarray,
    of: np.ndarray,
    centers: np.ndarray,
    rays: np.ndarray,
    directions: np.ndarray,
) -> None:
    """Set the pixels (N, H, W) of each star (P), sector by sector.

    Args:
        masks: (N, H, W), changed in place.
        of: (P,) each star's mask.
        centers: (P, 2).
        rays: (P, K).
        directions: (K, 2) unit vectors.
    """
    height, width = masks.shape[1:]
    num_rays = rays.shape[1]
    for p in range(len(centers)):
        mask = masks[of[p]]
        cx, cy = centers[p, 0], centers[p, 1]
        for k in range(num_rays):
            following = (k + 1) % num_rays
            a, b = rays[p, k], rays[p, following]
            if not (a > 0 and b > 0):
                continue
            paint_sector(
                mask,
                (cx, cy),
                (directions[k, 0], directions[k, 1]),
                (directions[following, 0], directions[following, 1]),
                (a, b),
                math.sin(2 * math.pi / num_rays),
            )
            is_pixel = 0 <= cx < width and cx % 1 == 0 and 0 <= cy < height and cy % 1 == 0
            if k == 0 and is_pixel:
                mask[int(cy), int(cx)] = True  # as if it lay in ray 0's direction


@compile_loop
def paint_sector(
    mask: np.ndarray,
    center: tuple[float, float],
    first_ray: tuple[float, float],
    second_ray: tuple[float, float],
    lengths: tuple[float, float],
    sine: float,
) -> None:
    """Set the pixels (H, W) in the triangle of a star's center and two neighboring tips.

    Args:
        mask: (H, W), changed in place.
        center: x, y.
        first_ray: its unit vector.
        second_ray: likewise.
        lengths: of both, above 0.
        sine: of the angle between them.
    """
    (cx, cy), (ax, ay), (bx, by), (a, b) = center, first_ray, second_ray, lengths
    # The box of the triangle.
    left = max(cx + min(0.0, a * ax, b * bx) - 1e-6, 0.0)
    right = min(cx + max(0.0, a * ax, b * bx) + 1e-6, mask.shape[1] - 1.0)
    top = max(cy + min(0.0, a * ay, b * by) - 1e-6, 0.0)
    bottom = min(cy + max(0.0, a * ay, b * by) + 1e-6, mask.shape[0] - 1.0)
    if left > right or top > bottom:
        return
    limit = a * b * sine * (1 + 1e-12)
    # What `in_triangle` wants not to be negative, as slope x + rise y + level: in each row
    # it ends at a column, unless it is too flat to divide by.
    slopes = (by, -ay, ay * a - by * b)
    rises = (-bx, ax, bx * b - ax * a)
    levels = (0.0, 0.0, limit)
    ends, drifts = np.full(3, -math.inf), np.zeros(3)
    for n in range(3):
        if abs(slopes[n]) > 1e-3:
            ends[n] = cx - levels[n] / slopes[n]
            drifts[n] = -rises[n] / slopes[n]
    for row in range(math.ceil(top), math.floor(bottom) + 1):
        y = row - cy
        low, high = narrow(left, right, y, slopes, ends, drifts)
        first, last = math.ceil(low), math.floor(high)
        # Pixels of a triangle lie side by side.
        while first <= last and not in_triangle(first - cx, y, ax, ay, bx, by, a, b, limit):
            first += 1
        while first < last and not in_triangle(last - cx, y, ax, ay, bx, by, a, b, limit):
            last -= 1
        for column in range(first, last + 1):
            mask[row, column] = True


@compile_loop
def narrow(
    low: float,
    high: float,
    y: float,
    slopes: tuple[float, float, float],
    ends: np.ndarray,
    drifts: np.ndarray,
) -> tuple[float, float]:
    """What is left of a row between two columns, where three lines bound it.

    Args:
        low: first column.
        high: last column.
        y: of the row.
        slopes: above 0 of a line that bounds it on the left.
        ends: (3,) each line's column where y is 0; -inf of one that bounds no row.
        drifts: (3,) of this column per row.
    """
    for n in range(3):
        end = ends[n] + drifts[n] * y
        if slopes[n] > 0:
            low = max(low, end - 1e-3)
        elif end > -math.inf:
            high = min(high, end + 1e-3)
    return low, high


@compile_loop
def in_triangle(  # noqa: PLR0913
    x: float,
    y: float,
    ax: float,
    ay: float,
    bx: float,
    by: float,
    a: float,
    b: float,
    limit: float,
) -> bool:
    """Whether an offset from a star's center is between two rays, and within reach.

    With the offset s a^ + t b^ in the rays' unit vectors, it is if s / a + t / b <= 1. What
    lies on the second ray is the next triangle's, and the center no triangle's.

    Args:
        x: of the offset.
        y: likewise.
        ax: of the first ray's unit vector.
        ay: likewise.
        bx: of the second's.
        by: likewise.
        a: length of the first ray, above 0.
        b: of the second.
        limit: a b times the sine of the angle between them, and a little for rounding.
    """
    s, t = x * by - y * bx, y * ax - x * ay  # times the sine
    return s > 0 and t >= 0 and s * b + t * a <= limit


@compile_loop
def soften_stars(
    masks: np.ndarray,
    centers: np.ndarray,
    rays: np.ndarray,
    directions: np.ndarray,
    softness: float,
) -> None:
    """Set each pixel (P, H, W) to how far it is inside its star (P), from 0 to 1.

    Args:
        masks: (P, H, W), changed in place.
        centers: (P, 2).
        rays: (P, K).
        directions: (K, 2) unit vectors.
        softness: in pixels.
    """
    num_rays = len(directions)
    per_radian = num_rays / (2 * math.pi)
    sine = math.sin(2 * math.pi / num_rays)
    for p in range(len(centers)):
        for row in range(masks.shape[1]):
            y = row - centers[p, 1]
            for column in range(masks.shape[2]):
                x = column - centers[p, 0]
                distance = math.sqrt(x * x + y * y)
                length = rays[p, 0]
                if distance > 0:
                    k = math.floor(math.atan2(y, x) * per_radian) % num_rays
                    following = (k + 1) % num_rays
                    s = x * directions[following, 1] - y * directions[following, 0]
                    t = y * directions[k, 0] - x * directions[k, 1]
                    a, b = rays[p, k], rays[p, following]
                    across = (s * b + t * a) / (sine * distance)
                    length = a * (b / max(across, 1e-12))
                away = (distance - length) / softness
                masks[p, row, column] = 1 / (1 + math.exp(min(away, 700.0)))
