"""Where the locations of a score map look at in a search crop."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor


def location_points(
    num_locations: tuple[int, int], stride: int, size: int, like: Tensor
) -> Tensor:
    """Where the locations of a score map look at in the crop.

    The map's middle is the crop's middle, which holds for backbones that pad
    symmetrically or not at all: search = 8 location + 31 for 25 locations in 255 pixels.

    Args:
        num_locations: (H, W) of the score map.
        stride: pixels of the crop between neighboring locations.
        size: pixels of the crop.
        like: a tensor with the type and device of the result.

    Returns:
        (H, W, 2) points (x, y) in pixels of the crop.

    Source: SiamPolarMask, eq. 10.
    """
    points = _location_array(tuple(num_locations), stride, size)
    return torch.from_numpy(points).to(like, copy=True)


@cache
def _location_array(num_locations: tuple[int, int], stride: int, size: int) -> np.ndarray:
    y, x = ((np.arange(n) - (n - 1) / 2) * stride + (size - 1) / 2 for n in num_locations)
    return np.stack(np.meshgrid(x, y), axis=-1)
