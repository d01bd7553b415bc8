"""Results written frame by frame, each file complete after every frame.

The exception is the overlay: an mp4 is playable once it is closed.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData

from siampolarmask_mm.label_images import encode_labels, write_labels
from siampolarmask_mm.video.reading import Frame
from siampolarmask_mm.video.tracking import TrackState
from siampolarmask_mm.visualization.objects import draw_objects

LONGEST_STILL = 60.0  # seconds for which an overlay shows one frame
INDEX_SPACE = 4 * 2**20  # bytes of an mp4's index, of 200,000 frames
RESERVE = 32 * 2**20  # bytes that stay free, so that all files can be finished
COLUMNS = 'frame,time,object,x1,y1,x2,y2,score,confidence,lost'


class Writer(Protocol):
    """Writes one kind of result."""

    def write(self, frame: Frame, state: TrackState) -> None:
        """Add a frame's objects."""

    def close(self) -> None:
        """Finish the files."""


class GrowingFile:
    """A text file that is whole after each piece that is added.

    Args:
        path: its file.
        tail: what stands at its end, whatever is added before.
        keep: bytes of an earlier run to go on after; None starts anew.

    Attributes:
        length: bytes before the tail.

    Raises:
        ValueError: if the earlier file is shorter than ``keep``.
    """

    def __init__(self, path: Path, tail: str = '', keep: int | None = None) -> None:
        if keep is not None and (not path.is_file() or path.stat().st_size < keep):
            raise ValueError(f'{path} is not as the earlier run left it')
        self._file = path.open('wb' if keep is None else 'r+b', buffering=0)
        self._tail = tail.encode()
        self.length = keep or 0
        self.add('')

    def add(self, text: str) -> None:
        """Add text before the tail; if that fails, the file is as it was."""
        piece = text.encode()
        try:
            self._put(piece + self._tail)
        except OSError:
            self._put(self._tail)
            raise
        self.length += len(piece)

    def _put(self, content: bytes) -> None:
        self._file.seek(self.length)
        self._file.truncate()
        while content:
            content = content[self._file.write(content) :]

    def close(self) -> None:
        """Close it."""
        self._file.close()


class MaskWriter:
    """An indexed PNG per frame: ``<folder>/00000.png``, as DAVIS has its masks.

    Args:
        folder: for them.
        digits: of a frame's number, where it has no name.
    """

    def __init__(self, folder: Path, digits: int) -> None:
        self.folder = folder
        self.digits = digits
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, frame: Frame) -> Path:
        """The file of a frame."""
        return self.folder / f'{frame.name or str(frame.number).zfill(self.digits)}.png'

    def write(self, frame: Frame, state: TrackState) -> None:
        """Write its label image; a file that cannot be finished is removed."""
        path = self.path(frame)
        try:
            write_labels(path, state.label_image)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Nothing is open."""


class RleWriter:
    """Masks in COCO's form of results: a list with an entry per frame and object.

    ``image_id`` is the frame's number, ``category_id`` the object's label, ``segmentation``
    compressed RLE, ``bbox`` (x, y, width, height) of the mask. Lost objects have no entry.

    Args:
        path: its file.
        keep: see `GrowingFile`.
    """

    def __init__(self, path: Path, keep: int | None = None) -> None:
        self.file = GrowingFile(path, '\n]\n', keep)
        if keep is None:
            self.file.add('[')

    def write(self, frame: Frame, state: TrackState) -> None:
        """Add an entry per object that can be seen."""
        masks = encode_labels(state.label_image)
        first, entries = self.file.length == 1, []
        for label, score in zip(state.labels.tolist(), state.scores.tolist(), strict=True):
            if label in masks:
                entry = dict(
                    image_id=frame.number,
                    category_id=label,
                    segmentation=masks[label],
                    bbox=list(cv2.boundingRect((state.label_image == label).astype('u1'))),
                    score=round(abs(score), 4),  # 1 where it is given
                )
                entries.append(json.dumps(entry))
        if entries:
            self.file.add(('\n' if first else ',\n') + ',\n'.join(entries))

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class BoxWriter:
    """A table of `COLUMNS`, a row per frame and object.

    Args:
        path: its file.
        keep: see `GrowingFile`.
    """

    def __init__(self, path: Path, keep: int | None = None) -> None:
        self.file = GrowingFile(path, keep=keep)
        if keep is None:
            self.file.add(COLUMNS + '\n')

    def write(self, frame: Frame, state: TrackState) -> None:
        """Add a row per object."""
        rows = []
        for i, label in enumerate(state.labels.tolist()):
            box = ','.join(f'{edge:.2f}' for edge in state.boxes[i])
            sure = f'{state.scores[i]:.4f},{state.confidences[i]:.4f}'
            rows.append(
                f'{frame.number},{frame.time:.4f},{label},{box},{sure},{state.lost[i]:d}\n'
            )
        self.file.add(''.join(rows))

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class OverlayWriter:
    """A video with the objects drawn over the frames, at one rate.

    Where frames are farther apart in time, one stays until the next one is due, a minute at
    most; where they are closer, none is left out.

    It is written beside its path, and takes its place when it is closed with at least as
    many frames as the one before had. Space for the index that makes it playable is taken
    at once, in a file with the suffix ``.reserve``, so that it is there even when another
    program has filled the disk.

    Args:
        path: ``.mp4`` file.
        fps: frames per second.
        parts: what to draw, see `siampolarmask_mm.visualization.objects.draw_objects`.
    """

    def __init__(self, path: Path, fps: float, parts: tuple[str, ...]) -> None:
        self.path = path
        self.fps = fps
        self.parts = parts
        self.num_frames = 0
        self._part = path.with_name(f'{path.stem}.part{path.suffix}')
        self._reserve = path.with_suffix('.reserve')
        self._video: cv2.VideoWriter | None = None
        self._last: np.ndarray | None = None
        self._due = 0.0  # frames at the time of the last one
        self._time = 0.0

    def write(self, frame: Frame, state: TrackState) -> None:
        """Add a frame.

        Raises:
            OSError: if this build of OpenCV cannot write it.
        """
        drawn = draw_objects(
            np.ascontiguousarray(frame.image[..., ::-1]),
            as_instances(state),
            self.parts,
            state.labels.tolist(),
        )
        height, width = drawn.shape[:2]
        # The codec takes even sizes only.
        drawn = cv2.copyMakeBorder(
            drawn[..., ::-1], 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE
        )
        if self._video is None:
            self._reserve.write_bytes(bytes(INDEX_SPACE))
            self._video = cv2.VideoWriter(
                str(self._part),
                cv2.VideoWriter_fourcc(*'mp4v'),
                self.fps,
                drawn.shape[1::-1],
            )
            if not self._video.isOpened():
                raise OSError(f'OpenCV cannot write a video to {self.path}')
        self._show_last_until(frame.time)
        self._add(drawn)
        self._last = drawn

    def _show_last_until(self, time: float) -> None:
        if self._last is not None:
            passed = min(max(time - self._time, 0), LONGEST_STILL)
            self._due += passed * self.fps
            while self.num_frames < round(self._due):
                self._add(self._last)
        self._time = time

    def _add(self, drawn: np.ndarray) -> None:
        self._video.write(drawn)
        self.num_frames += 1

    def close(self) -> None:
        """Finish the video.

        Raises:
            OSError: if it is not as long as it should be, for want of space.
        """
        if self._video is None:
            return
        self._reserve.unlink(missing_ok=True)
        self._video.release()
        self._video = None
        count = count_frames(self._part)
        if count != self.num_frames:
            raise OSError(
                f'{self._part} has {count} of {self.num_frames} frames: space may be short'
            )
        if count < count_frames(self.path):
            self._part.unlink()
        else:
            os.replace(self._part, self.path)


def count_frames(path: Path) -> int:
    """Frames of a video; 0 if there is none that OpenCV can read."""
    if not path.is_file():
        return 0
    return max(0, int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)))


def as_instances(state: TrackState) -> InstanceData:
    """The fields that are drawn, as the network reports them."""
    return InstanceData(
        masks=torch.from_numpy(state.masks),
        bboxes=torch.from_numpy(state.boxes),
        centers=torch.from_numpy(state.centers),
        rays=torch.from_numpy(state.rays),
        confidences=torch.from_numpy(state.confidences),
        lost=torch.from_numpy(state.lost),
        searches=state.searches,
    )


def check_space(folder: Path) -> None:
    """Refuse to go on before a disk is so full that files cannot be finished.

    Raises:
        OSError: if less than `RESERVE` is free.
    """
    free = shutil.disk_usage(folder).free
    if free < RESERVE:
        raise OSError(
            errno.ENOSPC,
            f'{RESERVE >> 20} MB of free space expected, {free >> 20} MB are left',
            str(folder),
        )
