"""A picture of what masks lack over time, by cause, a panel for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from siampolarmask_mm.evaluation.error_split import Errors
from siampolarmask_mm.visualization.panels import Panels

COLORS = {  # from below to above
    'J': '#2a9d8f',
    'place (lost, or followed badly)': '#c1121f',
    'shape (seen badly where it is)': '#f4a261',
    'representation (beyond stars)': '#ced4da',
}


def draw_errors(path: Path, errors: Sequence[tuple[str, Errors]]) -> None:
    """Write the picture: J, and above it the parts of what J lacks to 1.

    Args:
        path: its file.
        errors: of each sequence, its name before them.
    """
    drawing = Panels([name for name, _ in errors], 'J, and what it lacks')
    for panel, (_, found) in zip(drawing.panels, errors, strict=True):
        fill_panel(panel, found)
    parts = [Patch(color=color, label=name) for name, color in COLORS.items()]
    drawing.figure.legend(handles=parts, loc='outside upper center', ncols=len(parts))
    drawing.save(path)


def fill_panel(panel: Axes, errors: Errors) -> None:
    """Stack the parts of a sequence.

    Where a help made a frame worse, its part is not there, and the next one begins at the
    highest of those before.
    """
    frames = np.arange(1, len(errors.tracked) + 1)
    ones = np.ones(len(frames))
    tops = np.maximum.accumulate([*errors, ones])
    for low, high, color in zip([0 * ones, *tops], tops, COLORS.values(), strict=False):
        panel.fill_between(frames, low, high, color=color, linewidth=0)
    panel.plot(frames, errors.tracked, color='black', linewidth=0.8)
