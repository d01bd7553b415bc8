"""A picture of J over time, a panel for each sequence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from siampolarmask_mm.evaluation.davis_scores import ObjectScores
from siampolarmask_mm.label_images import label_colors

COLUMNS = 4


def draw_curves(path: Path, objects: Sequence[ObjectScores]) -> None:
    """Write the picture; a line per object, dashed the first mask that never moves.

    Args:
        path: its file.
        objects: with their scores.
    """
    sequences = list(dict.fromkeys(item.sequence for item in objects))
    columns = min(COLUMNS, len(sequences))
    rows = math.ceil(len(sequences) / columns)
    figure = Figure(figsize=(3.4 * columns, 2.2 * rows), layout='constrained')
    panels = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
    for panel, sequence in zip(panels, sequences, strict=False):
        for item in objects:
            if item.sequence != sequence:
                continue
            color = label_colors()[item.object_id] / 255
            frames = np.arange(1, len(item.tracker) + 1)
            panel.plot(frames, [j for j, _ in item.tracker], color=color)
            if 'still' in item.references:
                still = [j for j, _ in item.references['still']]
                panel.plot(frames, still, '--', color=color, linewidth=0.7)
        panel.set_title(sequence, fontsize=9)
        panel.set_ylim(0, 1)
    for panel in panels[len(sequences) :]:
        panel.axis('off')
    figure.supxlabel('scored frame')
    figure.supylabel('J (dashed: the first mask, never moved)')
    FigureCanvasAgg(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
