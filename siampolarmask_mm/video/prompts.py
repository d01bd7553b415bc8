"""What the user shows of each object in the first frame: a mask, a box or a point.

Shape shorthand:
    N: objects    h, w: the frame
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from siampolarmask_mm.label_images import read_labels
from siampolarmask_mm.models.confidence import mask_box
from siampolarmask_mm.models.given_objects import GivenObjects

MOST_OBJECTS = 254  # labels of a uint8 label image that are neither background nor void
VOID = 255  # in label images of DAVIS that have other labels as well


class Prompts(NamedTuple):
    """Objects, those with masks first, then boxes, then points.

    Attributes:
        labels: (N,) their numbers in label images.
        masks: of (h, w), boolean.
        boxes: (x1, y1, x2, y2) each, in pixels, edges between pixels.
        points: (x, y) each, in pixels.
    """

    labels: list[int]
    masks: list[np.ndarray]
    boxes: list[np.ndarray]
    points: list[np.ndarray]

    def given(self) -> list[GivenObjects]:
        """What `PolarTracker.start` takes, one call after the other."""
        outlined, total = len(self.masks) + len(self.boxes), len(self.labels)
        boxes = [mask_box(torch.from_numpy(mask)) for mask in self.masks]
        boxes += [torch.from_numpy(box).float() for box in self.boxes]
        masks = [mask.astype(np.uint8) for mask in self.masks]
        masks += [None] * len(self.boxes)
        calls = []
        if boxes:
            calls.append(
                GivenObjects(list(range(outlined)), torch.stack(boxes), masks, total)
            )
        if self.points:
            points = torch.from_numpy(np.stack(self.points)).float()
            rows, count = list(range(outlined, total)), len(points)
            none = torch.zeros(count, 4)
            calls.append(GivenObjects(rows, none, [None] * count, total, points))
        return calls


def make_prompts(
    frame_size: tuple[int, int],
    mask: np.ndarray | None = None,
    box: np.ndarray | Sequence | None = None,
    point: np.ndarray | Sequence | None = None,
    labels: Sequence[int] | None = None,
) -> Prompts:
    """Check what is given of the objects in a frame, and number them.

    Objects of a label image keep their labels; others get the lowest free ones.

    Args:
        frame_size: (h, w).
        mask: (h, w), a label image (0 is background) or boolean; 255 is one object where
            there is no other label, as in DAVIS-2016, and no object where there is one.
        box: (4,) or a row for each object, x1, y1, x2, y2 in pixels.
        point: (2,) or a row for each object, x, y in pixels.
        labels: of all objects, 1 to 254; theirs in the mask, and free ones, if not given.

    Raises:
        ValueError: if there is no object, the mask is of another size, a box has no
            extent, a box or point lies outside, or there is not one label per object.
    """
    own, masks = ([], []) if mask is None else _split(_as_labels(mask, frame_size))
    boxes = [_checked_box(row, frame_size) for row in _rows(box, 4, 'box')]
    points = [_checked_point(row, frame_size) for row in _rows(point, 2, 'point')]
    count = len(masks) + len(boxes) + len(points)
    if count == 0:
        raise ValueError('a mask, box or point of at least one object expected, got none')
    if labels is None:
        free = (label for label in range(1, VOID) if label not in own)
        labels = own + [label for _, label in zip(boxes + points, free, strict=False)]
    if np.ndim(labels) != 1:
        raise ValueError(f'a list of labels expected, got {labels!r}')
    if len(labels) != count:
        raise ValueError(
            f'one label per object expected, got {count} objects and {np.size(labels)} '
            f'labels (of 1 to {MOST_OBJECTS})'
        )
    labels = [int(label) for label in labels]
    if len(set(labels)) < count or not all(0 < label < VOID for label in labels):
        raise ValueError(f'different labels from 1 to 254 expected, got {labels}')
    return Prompts(labels, masks, boxes, points)


def read_mask(path: str | Path) -> np.ndarray:
    """(h, w) uint8 labels of a first frame's mask, see `make_prompts`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not an indexed or grey image, or a JPEG.
    """
    if Path(path).suffix.lower() in ('.jpg', '.jpeg'):
        raise ValueError(f'a mask as PNG expected, got {path}: a JPEG blurs labels')
    if not Path(path).is_file():
        raise FileNotFoundError(f'no mask at {path}')
    return read_labels(path)


def read_numbers(text: str, count: int) -> list[float]:
    """The numbers of ``1,2,3``.

    Raises:
        ValueError: if there are not that many.
    """
    try:
        numbers = [float(part) for part in text.split(',')]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise ValueError(f'{count} numbers with commas between expected, got {text!r}')
    return numbers


def _as_labels(mask: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.dtype.kind not in 'bui':
        raise ValueError(f'a mask of integers or booleans expected, got {mask.dtype}')
    if mask.shape != tuple(frame_size):
        wanted = ' x '.join(map(str, frame_size))
        got = ' x '.join(map(str, mask.shape))
        raise ValueError(f'a mask of {wanted} (height x width) expected, got {got}')
    if mask.min() < 0 or mask.max() > VOID:
        raise ValueError(f'labels from 0 to 255 expected, got {mask.min()} to {mask.max()}')
    return mask.astype(np.uint8)


def _split(labels: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
    found = [int(label) for label in np.unique(labels) if label > 0]
    if not found:
        raise ValueError('a mask with at least one object expected, got an empty one')
    if found == [VOID]:
        return [1], [labels == VOID]
    found = [label for label in found if label != VOID]
    return found, [labels == label for label in found]


def _rows(values: np.ndarray | Sequence | None, width: int, name: str) -> np.ndarray:
    if values is None:
        return np.zeros((0, width))
    try:
        rows = np.atleast_2d(np.asarray(values, dtype=float))
    except (TypeError, ValueError) as error:
        raise ValueError(f'{name} of {width} numbers expected, got {values!r}') from error
    if rows.shape[1:] != (width,):
        raise ValueError(f'{name} of {width} numbers expected, got shape {rows.shape}')
    return rows


def _checked_box(box: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    (x1, y1, x2, y2), (height, width) = box.tolist(), frame_size
    shown = f'{x1:g},{y1:g},{x2:g},{y2:g}'
    if not (x1 < x2 and y1 < y2):
        raise ValueError(f'a box x1,y1,x2,y2 with x1 < x2, y1 < y2 expected, got {shown}')
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        raise ValueError(f'a box within {width} x {height} pixels expected, got {shown}')
    return np.clip(box, 0, [width, height, width, height])


def _checked_point(point: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    (x, y), (height, width) = point.tolist(), frame_size
    # Rounded, it is a pixel; what is no number fails too.
    if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
        raise ValueError(
            f'a point within {width} x {height} pixels expected, got {x:g},{y:g}'
        )
    return point
