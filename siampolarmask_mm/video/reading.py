"""Frames of a video file, a folder of images or a camera, one at a time.

A frame that cannot be decoded is left out with a warning; its number stays unused, so that
numbers and times of the others are right.
"""

from __future__ import annotations

import math
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
USUAL_FPS = 25.0  # of folders and cameras that do not tell
PATIENCE = 10  # frames in a row that fail before a stream of unknown length is over
LONGEST_GAP = 1000  # the same, of a file that promises more frames
# In a JPEG: of a segment, or its end.
NEXT_MARKER = re.compile(rb'\xff[^\x00\x01\xd0-\xd8\xff]')


class Frame(NamedTuple):
    """A frame as it is read.

    Attributes:
        number: of the frame in the video, from 0, counting those that are left out.
        name: its file's name without suffix; empty if it has none.
        time: in seconds from the video's start.
        image: (h, w, 3) uint8 BGR, turned as the video's rotation tag says.
    """

    number: int
    name: str
    time: float
    image: np.ndarray


class FrameReader(ABC):
    """Iterates over frames of one size; counts those that it had to leave out.

    Attributes:
        name: of the video, for files.
        fps: frames per second, on average.
        num_frames: as the file says or the folder has; None if unknown.
        can_repeat: whether reading anew gives the same frames.
        num_skipped: frames that could not be decoded so far.
        folder: with the images; None if it is a video.
    """

    folder: Path | None = None

    def __init__(
        self, name: str, fps: float, num_frames: int | None, *, can_repeat: bool = True
    ) -> None:
        self.name = name
        self.fps = fps
        self.num_frames = num_frames
        self.can_repeat = can_repeat
        self.num_skipped = 0
        self._size: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames():
            size = frame.image.shape[:2]
            self._size = self._size or size
            if size == self._size:
                yield frame
            else:
                wanted, got = (f'{w} x {h}' for h, w in (self._size, size))
                self._skip(frame.number, f'is of {got} pixels instead of {wanted}')

    @abstractmethod
    def _frames(self) -> Iterator[Frame]:
        """All frames that can be decoded, of whatever size."""

    def _skip(self, number: int, reason: str = 'cannot be decoded') -> None:
        self.num_skipped += 1
        warnings.warn(f'frame {number} of {self.name} {reason}: left out', stacklevel=2)


class VideoReader(FrameReader):
    """Frames of a file, a camera or an address, by OpenCV.

    Args:
        source: a path or address, or the number of a camera.
        fps: to take instead of the file's.

    Raises:
        ValueError: if OpenCV cannot open it.
    """

    def __init__(self, source: str | int, fps: float | None = None) -> None:
        self._capture = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            what = f'camera {source}' if isinstance(source, int) else source
            raise ValueError(f'a video expected, OpenCV cannot open {what}')
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        live = isinstance(source, int) or '://' in source
        self._fps_is_given = fps is not None
        self._start = None if live else 0.0  # a camera's clock may have run for days
        name = f'camera{source}' if isinstance(source, int) else Path(source).stem
        told = self._capture.get(cv2.CAP_PROP_FPS)
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        super().__init__(
            name,
            fps or (told if 0 < told <= 1000 else USUAL_FPS),
            None if live or count <= 0 else count,
            can_repeat=not live,
        )

    def _frames(self) -> Iterator[Frame]:
        number = reads = failed = missing = 0  # failed: in a row, missing: still to place
        last = -1.0 / self.fps
        while not self._is_over(reads, failed):
            reads += 1
            ok, image = self._capture.read()
            failed = 0 if ok else failed + 1
            if not ok:
                missing += 1
                continue
            told = self._told_time(is_first=last < 0)
            lost = self._num_lost(missing, last, told)
            for lost_number in range(number, number + lost):
                self._skip(lost_number)
            number += lost
            missing -= lost
            last = number / self.fps if told is None else told
            yield Frame(number, '', last, image)
            number += 1
        self._capture.release()
        self._count_promised(number, last, missing - failed)

    def _num_lost(self, missing: int, last: float, told: float | None) -> int:
        """How many of the frames that failed belong between those at two times.

        A decoder that waits for later frames fails before the gap in its times.
        """
        if told is None or not self.can_repeat:
            return missing
        return min(missing, max(round((told - last) * self.fps) - 1, 0))

    def _count_promised(self, number: int, last: float, unplaced: int) -> None:
        """Warn if frames are missing that a file promises, at its end or elsewhere."""
        if self.num_frames is None:
            return
        lost = self.num_frames - number
        if round(last * self.fps) + 1 >= self.num_frames:
            # The end is there: of some files the number is estimated by their duration.
            lost = min(lost, unplaced)
        if lost > 0:
            self.num_skipped += lost
            warnings.warn(
                f'{self.name} promises {self.num_frames} frames, {lost} of them cannot be '
                'decoded: at its end, or at places that the file does not tell',
                stacklevel=2,
            )

    def _is_over(self, reads: int, failed: int) -> bool:
        if self.num_frames is None:
            return failed >= PATIENCE
        past_end = reads > self.num_frames
        return failed > 0 and (past_end or failed >= LONGEST_GAP)

    def _told_time(self, is_first: bool) -> float | None:
        """Seconds from the start to the frame at hand; None if the source does not tell."""
        if self._fps_is_given:
            return None
        milliseconds = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        if self._start is None:
            self._start = milliseconds
        passed = milliseconds - self._start
        is_told = passed > 0 or (is_first and self._capture.getBackendName() == 'FFMPEG')
        return passed / 1000 if is_told else None


class ImageFolderReader(FrameReader):
    """Frames of a folder's images, in the order of the numbers in their names.

    Args:
        folder: with images.
        fps: to count time with.

    Raises:
        ValueError: if it has no image, or two of one name.
    """

    def __init__(self, folder: Path, fps: float | None = None) -> None:
        files = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES]
        if not files:
            raise ValueError(
                f'images ({", ".join(IMAGE_SUFFIXES)}) expected, {folder} has none'
            )
        self._files = sorted(files, key=lambda path: _by_numbers(path.stem))
        if len({path.stem for path in files}) < len(files):
            raise ValueError(f'one image per name expected, {folder} has several of some')
        self.folder = folder
        name = folder.resolve().name or 'video'
        super().__init__(name, fps or USUAL_FPS, len(files))

    def _frames(self) -> Iterator[Frame]:
        for number, path in enumerate(self._files):
            image = _read_image(path)
            if image is None:
                self._skip(number, f'({path.name}) cannot be decoded')
            else:
                yield Frame(number, path.stem, number / self.fps, image)


def open_frames(source: str | Path, fps: float | None = None) -> FrameReader:
    """What reads a video file, a folder of images, a camera (0, 1, ...) or an address.

    Args:
        source: a path, the number of a camera, or an address with ``://``.
        fps: frames per second, where they are not to be the file's own.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: if it has no frames that can be read, or ``fps`` is not above 0.
    """
    if fps is not None and not 0 < fps < math.inf:
        raise ValueError(f'fps above 0 expected, got {fps:g}')
    source = str(source)
    if Path(source).is_dir():
        return ImageFolderReader(Path(source), fps)
    if Path(source).is_file() or '://' in source:
        return VideoReader(source, fps)
    if source.isdecimal():
        return VideoReader(int(source), fps)
    raise FileNotFoundError(f'no video, folder of images or camera at {source}')


def _read_image(path: Path) -> np.ndarray | None:
    """(h, w, 3) BGR; None if the file cannot be decoded, or ends too early."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    # OpenCV decodes what there is of them, and fills up.
    if data.startswith(b'\xff\xd8') and not _is_whole_jpeg(data):
        return None
    if data.startswith(b'\x89PNG') and b'IEND' not in data:
        return None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether a JPEG's own end is there; what comes behind it does not matter."""
    place = 2
    while (marker := NEXT_MARKER.search(data, place)) is not None:
        kind, place = marker[0][1], marker.end()
        if kind == 0xD9:
            return True
        place += int.from_bytes(data[place : place + 2], 'big')  # a segment, by its length
    return False


def _by_numbers(name: str) -> list:
    """Sorts frame_10 after frame_9."""
    return [
        (part.isdecimal(), int(part) if part.isdecimal() else 0, part)
        for part in re.split(r'(\d+)', name)
    ]
