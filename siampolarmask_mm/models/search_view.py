"""Where the tracker looked for an object, and what it saw there: for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models.confidence import paste_confidence
from siampolarmask_mm.models.decoded import Decoded


@dataclass(frozen=True)
class SearchView:
    """A search crop and its score map, in pixels of the image, once they are asked for.

    Attributes:
        crop: not turned.
        points: (H, W, 2) where the locations look at, in pixels of the crop.
        logits: (H, W) of their scores.
        decoded: what was made of them.
    """

    crop: Crop
    points: Tensor
    logits: Tensor
    decoded: Decoded | None = None

    @property
    def window(self) -> Tensor:
        """(4,) the crop, x1, y1, x2, y2, edges between pixels."""
        ends = self.points.new_tensor([-0.5, self.crop.size - 0.5])
        return self._in_image(ends[:, None].expand(2, 2))

    @property
    def cells(self) -> Tensor:
        """(4,) what the locations of the score map cover of it."""
        first, last = self.points[0, 0], self.points[-1, -1]
        half = (self.points[1, 1] - first) / 2
        return self._in_image(torch.stack([first - half, last + half]))

    @property
    def scores(self) -> Tensor:
        """(H, W) of the locations, from 0 to 1."""
        return self.logits.sigmoid()

    def confidence(self, frame_size: tuple[int, int]) -> np.ndarray:
        """(h, w) float32: how surely each pixel of the frame is the object's, 0 to 1.

        0 outside the window. Above 0.5 is the object's mask, before other objects take
        pixels of it and, of one star, before it is averaged with the previous one. Of an
        object that is lost, that of the best place there was.
        """
        height, width = frame_size
        part = 0, 0, width, height
        return paste_confidence(self.decoded.confidence, self.crop, part)

    def _in_image(self, corners: Tensor) -> Tensor:
        # Edges lie half a pixel after the points before them.
        return self.crop.to_image(corners).flatten() + 0.5
