"""Which frames of an object are remembered beside the first."""

from __future__ import annotations

from siampolarmask_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class TemplateMemory:
    """Remember how an object looks in confident later frames.

    The first frame, the only one that is surely right, is always kept. Predictions made
    with each of the templates are averaged.

    Args:
        above: confidence from which a frame is remembered; see `LostAndFound` for what it
            is relative to.
        every: frames that lie at least between two that are remembered, plus one.
        most: templates that are kept, the first one counted. The oldest but the first goes
            when another comes.

    Raises:
        ValueError: if ``every`` is below 1 or ``most`` below 2.
    """

    def __init__(self, above: float = 0.9, every: int = 10, most: int = 3) -> None:
        if every < 1:
            raise ValueError(f'every of at least 1 frame expected, got {every}')
        if most < 2:
            raise ValueError(f'most of at least 2 templates expected, got {most}')
        self.above = above
        self.every = every
        self.most = most

    def wants(self, confidence: float, frames_since: int) -> bool:
        """Whether to remember a frame this long after the last one remembered."""
        return confidence >= self.above and frames_since >= self.every

    def add(self, templates: list, new: object) -> list:
        """The templates to keep, oldest first, with a new one at the end."""
        first, *later = [*templates, new]
        return [first, *later[-(self.most - 1) :]]
