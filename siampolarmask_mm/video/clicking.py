"""Boxes and points drawn by hand on the first frame, in a window of matplotlib."""

from __future__ import annotations

import numpy as np
from matplotlib.backend_bases import KeyEvent, MouseEvent
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from siampolarmask_mm.visualization.overlay import bright_color

SMALLEST_DRAG = 4  # pixels of the frame; less is a click
HELP = 'drag a box around each object or click on it; Backspace undoes, Enter starts'


class Clicks:
    """Collects boxes and points on a figure.

    Args:
        figure: to show the frame in.
        image: (h, w, 3) uint8 RGB.

    Attributes:
        boxes: x1, y1, x2, y2 each, edges between pixels.
        points: x, y each, in pixels.
        done: whether Enter was pressed.
    """

    def __init__(self, figure: Figure, image: np.ndarray) -> None:
        self.boxes: list[tuple[float, ...]] = []
        self.points: list[tuple[float, float]] = []
        self.done = False
        self._drawn: list[tuple[list, object]] = []
        self._from: tuple[float, float] | None = None
        self._figure = figure
        self.axes = figure.add_subplot()
        self.axes.imshow(image)
        self.axes.set_title(HELP, fontsize='small')
        self.axes.axis('off')
        self._draft = Rectangle((0, 0), 0, 0, fill=False, ec='white', visible=False)
        self.axes.add_patch(self._draft)
        for event, reaction in (
            ('button_press_event', self._press),
            ('motion_notify_event', self._drag),
            ('button_release_event', self._release),
            ('key_press_event', self._key),
        ):
            figure.canvas.mpl_connect(event, reaction)

    def _press(self, event: MouseEvent) -> None:
        self._from = (event.xdata, event.ydata) if event.inaxes is self.axes else None

    def _drag(self, event: MouseEvent) -> None:
        if self._from is not None and event.inaxes is self.axes:
            self._draft.set_bounds(*_spanned(self._from, event))
            self._draft.set_visible(True)
            self._figure.canvas.draw_idle()

    def _release(self, event: MouseEvent) -> None:
        self._draft.set_visible(False)
        start, self._from = self._from, None
        if start is None or event.inaxes is not self.axes:
            return
        left, top, width, height = _spanned(start, event)
        color = np.array(bright_color(len(self._drawn) + 1)) / 255
        if max(width, height) < SMALLEST_DRAG:
            self.points.append((event.xdata, event.ydata))
            artist = self.axes.plot(*self.points[-1], 'o', color=color)[0]
            self._drawn.append((self.points, artist))
        else:
            # matplotlib has pixel centers at integers, boxes have edges between them.
            self.boxes.append(
                (left + 0.5, top + 0.5, left + width + 0.5, top + height + 0.5)
            )
            artist = Rectangle((left, top), width, height, fill=False, color=color)
            self._drawn.append((self.boxes, self.axes.add_patch(artist)))
        self._figure.canvas.draw_idle()

    def _key(self, event: KeyEvent) -> None:
        if event.key == 'enter':
            self.done = True
            self._figure.canvas.stop_event_loop()
        elif event.key == 'backspace' and self._drawn:
            kind, artist = self._drawn.pop()
            kind.pop()
            artist.remove()
            self._figure.canvas.draw_idle()


def _spanned(
    start: tuple[float, float], event: MouseEvent
) -> tuple[float, float, float, float]:
    """Left, top, width and height of the box between two corners."""
    (x1, y1), (x2, y2) = start, (event.xdata, event.ydata)
    return min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)


def ask_for_objects(image: np.ndarray) -> dict:
    """Let the user show the objects of a frame in a window.

    Args:
        image: (h, w, 3) uint8 RGB.

    Returns:
        ``box`` and ``point``, as far as there are some, for `VideoTracker.init`.

    Raises:
        ValueError: if there is no display.
    """
    import matplotlib.pyplot as plt

    if plt.get_backend().lower() == 'agg':
        raise ValueError(
            'a mask, box or point of an object expected: there is no display to click on'
        )
    figure = plt.figure('siampolarmask track', layout='tight')
    clicks = Clicks(figure, image)
    figure.canvas.mpl_connect('close_event', lambda _: figure.canvas.stop_event_loop())
    plt.show(block=False)
    figure.canvas.start_event_loop()
    plt.close(figure)
    given = dict(box=clicks.boxes, point=clicks.points)
    return {name: values for name, values in given.items() if values}
