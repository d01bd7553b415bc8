"""Results written frame by frame, each file complete after every frame.

The overlay, which is playable once it is closed, is in `siampolarmask_mm.video.overlay`.
"""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Protocol

import cv2

from siampolarmask_mm.label_images import encode_labels, write_labels
from siampolarmask_mm.video.reading import Frame
from siampolarmask_mm.video.tracking import TrackState

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
