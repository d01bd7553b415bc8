"""When an object counts as lost, and how far around it to look meanwhile."""

from __future__ import annotations

from siampolarmask_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class LostAndFound:
    """Decide from an object's confidence whether it is lost, and how wide to look for it.

    Confidence is the score relative to the one that the object gets when the tracker looks
    for it in its own first frame, so that 1 is as sure as can be, whatever a network's
    scores are like.

    Args:
        lost_below: confidence below which an object that was followed is lost.
        found_above: confidence from which an object that was lost is found again. Above
            ``lost_below``, so that a doubtful place does not end the search.
        widen: how many times as wide as usual the search window is after a frame of
            confidence 0; it is ``widen`` times wider again with each frame that an object
            is lost.
        widest: how many times as wide as usual the window gets at most. What it shows is
            that many times as small, so that the network may no longer know it.

    Raises:
        ValueError: if not 0 <= ``lost_below`` <= ``found_above`` <= 1, or not
            1 <= ``widen`` <= ``widest``.
    """

    def __init__(
        self,
        lost_below: float = 0.3,
        found_above: float = 0.5,
        widen: float = 1.2,
        widest: float = 2.5,
    ) -> None:
        if not 0 <= lost_below <= found_above <= 1:
            raise ValueError(
                '0 <= lost_below <= found_above <= 1 expected, '
                f'got {lost_below} and {found_above}'
            )
        if not 1 <= widen <= widest:
            raise ValueError(f'1 <= widen <= widest expected, got {widen} and {widest}')
        self.lost_below = lost_below
        self.found_above = found_above
        self.widen = widen
        self.widest = widest

    def is_lost(self, confidence: float, was_lost: bool) -> bool:
        """Whether an object found with this confidence is taken for another thing."""
        return confidence < (self.found_above if was_lost else self.lost_below)

    def window(self, confidence: float, frames_lost: int) -> float:
        """How many times as wide as usual to look in the next frame.

        Grows with doubt, step by step while an object is lost; 1 where it was surely found.

        Args:
            confidence: in the last frame, from 0 to 1.
            frames_lost: for how many frames it has been lost.
        """
        return min(self.widen ** (1 - confidence + frames_lost), self.widest)
