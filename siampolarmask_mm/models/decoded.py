"""What a decoder makes of a search crop: a star, the choice of a location, a mask.

Shape shorthand:
    K: rays    S: pixels of a search crop
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from torch import Tensor

from siampolarmask_mm.models.confidence import MAJORITY, mask_box
from siampolarmask_mm.polar import star_boxes


class Star(NamedTuple):
    """A star polygon; the frame of its pixels is its holder's.

    Attributes:
        center: (2,) point in pixels.
        rays: (K,) lengths in pixels.
    """

    center: Tensor
    rays: Tensor


class Choice(NamedTuple):
    """The location that the decoder took.

    Attributes:
        star: in pixels of the search crop.
        score: its probability, with centerness if that counts, from 0 to 1.
        penalty: of its change in scale and ratio, from 0 to 1 (no change).
        location: its row and column.
    """

    star: Star
    score: float
    penalty: float
    location: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Decoded:
    """An object as it is seen in a search crop of S pixels, in the crop's pixels.

    Attributes:
        choice: the best location.
        draw: makes ``confidence`` when it is first asked for.
        raw: (S, S) confidence of a union before a threshold; None of one star.
    """

    choice: Choice
    draw: Callable[[], Tensor]
    raw: Tensor | None = None

    @cached_property
    def confidence(self) -> Tensor:
        """(S, S) float32 from 0 to 1; the mask is where it is above `MAJORITY`."""
        return self.draw()

    @cached_property
    def box(self) -> Tensor:
        """(4,) around the mask; around the star of ``choice`` if the mask is empty."""
        box = mask_box(self.confidence > MAJORITY)
        return star_boxes(*self.choice.star) if box is None else box
