"""What is read, and what is left out with a warning."""

import struct
import warnings

import cv2
import numpy as np
import pytest
from moving_square import SIZE, draw_frame, write_video

from siampolarmask_mm.video.reading import USUAL_FPS, open_frames


def boxes_of(data, kind):
    """Offsets of the content of MP4 boxes of a kind."""
    start, found = 0, []
    while (start := data.find(kind, start)) >= 0:
        start += len(kind)
        found.append(start)
    return found


@pytest.mark.parametrize(
    ('name', 'codec'),
    [('a.mp4', 'mp4v'), ('a.mov', 'mp4v'), ('a.avi', 'MJPG'), ('b.avi', 'XVID')],
)
def test_videos_give_all_frames_with_their_times(tmp_path, name, codec):
    reader = open_frames(write_video(tmp_path / name, 6, codec, fps=10))
    frames = list(reader)
    assert (reader.num_frames, reader.fps, reader.num_skipped) == (6, 10, 0)
    assert reader.name == name[0]
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(6) / 10)
    for t, frame in enumerate(frames):
        difference = np.abs(frame.image.astype(int) - draw_frame(t)).mean()
        assert difference < 6  # compressed
    assert reader.can_repeat


def test_a_rotation_tag_turns_frames(video):
    """By 90 degrees clockwise: the upper left corner goes to the upper right."""
    data = bytearray(video.read_bytes())
    (header,) = boxes_of(data, b'tkhd')
    matrix = header + 4 + 20 + 16  # version and flags, times and ids, layer and volume
    assert struct.unpack_from('>9i', data, matrix)[:2] == (1 << 16, 0)
    turn = (0, 1 << 16, 0, -(1 << 16), 0, 0, SIZE[0] << 16, 0, 1 << 30)
    struct.pack_into('>9i', data, matrix, *turn)
    video.write_bytes(data)
    first = next(iter(open_frames(video))).image
    assert first.shape == (SIZE[1], SIZE[0], 3)
    expected = np.rot90(draw_frame(0), -1)
    assert np.abs(first.astype(int) - expected).mean() < 6


def test_times_of_a_variable_frame_rate_are_the_files_own(video):
    """One run of equal durations becomes two: 3 frames of 40 ms, 3 of 120 ms."""
    data = bytearray(video.read_bytes())
    assert data.find(b'mdat') < data.find(b'moov')  # so that no offset of data changes
    (runs,) = boxes_of(data, b'stts')
    count, frames, duration = struct.unpack_from('>3I', data, runs + 4)
    assert (count, frames) == (1, 6)
    new = struct.pack('>5I', 2, 3, duration, 3, 3 * duration)
    data[runs + 4 : runs + 16] = new
    for kind in (b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stts'):
        size = boxes_of(data, kind)[0] - 8
        struct.pack_into('>I', data, size, struct.unpack_from('>I', data, size)[0] + 8)
    (media,) = boxes_of(data, b'mdhd')
    struct.pack_into('>I', data, media + 16, 12 * duration)
    data = data.replace(b'edts', b'free')  # the edit list, which ends at the old duration
    video.write_bytes(data)
    reader = open_frames(video)
    times = [frame.time for frame in reader]
    np.testing.assert_allclose(times, [0, 0.04, 0.08, 0.12, 0.24, 0.36], atol=2e-3)
    assert len(times) == 6


def test_folders_are_read_in_the_order_of_their_numbers(tmp_path):
    for t, name in enumerate(('f9.png', 'f10.JPG', 'f11.bmp')):
        ending = name[name.rindex('.') :].lower()
        encoded = cv2.imencode(ending, draw_frame(t))[1]
        (tmp_path / name).write_bytes(encoded.tobytes())
    (tmp_path / 'notes.txt').write_text('')
    reader = open_frames(tmp_path)
    frames = list(reader)
    assert [frame.name for frame in frames] == ['f9', 'f10', 'f11']
    assert [frame.time for frame in frames] == [0, 1 / USUAL_FPS, 2 / USUAL_FPS]
    assert np.array_equal(frames[2].image, draw_frame(2))
    assert open_frames(tmp_path, fps=5).fps == 5


def test_images_that_cannot_be_used_are_left_out_and_counted(tmp_path):
    for t in range(5):
        cv2.imwrite(str(tmp_path / f'{t}.png'), draw_frame(t))
    (tmp_path / '1.png').write_bytes(b'broken')
    cv2.imwrite(str(tmp_path / '3.png'), draw_frame(3, (64, 98)))
    reader = open_frames(tmp_path)
    with pytest.warns(UserWarning, match='left out') as told:
        numbers = [frame.number for frame in reader]
    assert numbers == [0, 2, 4]
    assert reader.num_skipped == 2
    broken, other = (str(warning.message) for warning in told)
    assert '(1.png) cannot be decoded: left out' in broken
    assert 'is of 98 x 64 pixels instead of 96 x 64: left out' in other


class Capture:
    """OpenCV's, of a file in which some frames fail."""

    def __init__(self, fails, promised, length=8):
        self.fails, self.promised, self.length, self.t = fails, promised, length, -1

    def isOpened(self):  # noqa: N802
        return True

    def set(self, *_):
        return True

    def getBackendName(self):  # noqa: N802
        return 'MADE_UP'

    def get(self, key):
        return {cv2.CAP_PROP_FPS: 25, cv2.CAP_PROP_FRAME_COUNT: self.promised}.get(key, 0)

    def read(self):
        self.t += 1
        ok = self.t < self.length and self.t not in self.fails
        return ok, draw_frame(self.t) if ok else None

    def release(self):
        pass


@pytest.mark.parametrize(
    ('fails', 'promised', 'numbers', 'skipped'),
    [
        ((), 8, range(8), 0),
        ((2, 3), 8, (0, 1, 4, 5, 6, 7), 2),
        ((0,), 8, range(1, 8), 1),
        ((6, 7), 8, range(6), 2),  # the end fails: the file promises more
        ((), 12, range(8), 4),  # cut off
        ((), 5, range(8), 0),  # more than promised
        ((2,), -1, (0, 1, 3, 4, 5, 6, 7), 1),  # of unknown length
        ((), 0, range(8), 0),
    ],
)
def test_frames_that_fail_are_left_out_and_counted(
    monkeypatch, video, fails, promised, numbers, skipped
):
    monkeypatch.setattr(cv2, 'VideoCapture', lambda _: Capture(fails, promised))
    reader = open_frames(video)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        frames = list(reader)
    assert [frame.number for frame in frames] == list(numbers)
    assert [frame.time for frame in frames] == [number / 25 for number in numbers]
    assert reader.num_skipped == skipped
    assert bool(told) == bool(skipped)


def read_with_times(monkeypatch, video, times, promised):
    """Frames of a file of 25 a second; None fails."""

    class Clock(Capture):
        def get(self, key):
            if key == cv2.CAP_PROP_POS_MSEC:
                return 1000 * (times[self.t] or 0)
            return super().get(key)

        def getBackendName(self):  # noqa: N802
            return 'FFMPEG'  # which tells times, 0 of the first frame

    fails = [t for t, time in enumerate(times) if time is None]
    monkeypatch.setattr(cv2, 'VideoCapture', lambda _: Clock(fails, promised, len(times)))
    reader = open_frames(video)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return [frame.number for frame in reader], reader.num_skipped


@pytest.mark.parametrize(
    ('times', 'numbers', 'skipped'),
    [
        # Two reads fail; frame 2 comes out all the same, and 3 and 4 do not.
        ((0, 0.04, None, None, 0.08, 0.2, 0.24), (0, 1, 2, 5, 6), 2),
        ((0, 0.04, None, 0.12, 0.16, 0.2, 0.24), (0, 1, 3, 4, 5, 6), 1),
        ((None, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24), (1, 2, 3, 4, 5, 6), 1),
        ((None, None, 0, 0.12, 0.16, 0.2, 0.24), (0, 3, 4, 5, 6), 2),
        # Where it is missing cannot be told: it is counted all the same.
        ((0, 0.05, None, 0.1, 0.15, 0.2, 0.25), (0, 1, 2, 3, 4, 5), 1),
        # Nothing fails: gaps in time are those of a variable rate.
        ((0, 0.04, 0.2, 0.24, 0.36, 0.4, 0.44), (0, 1, 2, 3, 4, 5, 6), 0),
    ],
)
def test_numbers_go_on_where_the_times_have_a_gap(
    monkeypatch, video, times, numbers, skipped
):
    assert read_with_times(monkeypatch, video, times, 7) == (list(numbers), skipped)


def test_the_end_is_missing_if_the_time_is_not_reached(monkeypatch, video):
    """Of a variable rate, some files tell a number of frames that is only estimated."""
    times = (0, 0.2, 0.24, 0.4)
    assert read_with_times(monkeypatch, video, times, 11) == ([0, 1, 2, 3], 0)
    assert read_with_times(monkeypatch, video, times, 15) == ([0, 1, 2, 3], 11)


def test_a_rate_that_is_given_counts_instead_of_the_files_times(video):
    reader = open_frames(video, fps=5)
    assert [frame.time for frame in reader] == [t / 5 for t in range(6)]


@pytest.mark.parametrize('fps', [0, -5, float('nan'), float('inf')])
def test_a_rate_has_to_be_above_0(video, fps):
    with pytest.raises(ValueError, match='fps above 0 expected, got'):
        open_frames(video, fps=fps)


@pytest.mark.parametrize('ending', ['.jpg', '.png'])
def test_images_that_end_too_early_are_left_out(tmp_path, ending):
    for t in range(3):
        cv2.imwrite(str(tmp_path / f'{t}{ending}'), draw_frame(t))
    data = (tmp_path / f'1{ending}').read_bytes()
    (tmp_path / f'1{ending}').write_bytes(data[: len(data) // 2])
    (tmp_path / f'2{ending}').write_bytes(b'')
    cv2.imwrite(str(tmp_path / f'3{ending}'), draw_frame(3))
    reader = open_frames(tmp_path)
    with pytest.warns(UserWarning, match='left out'):
        assert [frame.number for frame in reader] == [0, 3]


def test_what_stands_behind_a_jpeg_does_not_matter(tmp_path):
    """As phones have a video behind a photo, and a thumbnail in it."""
    encoded = cv2.imencode('.jpg', draw_frame(0))[1].tobytes()
    thumbnail = b'\xff\xe1' + (2 + len(encoded)).to_bytes(2, 'big') + encoded
    whole = encoded[:2] + thumbnail + encoded[2:]
    rng = np.random.default_rng(0)
    for number in range(8):
        behind = rng.integers(0, 256, 20_000, dtype=np.uint8).tobytes() + b'\xff\xda'
        (tmp_path / f'{number}.jpg').write_bytes(whole + behind)
    (tmp_path / '8.jpg').write_bytes(whole[:-200])
    with pytest.warns(UserWarning, match='frame 8 of .* left out'):
        assert [frame.number for frame in open_frames(tmp_path)] == list(range(8))


def test_a_damaged_file_is_read_to_its_end(tmp_path):
    video = write_video(tmp_path / 'a.mp4', 12)
    data = bytearray(video.read_bytes())
    middle = data.find(b'mdat') + 600
    data[middle : middle + 200] = bytes(200)
    video.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        frames = list(open_frames(video))
    assert len(frames) >= 8
    assert frames[-1].time > 0.35


def test_cameras_are_numbers_and_have_no_end_that_is_known(monkeypatch):
    opened = []

    def capture(source):
        opened.append(source)
        return Capture((), -1)

    monkeypatch.setattr(cv2, 'VideoCapture', capture)
    reader = open_frames('3')
    assert (reader.name, reader.num_frames, reader.can_repeat) == ('camera3', None, False)
    address = open_frames('rtsp://host/live')
    assert (address.name, address.can_repeat) == ('live', False)
    assert opened == [3, 'rtsp://host/live']


@pytest.mark.parametrize('start', [0, 172_800_000])  # of a machine that ran two days
def test_times_of_a_camera_count_from_its_first_frame(monkeypatch, start):
    class Clock(Capture):
        def get(self, key):
            passed = start + 40 * self.t
            return passed if key == cv2.CAP_PROP_POS_MSEC else super().get(key)

    monkeypatch.setattr(cv2, 'VideoCapture', lambda _: Clock((), -1))
    times = [frame.time for frame in open_frames('0')]
    assert times == pytest.approx([0.04 * t for t in range(8)])


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no video, folder of images or camera at'):
        open_frames(tmp_path / 'none.mp4')
    with pytest.raises(ValueError, match=r'images \(\.jpg, .*\) expected, .* has none'):
        open_frames(tmp_path)
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(ValueError, match=r'OpenCV cannot open .*text\.mp4'):
        open_frames(tmp_path / 'text.mp4')
    for name in ('a.png', 'a.jpg'):
        cv2.imwrite(str(tmp_path / name), draw_frame(0))
    with pytest.raises(ValueError, match='one image per name expected'):
        open_frames(tmp_path)
