"""Objects shown by hand, without a display: events are made here."""

import numpy as np
import pytest
from matplotlib.backend_bases import KeyEvent, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from moving_square import draw_frame

from siampolarmask_mm.video.clicking import Clicks, ask_for_objects


@pytest.fixture
def clicks():
    figure = Figure()
    FigureCanvasAgg(figure)
    clicks = Clicks(figure, draw_frame(0))
    figure.canvas.draw()
    return clicks


PRESS, MOVE = 'button_press_event', 'motion_notify_event'
RELEASE = 'button_release_event'


def move(clicks, name, point):
    canvas = clicks.axes.figure.canvas
    x, y = clicks.axes.transData.transform(point)
    canvas.callbacks.process(name, MouseEvent(name, canvas, x, y, button=1))


def drag(clicks, start, end):
    for name, point in ((PRESS, start), (MOVE, end), (RELEASE, end)):
        move(clicks, name, point)


def draft(clicks):
    """Bounds of the box that is being dragged; None if there is none."""
    (patch,) = [
        patch for patch in clicks.axes.patches if patch.get_edgecolor()[:3] == WHITE
    ]
    return patch.get_bbox().bounds if patch.get_visible() else None


WHITE = (1.0, 1.0, 1.0)


def press(clicks, key):
    canvas = clicks.axes.figure.canvas
    canvas.callbacks.process('key_press_event', KeyEvent('key_press_event', canvas, key))


def test_drags_are_boxes_and_clicks_are_points(clicks):
    drag(clicks, (40, 30), (20, 10))  # from the lower right to the upper left
    drag(clicks, (60, 50), (61, 50))
    np.testing.assert_allclose(clicks.boxes, [(20.5, 10.5, 40.5, 30.5)])
    np.testing.assert_allclose(clicks.points, [(61, 50)])
    assert not clicks.done
    press(clicks, 'enter')
    assert clicks.done


def test_backspace_takes_the_last_one_back(clicks):
    drag(clicks, (10, 10), (30, 30))
    drag(clicks, (60, 50), (60, 50))
    press(clicks, 'backspace')
    assert (len(clicks.boxes), len(clicks.points)) == (1, 0)
    press(clicks, 'backspace')
    press(clicks, 'backspace')
    assert (len(clicks.boxes), len(clicks.points)) == (0, 0)
    assert len(clicks.axes.lines) == 0
    assert len(clicks.axes.patches) == 1  # for what is being dragged


def test_a_box_is_seen_while_it_is_dragged(clicks):
    move(clicks, MOVE, (20, 20))
    assert draft(clicks) is None
    move(clicks, PRESS, (20, 10))
    move(clicks, MOVE, (50, 40))
    np.testing.assert_allclose(draft(clicks), (20, 10, 30, 30))
    move(clicks, MOVE, (10, 30))
    np.testing.assert_allclose(draft(clicks), (10, 10, 10, 20))
    move(clicks, RELEASE, (-500, 10))  # beside the frame: taken back
    move(clicks, MOVE, (60, 60))
    assert draft(clicks) is None
    assert clicks.boxes == clicks.points == []


def test_clicks_beside_the_frame_do_not_count(clicks):
    drag(clicks, (-500, 10), (30, 30))
    assert clicks.boxes == clicks.points == []


def test_without_a_display_a_prompt_is_asked_for():
    with pytest.raises(ValueError, match='there is no display to click on'):
        ask_for_objects(draw_frame(0))
