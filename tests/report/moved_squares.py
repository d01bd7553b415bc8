"""Squares that are off by known amounts, in the layout of DAVIS."""

import numpy as np
from PIL import Image

from siampolarmask_mm.label_images import write_labels

SIZE = (60, 120)
# How far each frame's mask is off, to the right; the first and the last do not count.
SHIFTS = dict(
    good=[0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    bad=[0, 2, 2, 2, 2, 2, 2, 9, 8, 2],
    lost=[0, 5, 5, 5, 5, 5, 5, 5, 5, 5],
)


def overlap(shift):
    """J of a square of 10 pixels and the same, moved."""
    return max(0, 10 - shift) / (10 + min(shift, 10))


def square(x, label=1):
    labels = np.zeros(SIZE, np.uint8)
    labels[20:30, x : x + 10] = label
    return labels


def write_masks(root, sequence, frames):
    (root / sequence).mkdir(parents=True, exist_ok=True)
    for number, labels in enumerate(frames):
        write_labels(root / sequence / f'{number:05d}.png', labels)


def write_images(root, sequence, length):
    (root / sequence).mkdir(parents=True)
    for number in range(length):
        picture = np.full((*SIZE, 3), 60 + 10 * number, np.uint8)
        Image.fromarray(picture).save(root / sequence / f'{number:05d}.jpg')


def write_split(root, names):
    for year in ('2016', '2017'):
        (root / 'ImageSets' / year).mkdir(parents=True, exist_ok=True)
        (root / 'ImageSets' / year / 'val.txt').write_text('\n'.join(names) + '\n')
