"""A figure of one panel per sequence, all on the same scale of J."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLUMNS = 4


class Panels:
    """Panels from left to right and top to bottom; write them with `save`.

    Args:
        sequences: their titles.
        label: of the scale.

    Attributes:
        panels: one per sequence.
    """

    def __init__(self, sequences: Sequence[str], label: str) -> None:
        columns = min(COLUMNS, len(sequences))
        rows = math.ceil(len(sequences) / columns)
        self.figure = Figure(figsize=(3.4 * columns, 2.2 * rows), layout='constrained')
        axes = list(self.figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
        self.panels: list[Axes] = axes[: len(sequences)]
        for sequence, panel in zip(sequences, self.panels, strict=True):
            panel.set_title(sequence, fontsize=9)
            panel.set_ylim(0, 1)
        for panel in axes[len(sequences) :]:
            panel.axis('off')
        self.figure.supxlabel('scored frame')
        self.figure.supylabel(label)

    def save(self, path: Path) -> None:
        """Write a picture; missing folders are made."""
        FigureCanvasAgg(self.figure)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.figure.savefig(path, dpi=100)
