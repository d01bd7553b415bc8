"""Layers: objects cut out of one image and painted into another, where a crop shows it.

A frame is an image and the layers over it. Each is sampled once, straight into the crop,
so that objects move, turn and hide each other without losing sharpness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from siampolarmask_mm.crops import sample, sample_mask

LONGEST_KERNEL = 11  # pixels; beyond, OpenCV's filter takes forty times as long


@dataclass(frozen=True)
class Layer:
    """An object out of an image, somewhere in a frame.

    Attributes:
        image: (H, W, 3) uint8 that shows it.
        mask: of it in that image, as `siampolarmask_mm.crops.sample_mask` takes it.
        matrix: (3, 3) from homogeneous points of the image to points of the frame.
        motion: (2,) how far it moves while the shutter is open, in pixels of the frame.
        shadow: how much darker the object makes what is right below it, 0 to 1.
        is_target: whether it is the object that is tracked; else it hides that one.
        max_cover: a layer that hides more than this share of the target is left out.
    """

    image: np.ndarray
    mask: object
    matrix: np.ndarray
    motion: tuple[float, float] = (0.0, 0.0)
    shadow: float = 0.0
    is_target: bool = False
    max_cover: float = 1.0


def paint(
    base: np.ndarray,
    target: np.ndarray | None,
    layers: Sequence[Layer],
    to_base: np.ndarray,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Paint a frame's layers into a crop of it.

    Args:
        base: (h, w, 3) uint8, the crop of what lies below.
        target: (h, w) uint8 of 0 and 1, the tracked object in it; None if not known.
        layers: from the lowest to the highest.
        to_base: (3, 3) from homogeneous points of the frame to points of the crop.

    Returns:
        The crop, and the pixels in which the target is to be seen. What moves counts where
        it is in the middle of the exposure.
    """
    for layer in layers:
        matrix = to_base @ layer.matrix
        inside = sample_mask(layer.mask, matrix, base.shape[:2])
        if layer.is_target:
            target = inside
        elif target is not None:
            left = target & ~inside.astype(bool)
            if left.sum() < (1 - layer.max_cover) * target.sum():
                continue
            target = left
        base = _blend(base, layer, matrix, inside, to_base[:2, :2] @ layer.motion)
    return base, target


def _blend(
    base: np.ndarray,
    layer: Layer,
    matrix: np.ndarray,
    inside: np.ndarray,
    motion: np.ndarray,
) -> np.ndarray:
    """A copy of the crop with the layer's object, as ``inside`` (h, w) has it, over it."""
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    if len(rows) == 0:
        return base
    drop = len(rows) // 8 if layer.shadow > 0 else 0  # of the shadow, below the object
    # Only the object's surroundings are touched.
    margin = int(np.abs(motion).max() / 2) + 3 * drop + 3
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    window = np.s_[top : rows[-1] + margin + 1, left : columns[-1] + margin + 1]
    to_window = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ matrix
    share = inside[window].astype(np.float32)
    # Soft inwards only, so that no rim of the object's old surroundings comes along.
    share = np.minimum(cv2.GaussianBlur(share, (3, 3), 0), share)
    color = sample(layer.image, to_window, share.shape, outside=0)
    if np.hypot(*motion) >= 1:
        # Only the object's own colors are smeared, not what is around it in its image.
        color = blur_along(color * share[..., None], motion)
        share = blur_along(share, motion)
        color = np.rint(color / share.clip(1e-3)[..., None]).clip(0, 255).astype(np.uint8)
    below = base[window]
    if drop:
        fallen = np.zeros_like(share)
        fallen[drop:] = layer.shadow * share[:-drop]
        fallen = cv2.GaussianBlur(fallen, (0, 0), 1 + drop / 2)
        below = cv2.blendLinear(below, np.zeros_like(below), 1 - fallen, fallen)
    base = base.copy()
    base[window] = cv2.blendLinear(color, below, share, 1 - share)
    return base


def blur_along(image: np.ndarray, motion: Sequence[float]) -> np.ndarray:
    """Blur an image (H, W) or (H, W, C) as a motion of (x, y) pixels does.

    A long motion is several short ones, one after the other, so it fades at its ends.
    """
    x, y = np.asarray(motion, dtype=float)
    length = float(np.hypot(x, y))
    passes = int(np.ceil(length / (LONGEST_KERNEL - 1)))
    for _ in range(passes if length >= 1 else 0):
        image = cv2.filter2D(image, -1, _line(x / passes, y / passes))
    return image


def _line(x: float, y: float) -> np.ndarray:
    """A kernel that spreads a pixel evenly from (-x, -y) / 2 to (x, y) / 2."""
    reach = int(np.ceil(max(abs(x), abs(y)) / 2))
    num_steps = 4 * LONGEST_KERNEL
    steps = (np.arange(num_steps) + 0.5) / num_steps - 0.5
    places = reach + steps[:, None] * [x, y]  # (num_steps, 2)
    whole = places.astype(int)
    across, down = (places - whole).T
    kernel = np.zeros((2 * reach + 2, 2 * reach + 2), np.float32)
    for i, weight_y in enumerate((1 - down, down)):
        for j, weight_x in enumerate((1 - across, across)):
            np.add.at(kernel, (whole[:, 1] + i, whole[:, 0] + j), weight_y * weight_x)
    return kernel[:-1, :-1] / num_steps
