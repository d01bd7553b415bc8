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
