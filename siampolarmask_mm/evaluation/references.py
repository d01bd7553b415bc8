"""Masks to compare a tracker with: two that need no tracker, and the most stars can do.

Shape shorthand:
    H, W: an image
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Reference = Callable[[np.ndarray, np.ndarray], np.ndarray]
NAMES = ('still', 'box', 'star', 'union')


def find_references(names: Sequence[str], num_rays: int = 36) -> dict[str, Reference]:
    """Functions from a frame's and the first frame's true mask (H, W) to a mask (H, W).

    Args:
        names: among ``still`` (the first frame's true mask, never moved), ``box`` (the true
            box, filled), ``star`` (one star about the true center of mass: the most that
            one star can reach) and ``union`` (what all locations inside the object see, up
            to two strides: the most that the visible union can reach).
        num_rays: of ``star`` and ``union``.

    Raises:
        ValueError: if a name is none of these.
    """
    known = dict(
        still=lambda truth, first: first,  # noqa: ARG005
        box=lambda truth, first: fill_box(coco_box(truth), truth.shape),  # noqa: ARG005
        star=lambda truth, first: best_star(truth, num_rays),  # noqa: ARG005
        union=lambda truth, first: best_union(truth, num_rays),  # noqa: ARG005
    )
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise ValueError(f'references among {sorted(NAMES)} expected, got {unknown}')
    return {name: known[name] for name in names}


def fill_box(box_xyxy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) boolean: the pixels whose centers lie in a box, edges between pixels."""
    x1, y1, x2, y2 = np.round(np.nan_to_num(box_xyxy)).astype(int).clip(0)
    mask = np.zeros(size, dtype=bool)
    mask[y1:y2, x1:x2] = True
    return mask


def coco_box(mask: np.ndarray) -> np.ndarray:
    """(4,) the box (x1, y1, x2, y2) around a mask; zeros if it is empty."""
    if not mask.any():
        return np.zeros(4, int)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def best_star(mask: np.ndarray, num_rays: int) -> np.ndarray:
    """(H, W) boolean: the star of the true rays about the center of mass."""
    if not mask.any():
        return mask
    import torch

    from siampolarmask_mm.polar import cast_rays, mask_outlines, star_masks

    # All of a star lies in the box around the mask.
    x1, y1, x2, y2 = coco_box(mask)
    part = np.ascontiguousarray(mask[y1:y2, x1:x2])
    center = torch.tensor(np.argwhere(part).mean(0)[::-1].copy(), dtype=torch.float32)[None]
    outline = mask_outlines(torch.from_numpy(part)[None])
    rays = cast_rays(outline, center, num_rays, 'last').lengths
    star = np.zeros_like(mask)
    star[y1:y2, x1:x2] = star_masks(center, rays, part.shape)[0].numpy()
    return star


def best_union(mask: np.ndarray, num_rays: int) -> np.ndarray:
    """(H, W) boolean: the union of what all locations inside a mask see nearby."""
    if not mask.any():
        return mask
    from siampolarmask_mm.evaluation.ceiling import look_at, represent

    return represent(mask, num_rays, look_at(mask, 127, 255, 8), ['union, capped'])[
        'union, capped'
    ]
