"""An endless source: a camera in the network, as an HTTP stream of JPEGs."""

import itertools
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import pytest
from moving_square import draw_frame
from read_results import numbers

from siampolarmask_mm.video import command
from siampolarmask_mm.video.tracking import VideoTracker


class Camera(BaseHTTPRequestHandler):
    """Sends frames until the other side closes."""

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=next')
        self.end_headers()
        try:
            for number in range(10_000):  # enough for an endless one
                jpeg = cv2.imencode('.jpg', draw_frame(number % 8))[1].tobytes()
                head = f'--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}'
                self.wfile.write(f'{head}\r\n\r\n'.encode() + jpeg + b'\r\n')
        except OSError:
            pass

    def log_message(self, *args):
        pass


@pytest.fixture
def address():
    server = ThreadingHTTPServer(('127.0.0.1', 0), Camera)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/camera.mjpg'
    server.shutdown()
    server.server_close()


def test_a_stream_is_tracked_until_the_user_stops(
    run, address, monkeypatch, tmp_path, capsys
):
    update = VideoTracker.update
    frames = itertools.count(1)

    def stop_in_the_fifth(self, frame):
        if next(frames) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return update(self, frame)

    monkeypatch.setattr(VideoTracker, 'update', stop_in_the_fifth)
    assert run(source=address) == command.STOPPED
    masks, table, _, shown = numbers(tmp_path / 'out')
    assert (masks, sorted(set(table)), shown) == (list(range(6)), list(range(6)), 6)
    assert not (tmp_path / 'out/resume.pth').exists()
    printed = capsys.readouterr().err
    assert 'stopped before the end\n' in printed  # nothing goes on with what is gone


def test_ctrl_c_before_the_first_frame_is_no_traceback(run, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr('siampolarmask_mm.apis.load', interrupt)
    assert run() == command.STOPPED
    assert capsys.readouterr().err == 'siampolarmask: stopped\n'
