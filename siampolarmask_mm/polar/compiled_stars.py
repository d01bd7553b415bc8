"""The loops of `stars` and `painting`, their neighbors, that numba compiles."""

from __future__ import annotations

import math

import numpy as np

from siampolarmask_mm.polar.compiled import compile_loop


@compile_loop
def tip_spans(rays: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(P, 2) width and height of stars whose rays are (K, P).

    Args:
        rays: (K, P).
        directions: (K, 2) unit vectors.
    """
    num_rays, count = rays.shape
    low, high = np.full((2, count), math.inf), np.full((2, count), -math.inf)
    total = np.zeros(count)  # not a number if a ray is none
    for axis in range(2):
        for k in range(num_rays):
            for p in range(count):
                tip = rays[k, p] * directions[k, axis]
                if tip < low[axis, p]:
                    low[axis, p] = tip
                if tip > high[axis, p]:
                    high[axis, p] = tip
                total[p] += tip
    return np.where(np.isnan(total), math.nan, high - low).T


@compile_loop
def centroid_offsets(rays: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(P, 2) from centers to centers of area, of stars with rays (P, K).

    Args:
        rays: (P, K).
        directions: (K, 2) unit vectors.
    """
    num_rays = rays.shape[1]
    offsets = np.zeros((len(rays), 2))
    for p in range(len(rays)):
        x = y = total = 0.0
        for k in range(num_rays):
            following = (k + 1) % num_rays
            a, b = rays[p, k], rays[p, following]
            triangle = a * b  # its area, times a constant
            x += triangle * (a * directions[k, 0] + b * directions[following, 0])
            y += triangle * (a * directions[k, 1] + b * directions[following, 1])
            total += triangle
        if total != 0:
            offsets[p] = x / (3 * total), y / (3 * total)
    return offsets


@compile_loop
def tip_edges(centers: np.ndarray, rays: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(P K, 4) edges x, y, x, y between neighboring tips, one star after another.

    Args:
        centers: (P, 2).
        rays: (P, K).
        directions: (K, 2) unit vectors.
    """
    count, num_rays = rays.shape
    edges = np.empty((count, num_rays, 4))
    for p in range(count):
        for k in range(num_rays):
            x = centers[p, 0] + rays[p, k] * directions[k, 0]
            y = centers[p, 1] + rays[p, k] * directions[k, 1]
            edges[p, k, 0] = edges[p, k - 1, 2] = x
            edges[p, k, 1] = edges[p, k - 1, 3] = y
    return edges.reshape(-1, 4)


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
    sine = math.sin(2 * math.pi / num_rays)
    for p in range(len(centers)):
        mask = masks[of[p]]
        cx, cy = centers[p, 0], centers[p, 1]
        for k in range(num_rays):
            following = (k + 1) % num_rays
            a, b = rays[p, k], rays[p, following]
            if 0 < a < math.inf and 0 < b < math.inf:
                paint_sector(
                    mask,
                    (cx, cy),
                    (directions[k, 0], directions[k, 1]),
                    (directions[following, 0], directions[following, 1]),
                    (a, b),
                    sine,
                )
        is_pixel = 0 <= cx < width and cx % 1 == 0 and 0 <= cy < height and cy % 1 == 0
        if is_pixel and 0 < rays[p, 0] < math.inf and 0 < rays[p, 1] < math.inf:
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
    # What `in_triangle` asks for, in pixels from the center.
    bounds = (
        row_bound(by, -bx, 0.0),
        row_bound(-ay, ax, 0.0),
        row_bound(ay * a - by * b, bx * b - ax * a, limit),
    )
    for row in range(math.ceil(top), math.floor(bottom) + 1):
        y = row - cy
        low, high = narrow(left - cx, right - cx, y, bounds)
        first, last = math.ceil(cx + low), math.floor(cx + high)
        # Pixels of a triangle lie side by side.
        while first <= last and not in_triangle(first - cx, y, ax, ay, bx, by, a, b, limit):
            first += 1
        while first < last and not in_triangle(last - cx, y, ax, ay, bx, by, a, b, limit):
            last -= 1
        for column in range(first, last + 1):
            mask[row, column] = True


@compile_loop
def row_bound(slope: float, rise: float, level: float) -> tuple[float, float, float]:
    """Where each row y begins or ends, so that slope x + rise y + level is not negative.

    Returns:
        1 if it begins there, -1 if it ends, 0 if the line is too flat to tell; x in row 0;
        and how far that moves from row to row.
    """
    if abs(slope) < 1e-3:
        return 0.0, 0.0, 0.0
    return (1.0 if slope > 0 else -1.0), -level / slope, -rise / slope


@compile_loop
def narrow(
    low: float, high: float, y: float, bounds: tuple[tuple[float, float, float], ...]
) -> tuple[float, float]:
    """What is left of a row y from ``low`` to ``high`` within all bounds, and a little."""
    for side, x, drift in bounds:
        if side > 0:
            low = max(low, x + drift * y - 1e-3)
        elif side < 0:
            high = min(high, x + drift * y + 1e-3)
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
