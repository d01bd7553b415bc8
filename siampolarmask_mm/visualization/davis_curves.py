"""A picture of J over time, a panel for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from siampolarmask_mm.evaluation.davis_scores import ObjectScores
from siampolarmask_mm.label_images import label_colors
from siampolarmask_mm.visualization.panels import Panels


def draw_curves(path: Path, objects: Sequence[ObjectScores]) -> None:
    """Write the picture; a line per object, dashed the first mask that never moves.

    Args:
        path: its file.
        objects: with their scores.
    """
    sequences = list(dict.fromkeys(item.sequence for item in objects))
    drawing = Panels(sequences, 'J (dashed: the first mask, never moved)')
    panels = dict(zip(sequences, drawing.panels, strict=True))
    for item in objects:
        panel = panels[item.sequence]
        color = label_colors()[item.object_id] / 255
        frames = np.arange(1, len(item.tracker) + 1)
        panel.plot(frames, [j for j, _ in item.tracker], color=color)
        if 'still' in item.references:
            still = [j for j, _ in item.references['still']]
            panel.plot(frames, still, '--', color=color, linewidth=0.7)
    drawing.save(path)
