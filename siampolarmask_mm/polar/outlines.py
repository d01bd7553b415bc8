"""The outlines of objects, from polygons or from bitmaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Outlines(NamedTuple):
    """The edges of N objects, one object after another, so that none is filled up.

    Attributes:
        edges: (E, 2, 2) from (x, y) to (x, y), in pixels.
        counts: (N,) how many of them each object has.
    """

    edges: Tensor
    counts: Tensor

    @property
    def starts(self) -> Tensor:
        """(N,) index of each object's first edge."""
        return self.counts.cumsum(0) - self.counts


def polygon_outlines(
    objects: Sequence[Sequence[Tensor]], device: torch.device | str | None = None
) -> Outlines:
    """Join each object's polygons to one outline.

    A part inside another is a hole (even-odd).

    Args:
        objects: N lists of polygons, each (V, 2) the corners in order, in pixels; the last
            corner joins the first. An object without polygons is empty.
        device: of the result; that of the polygons if not given.

    Raises:
        ValueError: if a polygon has fewer than 3 points.
    """
    edges, counts = [torch.zeros(0, 2, 2)], []
    for polygons in objects:
        for polygon in polygons:
            if polygon.ndim != 2 or polygon.shape[0] < 3 or polygon.shape[1] != 2:
                raise ValueError(
                    'a polygon of at least 3 (x, y) points expected, got shape '
                    f'{tuple(polygon.shape)}'
                )
            edges.append(torch.stack([polygon, polygon.roll(-1, 0)], dim=1))
        counts.append(sum(map(len, polygons)))
    if len(edges) > 1:
        edges = edges[1:]  # whose type and device count
    joined = torch.cat(edges)
    joined = joined.to(device or joined.device)
    return Outlines(joined, torch.tensor(counts, dtype=torch.long, device=joined.device))


# For each 2 x 2 block of pixels (top left + 2 top right + 4 bottom left + 8 bottom right),
# which sides of the block its edges join: 0 top, 1 right, 2 bottom, 3 left. Where only two
# diagonal pixels are set, they stay apart.
_BLOCK_EDGES = {
    1: [(3, 0)], 2: [(0, 1)], 3: [(3, 1)], 4: [(3, 2)], 5: [(0, 2)],
    6: [(0, 1), (3, 2)], 7: [(1, 2)], 8: [(1, 2)], 9: [(3, 0), (1, 2)],
    10: [(0, 2)], 11: [(3, 2)], 12: [(3, 1)], 13: [(0, 1)], 14: [(3, 0)],
}  # fmt: skip
_BLOCK_SIDES = torch.tensor([[0.5, 0.0], [1.0, 0.5], [0.5, 1.0], [0.0, 0.5]])


def mask_outlines(masks: Tensor) -> Outlines:
    """Trace the outlines of bitmaps, halfway between pixels (marching squares).

    All pixel centers of a mask are inside its outline, all others outside. A mask that
    touches the border is closed half a pixel beyond it. An empty mask has no edges.

    Args:
        masks: (N, H, W) boolean, or numbers of which all but 0 are inside.
    """
    padded = torch.nn.functional.pad(masks.bool().to(torch.uint8), (1, 1, 1, 1))
    row_pairs = padded[:, :, :-1] + 2 * padded[:, :, 1:]
    block = row_pairs[:, :-1] + 4 * row_pairs[:, 1:]
    image, row, column = _mixed(block)
    code = block[image, row, column].long()
    corner = torch.stack([column, row], dim=-1).float() - 1  # of the block's top left pixel

    sides, counts = _block_tables(masks.device)
    nth = torch.arange(2, device=masks.device)
    exists = nth < counts[code, None]  # (M, 2): up to two edges a block
    edges = (corner[:, None, None] + sides[code])[exists]
    per_image = torch.zeros(len(masks), dtype=torch.long, device=masks.device)
    return Outlines(edges, per_image.index_add_(0, image, counts[code]))


def _mixed(block: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where blocks (N, H, W) are neither empty (0) nor full (15)."""
    if block.device.type == 'cpu':  # numpy takes a tenth of torch's time
        block = block.numpy()
        places = np.unravel_index(np.flatnonzero((block - 1) < 14), block.shape)
        return tuple(map(torch.from_numpy, places))
    return ((block - 1) < 14).nonzero(as_tuple=True)  # uint8 wraps 0 - 1 to 255


def _block_tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """(16, 2, 2, 2) the edges of each block, and (16,) how many they are."""
    sides = torch.zeros(16, 2, 2, 2)
    counts = torch.zeros(16, dtype=torch.long)
    for code, joined in _BLOCK_EDGES.items():
        counts[code] = len(joined)
        for i, (start, end) in enumerate(joined):
            sides[code, i] = _BLOCK_SIDES[[start, end]]
    return sides.to(device), counts.to(device)
