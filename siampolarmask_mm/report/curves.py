"""J over time as SVG, styled by the page so that it suits light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from siampolarmask_mm.label_images import label_colors
from siampolarmask_mm.report.ranking import VideoScores, common_references

WIDTH, HEIGHT = 560, 240  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 24  # of its margins


def draw_curves(video: VideoScores, marked: Sequence[int]) -> str:
    """J of each object and the references' means, with circles at the marked positions.

    The element's ``data-left`` and ``data-right`` say where the first and the last frame
    are, as shares of its width.
    """
    length = len(video.frames)
    x = _columns(length)
    region = video.region()
    parts = [
        f'<svg class="curves" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="J over the frames of {escape(video.name)}" '
        f'data-left="{x[0] / WIDTH:.4f}" data-right="{x[-1] / WIDTH:.4f}">'
    ]
    for value in (0, 0.25, 0.5, 0.75, 1):
        y = _row(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:g}</text>'
        )
    for position, anchor in ((0, 'start'), (length - 1, 'end')):
        parts.append(
            f'<text x="{x[position]:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">'
            f'{escape(video.frames[position])}</text>'
        )
    for name in common_references(video.objects):
        parts.append(_line(x, video.region(name), f'reference {escape(name)}'))
    for item in video.objects:
        values = np.array([region for region, _ in item.tracker])
        parts.append(
            _line(x[length - len(values) :], values, 'object', color(item.object_id))
        )
    parts += [
        f'<circle class="worst" cx="{x[i]:.1f}" cy="{_row(region[i])}" r="5"/>'
        for i in marked
    ]
    parts.append(f'<line class="cursor" y1="{TOP}" y2="{HEIGHT - BOTTOM}" hidden/></svg>')
    return ''.join(parts)


def draw_sparkline(values: np.ndarray) -> str:
    """(T,) J of a video as a small curve without axes."""
    x = np.linspace(1, 99, len(values)) if len(values) > 1 else np.array([1.0])
    points = ' '.join(f'{a:.1f},{27 - 26 * b:.1f}' for a, b in zip(x, values, strict=True))
    return (
        '<svg class="sparkline" viewBox="0 0 100 28" aria-hidden="true" '
        f'preserveAspectRatio="none"><polyline points="{points}"/></svg>'
    )


def color(label: int) -> str:
    """A label's color as CSS has it."""
    return 'rgb({} {} {})'.format(*label_colors()[label])


def _columns(length: int) -> np.ndarray:
    if length == 1:
        return np.array([(LEFT + WIDTH - RIGHT) / 2])
    return np.linspace(LEFT, WIDTH - RIGHT, length)


def _row(value: float) -> float:
    return round(TOP + (1 - value) * (HEIGHT - TOP - BOTTOM), 1)


def _line(x: np.ndarray, values: np.ndarray, name: str, stroke: str = '') -> str:
    style = f' style="--object: {stroke}"' if stroke else ''
    points = ' '.join(f'{a:.1f},{_row(b)}' for a, b in zip(x, values, strict=True))
    return f'<polyline class="{name}"{style} points="{points}"/>'
