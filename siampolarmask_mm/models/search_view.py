"""Where the tracker looked for an object, and what it saw there: for pictures."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from siampolarmask_mm.crops import Crop


class SearchView(NamedTuple):
    """A search crop and its score map, in pixels of the image.

    Attributes:
        window: (4,) the crop, x1, y1, x2, y2, edges between pixels.
        cells: (4,) what the locations of the score map cover of it.
        scores: (H, W) of the locations, from 0 to 1.
    """

    window: Tensor
    cells: Tensor
    scores: Tensor


def search_view(crop: Crop, points: Tensor, logits: Tensor) -> SearchView:
    """What a crop shows.

    Args:
        crop: not turned.
        points: (H, W, 2) where the locations look at, in pixels of the crop.
        logits: (H, W) of their scores.
    """
    half = (points[1, 1] - points[0, 0]) / 2
    first, last = points[0, 0] - half, points[-1, -1] + half
    ends = points.new_tensor([-0.5, crop.size - 0.5])
    corners = points.new_empty(4, 2)
    corners[:2] = ends[:, None]
    corners[2], corners[3] = first, last
    # Edges lie half a pixel after the points before them.
    edges = crop.to_image(corners) + 0.5
    return SearchView(edges[:2].flatten(), edges[2:].flatten(), logits.sigmoid())
