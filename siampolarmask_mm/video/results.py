"""The folder that a run writes into, and how a later run goes on with it."""

from __future__ import annotations

import csv
import io
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import torch

from siampolarmask_mm.label_images import read_labels
from siampolarmask_mm.video.choices import OUTPUTS
from siampolarmask_mm.video.overlay import OverlayWriter
from siampolarmask_mm.video.reading import Frame, FrameReader
from siampolarmask_mm.video.tracking import TrackState
from siampolarmask_mm.video.writing import (
    BoxWriter,
    MaskWriter,
    RleWriter,
    Writer,
    check_space,
)

FILES = dict(overlay='overlay.mp4', json='masks.json', csv='boxes.csv')
MEMORY = 'resume.pth'
MEMORY_KEYS = {'done', 'tracker', 'lengths', 'settings', 'video'}


class ResultFolder:
    """Writes a run's results: ``masks/<video>/*.png`` and `FILES`.

    Nothing is opened, or removed, before there is something to write.

    Args:
        folder: for them.
        reader: of the video.
        outputs: of `OUTPUTS`.
        parts: of the overlay, see `draw_objects`.
        settings: of the run; one that goes on must have the same.
        resume: go on with an earlier run, if there is one.
        overwrite: remove the results of an earlier run.

    Attributes:
        memory: what the earlier run left, with ``done``, the number of the first frame to
            come, and the ``tracker``'s memory; None if the run starts anew.

    Raises:
        FileExistsError: if there are results, and neither ``resume`` nor ``overwrite``.
        OSError: if the folder cannot be written into.
        ValueError: if the earlier run had other settings.
    """

    def __init__(
        self,
        folder: Path,
        reader: FrameReader,
        outputs: tuple[str, ...] = OUTPUTS,
        parts: tuple[str, ...] = ('masks', 'tags'),
        *,
        settings: dict | None = None,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.folder = folder
        self.reader = reader
        self.outputs = outputs
        self.parts = parts
        self.settings = dict(settings or {}, outputs=list(outputs))
        self.masks = folder / 'masks' / reader.name
        if reader.folder is not None and reader.folder.resolve() == self.masks.resolve():
            raise ValueError(f'masks would be written over the images in {reader.folder}')
        if not outputs:
            raise ValueError(f'at least one output of {OUTPUTS} expected, got none')
        self.memory = self._recall() if resume else None
        self.writers: dict[str, Writer] = {}
        if self.memory is None and self._earlier_files() and not overwrite:
            kept = (folder / MEMORY).is_file()
            way = '--resume it, --overwrite it' if kept else '--overwrite it'
            raise FileExistsError(
                f'{folder} has results of an earlier run: {way} or choose another folder'
            )
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=there):  # fails now rather than after a frame
            check_space(there)
        self._rows = self._read_rows()

    def _recall(self) -> dict | None:
        memory = self._read_memory()
        if memory is None and (self.folder / MEMORY).is_file():
            raise ValueError(
                f'{self.folder / MEMORY} is damaged, and the run cannot go on: --overwrite '
                'it or choose another folder'
            )
        for name, value in self.settings.items() if memory else ():
            if memory['settings'].get(name) != value:
                raise ValueError(
                    f'{name} {memory["settings"].get(name)} expected, as in the run to '
                    f'resume, got {value}'
                )
        if memory and not self.can_go_on:
            raise ValueError('to resume an overlay, masks and csv must have been written')
        return memory

    def _read_memory(self) -> dict | None:
        """What an earlier run left; None if that is nothing, or damaged."""
        path = self.folder / MEMORY
        try:
            memory = torch.load(path, weights_only=True) if path.is_file() else None
        except Exception:  # what is damaged may raise anything
            return None
        known = isinstance(memory, dict) and set(memory) >= MEMORY_KEYS
        return memory if known else None

    @property
    def can_go_on(self) -> bool:
        """Whether a later run can resume this one; an overlay is drawn anew from files."""
        redrawn = 'overlay' not in self.outputs or {'masks', 'csv'} <= set(self.outputs)
        return self.reader.can_repeat and redrawn

    def _earlier_files(self) -> list[Path]:
        names = [*FILES.values(), MEMORY]
        names += [*map(_part_name, names), 'overlay.reserve']
        files = [self.folder / name for name in names]
        masks = {self.masks}
        memory = self._read_memory()
        if memory is not None:  # perhaps of another video
            masks.add(self.folder / 'masks' / memory['video'])
        files += itertools.chain.from_iterable(folder.glob('*.png') for folder in masks)
        return [path for path in files if path.exists()]

    def _remove_earlier(self) -> None:
        files = self._earlier_files()
        for path in files:
            path.unlink()
        for folder in {path.parent for path in files} - {self.folder}:
            with suppress(OSError):  # there is something else in it
                folder.rmdir()

    def _open(self) -> None:
        """Open all that is to be written, after what an earlier run left."""
        if self.writers:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.memory is None:
            self._remove_earlier()
        kept = self.memory['lengths'] if self.memory else {}
        digits = max(5, len(str(self.reader.num_frames or 10**7)))
        files = {name: self.folder / file for name, file in FILES.items()}
        writers = dict(
            masks=lambda: MaskWriter(self.masks, digits),
            json=lambda: RleWriter(files['json'], kept.get('json')),
            csv=lambda: BoxWriter(files['csv'], kept.get('csv')),
            overlay=lambda: OverlayWriter(files['overlay'], self.reader.fps, self.parts),
        )
        for name, make in writers.items():
            if name in self.outputs:
                self.writers[name] = make()

    def write(self, frame: Frame, state: TrackState) -> None:
        """Add a frame's objects to all results.

        Raises:
            OSError: if the disk is, or is soon, full.
        """
        self._open()
        check_space(self.folder)
        for writer in self.writers.values():
            writer.write(frame, state)

    def redraw(self, frame: Frame) -> None:
        """Draw what the earlier run found in a frame: its masks, boxes and confidences."""
        self._open()
        if 'overlay' in self.writers:
            number, rows = next(self._rows)
            if number != frame.number:
                raise ValueError(
                    f'frame {number} expected, as in the earlier run, got {frame.number}'
                )
            labels = read_labels(self.writers['masks'].path(frame))
            self.writers['overlay'].write(frame, _as_state(rows, labels))

    def snapshot(self, done: int, tracker: dict) -> dict:
        """All that a later run needs to go on from here.

        Args:
            done: number of the first frame to come.
            tracker: its memory, see `VideoTracker.remember`.
        """
        files = {
            name: self.writers[name].file
            for name in ('json', 'csv')
            if name in self.writers
        }
        lengths = {name: file.length for name, file in files.items()}
        return dict(
            done=done,
            tracker=tracker,
            lengths=lengths,
            settings=self.settings,
            video=self.reader.name,
        )

    def save(self, snapshot: dict) -> None:
        """Keep a snapshot for a later run, in one step."""
        if self.reader.can_repeat:
            part = self.folder / _part_name(MEMORY)
            content = io.BytesIO()  # torch tells of a full disk in words of its own
            torch.save(snapshot, content)
            try:
                part.write_bytes(content.getbuffer())
                os.replace(part, self.folder / MEMORY)
            finally:
                part.unlink(missing_ok=True)

    def close(self) -> None:
        """Finish all files, also if one of them fails."""
        with ExitStack() as stack:
            for writer in self.writers.values():
                stack.callback(writer.close)

    def _read_rows(self) -> Iterator[tuple[int, list[dict]]]:
        """Rows of the table of an earlier run, by frame."""
        if self.memory is None:
            return
        with (self.folder / FILES['csv']).open(newline='') as file:
            table = csv.DictReader(file)
            for number, rows in itertools.groupby(table, lambda row: int(row['frame'])):
                yield number, list(rows)


def _part_name(name: str) -> str:
    """Of a file that is being written: overlay.part.mp4."""
    path = Path(name)
    return f'{path.stem}.part{path.suffix}'


def _as_state(rows: list[dict], image: np.ndarray) -> TrackState:
    """A frame's objects as far as the files have them; stars and searches are not there."""
    count = len(rows)
    labels = np.array([int(row['object']) for row in rows])
    numbers = {
        name: np.array([float(row[name]) for row in rows], np.float32)
        for name in ('x1', 'y1', 'x2', 'y2', 'score', 'confidence', 'lost')
    }
    return TrackState(
        labels=labels,
        masks=image == labels[:, None, None],
        boxes=np.stack([numbers[name] for name in ('x1', 'y1', 'x2', 'y2')], axis=1),
        scores=numbers['score'],
        confidences=numbers['confidence'],
        lost=numbers['lost'] > 0,
        centers=np.zeros((count, 2), np.float32),
        rays=np.zeros((count, 1), np.float32),
        searches=[None] * count,
    )
