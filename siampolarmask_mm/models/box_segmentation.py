"""The mask of an object of which only a box is known.

Shape shorthand:
    h, w: the image
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from torch import Tensor

from siampolarmask_mm.models.first_frame import fill_box

LONGEST_SIDE = 255  # pixels of the part of the image in which colors are compared
ROUNDS = 5  # of GrabCut
SMALLEST_SHARE = 0.15  # of a box that an object fills, or it was not found
FEWEST_PIXELS = 5  # of either side: GrabCut has as many colors of each


def segment_box(
    image: np.ndarray,
    box: Tensor,
    look: Callable[[Tensor, np.ndarray], tuple[np.ndarray, float]],
) -> np.ndarray | None:
    """What of a box is the object: by its colors, then as the network sees it.

    Args:
        image: (h, w, 3) from 0 to 255, uint8, or float as of mmtrack's `inference_sot`.
        box: (4,) around the object, in pixels of the image.
        look: called with the box and a mask (h, w) of 0 and 1; gives the mask (h, w),
            boolean, that is found in the same image when an object is started with them,
            and its score.

    Returns:
        (h, w) uint8 of 0 and 1, inside the box; None if its colors are those around it, or
        there are too few pixels in it or around it to tell.
    """
    inside = fill_box(box, image.shape[:2]).byte().numpy()
    mask = _cut_out(image, inside)
    if mask is None:
        return None
    found = look(box, mask)[0] * inside
    return found if _is_large(found, inside) else mask


def _cut_out(image: np.ndarray, inside: np.ndarray) -> np.ndarray | None:
    """The part (h, w) of a box that differs in color from what is around it.

    Source: GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004), by OpenCV.
    """
    if not inside.any():
        return None
    left, top, width, height = cv2.boundingRect(inside)
    margin = max(width, height) // 3 + 8
    rows = slice(max(top - margin, 0), top + height + margin)
    columns = slice(max(left - margin, 0), left + width + margin)
    part, part_inside = image[rows, columns], inside[rows, columns]
    scale = min(1.0, LONGEST_SIDE / max(part.shape[:2]))
    size = [max(round(scale * side), 1) for side in part.shape[1::-1]]
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA).round().astype(np.uint8)
    shrunk = cv2.resize(part_inside, size, interpolation=cv2.INTER_NEAREST)
    labels = np.where(shrunk > 0, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    count = int((shrunk > 0).sum())
    if min(count, shrunk.size - count) < FEWEST_PIXELS:
        return None
    cv2.setRNGSeed(0)  # GrabCut draws its first colors by chance
    cv2.grabCut(
        small,
        labels,
        None,
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        ROUNDS,
        cv2.GC_INIT_WITH_MASK,
    )
    kept = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    mask = np.zeros_like(inside)
    mask[rows, columns] = cv2.resize(
        kept, part.shape[1::-1], interpolation=cv2.INTER_NEAREST
    )
    mask *= inside
    return mask if _is_large(mask, inside) else None


def _is_large(mask: np.ndarray, inside: np.ndarray) -> bool:
    return mask.sum() >= SMALLEST_SHARE * inside.sum()
