"""What ranks locations beside their scores (SiamPolarMask, eq. 7): penalty and window.

Shape shorthand:
    H, W: the score map
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.crops import context_side


def change_penalty(sizes_wh: Tensor, previous_wh: Tensor, k: float) -> Tensor:
    """exp(-k (max(s / s', s' / s) max(r / r', r' / r) - 1)).

    s is the side of the box with its context, r the ratio of width to height; growth and
    shrinkage by one factor count the same.

    Args:
        sizes_wh: (..., 2) widths and heights.
        previous_wh: (2,) those to compare with, in the same pixels.
        k: strength; 0 gives 1.

    Returns:
        (...) from 0 to 1.

    Source: the proposal selection of SiamRPN (Li et al., CVPR 2018); "- 1", which makes no
    change cost nothing, is from its published code.
    """
    width, height = sizes_wh.clamp_min(1e-3).unbind(-1)
    previous_width, previous_height = previous_wh.clamp_min(1e-3).tolist()
    padding = (width + height) / 2
    side = ((width + padding) * (height + padding)).sqrt()
    scale = side / context_side(previous_width, previous_height)
    ratio = width / height / (previous_width / previous_height)
    change = torch.maximum(scale, 1 / scale) * torch.maximum(ratio, 1 / ratio)
    return (-k * (change - 1)).exp()


def cosine_window(height: int, width: int, like: Tensor) -> Tensor:
    """(H, W) Hann window, 0 at the border and 1 in the middle."""
    return torch.from_numpy(_window_array(height, width)).to(like, copy=True)


@cache
def _window_array(height: int, width: int) -> np.ndarray:
    return np.outer(np.hanning(height), np.hanning(width))
