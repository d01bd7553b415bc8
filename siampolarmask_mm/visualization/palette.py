"""The colors of labels that DAVIS and PASCAL VOC use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def label_colors() -> np.ndarray:
    """(256, 3) uint8 RGB: neighboring labels differ, label 0 is black.

    The lowest three bits of a label give the highest bits of red, green and blue, the next
    three the next bits, and so on.
    """
    labels = np.arange(256)[:, None]
    channels = np.arange(3)
    colors = np.zeros((256, 3), dtype=np.uint8)
    for level in range(3):
        colors |= (((labels >> (3 * level + channels)) & 1) << (7 - level)).astype(np.uint8)
    return colors


def write_labels(path: str | Path, labels: np.ndarray) -> None:
    """Write an (H, W) uint8 label image as an indexed PNG, as DAVIS distributes them."""
    image = Image.fromarray(labels.astype(np.uint8), mode='P')
    image.putpalette(label_colors().tobytes())
    image.save(path)
