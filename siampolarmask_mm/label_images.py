"""Label images: a number per pixel, 0 for the background, as DAVIS distributes masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from pycocotools import mask as coco_mask


def label_colors() -> np.ndarray:
    """(256, 3) uint8 RGB, the colors of DAVIS and PASCAL VOC; label 0 is black.

    The lowest three bits of a label give the highest bits of red, green and blue, the next
    three the next bits, and so on.
    """
    labels = np.arange(256)[:, None]
    channels = np.arange(3)
    colors = np.zeros((256, 3), dtype=np.uint8)
    for level in range(3):
        colors |= (((labels >> (3 * level + channels)) & 1) << (7 - level)).astype(np.uint8)
    return colors


def read_labels(path: str | Path) -> np.ndarray:
    """The label of each pixel: an indexed PNG's palette indices, or grey values.

    Returns:
        (H, W) uint8; 0 is background.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no image, or neither indexed nor grey.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ('P', 'L', '1'):
                raise ValueError(
                    f'an indexed or grey PNG of labels expected, got mode {image.mode} '
                    f'in {path}'
                )
            return np.array(image, dtype=np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f'a PNG of labels expected, {path} cannot be read') from error


def write_labels(path: str | Path, labels: np.ndarray) -> None:
    """Write an (H, W) uint8 label image as an indexed PNG, as DAVIS distributes them."""
    image = Image.fromarray(labels.astype(np.uint8), mode='P')
    image.putpalette(label_colors().tobytes())
    image.save(path)


def encode_labels(labels: np.ndarray) -> dict[int, dict]:
    """The mask of each label but 0 in (H, W), as COCO's compressed RLE, by label.

    All in one pass over the pixels: a label image of many objects costs as one of few.
    """
    pixels = labels.ravel(order='F')
    starts = np.flatnonzero(np.diff(pixels, prepend=~pixels[:1]))
    ends = np.append(starts[1:], pixels.size)
    values = pixels[starts]
    masks = {}
    for label in np.unique(values[values > 0]):
        own = values == label
        edges = np.stack([starts[own], ends[own]], axis=1).ravel()
        counts = np.diff(edges, prepend=0, append=pixels.size)
        if counts[-1] == 0:  # the last pixel is the object's
            counts = counts[:-1]
        rle = coco_mask.frPyObjects(
            dict(size=list(labels.shape), counts=counts.tolist()), *labels.shape
        )
        masks[int(label)] = dict(size=rle['size'], counts=rle['counts'].decode('ascii'))
    return masks
