"""A picture of what representations by stars reach, with examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from siampolarmask_mm.evaluation.ceiling import Row

MISSING, ADDED, RIGHT = (235, 110, 90), (90, 130, 235), (150, 190, 150)


def draw_ceiling(
    path: Path, rows: Sequence[Row], examples: Sequence[dict[str, np.ndarray]]
) -> None:
    """Write a plot: J&F by representation and rays, and examples below it.

    Args:
        path: the picture's file.
        rows: as `siampolarmask_mm.evaluation.ceiling.measure_ceiling` gives them.
        examples: for each object, (h, w) boolean masks by name, ``truth`` among them.
    """
    names = list(dict.fromkeys(row.representation for row in rows))
    ray_counts = sorted({row.rays for row in rows})
    figure = Figure(figsize=(2 * len(names), 3.2 + 1.7 * len(examples)))
    heights = [3.2] + [1.7] * len(examples)
    top, *below = figure.add_gridspec(1 + len(examples), 1, height_ratios=heights)
    axes = figure.add_subplot(top)
    values = {(row.representation, row.rays): row.mean for row in rows}
    for i, num_rays in enumerate(ray_counts):
        x = np.arange(len(names)) + (i - (len(ray_counts) - 1) / 2) * 0.8 / len(ray_counts)
        heights = [values[name, num_rays] for name in names]
        bars = axes.bar(x, heights, 0.76 / len(ray_counts), label=f'{num_rays} rays')
        axes.bar_label(bars, fmt='%.3f', fontsize=8)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(max(0, min(values.values()) - 0.1), 1)
    axes.set_ylabel('J&F')
    axes.legend(loc='upper left')
    for spec, masks in zip(below, examples, strict=True):
        cells = spec.subgridspec(1, len(names), wspace=0.05)
        for cell, name in zip(cells, names, strict=True):
            axes = figure.add_subplot(cell)
            axes.imshow(compare_masks(masks[name], masks['truth']))
            axes.axis('off')
    figure.text(
        0.5, 0.005, 'green: right   red: missing   blue: added', ha='center', fontsize=9
    )
    FigureCanvasAgg(figure)
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def compare_masks(mask: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB: where two (H, W) masks agree, and where and how they do not."""
    picture = np.full((*mask.shape, 3), 255, np.uint8)
    for color, where in {
        RIGHT: mask & truth,
        MISSING: truth & ~mask,
        ADDED: mask & ~truth,
    }.items():
        picture[where] = color
    return picture
