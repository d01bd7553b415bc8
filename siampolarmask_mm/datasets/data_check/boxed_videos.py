"""Checks folders of videos with boxes: GOT-10k, LaSOT, TrackingNet, OTB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from siampolarmask_mm.datasets.data_check.report import Report, count, some
from siampolarmask_mm.datasets.files import find_images

OUTSIDE = 2.0  # pixels that a box may lie outside its frame, as counting from 1 gives
# Files that say in which frames the object is hidden; one of a set comes with the others.
SETS_OF_FLAGS = (
    ('absence.label', 'cover.label'),
    ('full_occlusion.txt', 'out_of_view.txt'),
)


class BoxedVideo(NamedTuple):
    """A folder of frames, and the file of its boxes."""

    frames: Path
    boxes: Path


def find_boxed_videos(root: Path) -> list[BoxedVideo]:
    """The videos with boxes at most three folders below one."""
    videos = []
    for depth in ('', '*/', '*/*/', '*/*/*/'):
        for path in sorted(root.glob(f'{depth}groundtruth*.txt')):
            images = path.parent / 'img'  # LaSOT, OTB; GOT-10k has them beside the boxes
            videos.append(BoxedVideo(images if images.is_dir() else path.parent, path))
    for depth in ('', '*/'):  # TrackingNet
        for path in sorted(root.glob(f'{depth}anno/*.txt')):
            videos.append(BoxedVideo(path.parent.parent / 'frames' / path.stem, path))
    return videos


def check_boxed_videos(
    root: Path, videos: list[BoxedVideo], workers: ThreadPoolExecutor
) -> Report:
    """Check that each frame has a box inside it."""
    report = Report(title=f'boxed videos in {root}')
    report.add(workers.map(_check_video, videos))
    return report


def _check_video(video: BoxedVideo) -> Report:
    report = Report()
    frames = find_images(video.frames)
    report.counts.update(videos=1, objects=1, frames=len(frames))
    if not frames:
        report.error(video.frames, 'no frame (.jpg or .png)')
        return report
    sizes = [report.size_of(path) for path in frames]
    for path, size in zip(frames, sizes, strict=True):
        if size and sizes[0] and size != sizes[0]:
            report.error(path, f'size {sizes[0]} of the first frame expected, got {size}')
    boxes = _read_boxes(video.boxes, report)
    if boxes is None:
        return report
    report.counts['boxes'] += len(boxes)
    if len(boxes) != len(frames) and len(boxes) != 1:  # test sets give the first alone
        report.error(
            video.boxes,
            f'a box for each of {len(frames)} frames expected, got {len(boxes)}',
        )
    hidden = _hidden_frames(video.boxes.parent, len(frames), report)
    _check_boxes(video.boxes, boxes, hidden, sizes[0], report)
    return report


def _read_boxes(path: Path, report: Report) -> np.ndarray | None:
    """(T, 4) boxes (x, y, w, h); None, and an error, if a line is something else."""
    boxes = []
    lines = path.read_text(errors='replace').split('\n')
    for number, line in enumerate(lines, start=1):
        numbers = line.replace(',', ' ').split()
        if not numbers:
            continue
        try:
            box = [float(part) for part in numbers]
        except ValueError:
            box = []
        if len(box) != 4:
            report.error(
                f'{path}:{number}', f'a box (x, y, w, h) expected, got {line[:60]!r}'
            )
            return None
        boxes.append(box)
    if not boxes:
        report.error(path, 'no box')
        return None
    return np.array(boxes)


def _hidden_frames(folder: Path, num_frames: int, report: Report) -> np.ndarray:
    """(T,) where a file beside the boxes says that the object is not to be seen."""
    hidden = np.zeros(num_frames, bool)
    for names in SETS_OF_FLAGS:
        present = [name for name in names if (folder / name).is_file()]
        for name in set(names) - set(present):
            if present:
                report.error(folder / name, 'missing')
        for name in present:
            text = (folder / name).read_text(errors='replace').replace(',', ' ')
            flags = text.split()
            if len(flags) != num_frames:
                report.error(
                    folder / name, f'{num_frames} numbers expected, got {len(flags)}'
                )
            elif name == 'cover.label':
                hidden |= np.array([flag == '0' for flag in flags])
            else:
                hidden |= np.array([flag != '0' for flag in flags])
    return hidden


def _check_boxes(
    path: Path,
    boxes: np.ndarray,
    hidden: np.ndarray,
    size: tuple[int, int] | None,
    report: Report,
) -> None:
    """Report boxes of shown objects that have no extent or lie outside."""
    hidden = (
        hidden[: len(boxes)] if len(hidden) >= len(boxes) else np.zeros(len(boxes), bool)
    )
    empty = ~(boxes[:, 2:] > 0).all(1) & ~hidden
    if empty.any():
        lines = np.flatnonzero(empty) + 1
        report.warning(
            path, f'{count(len(lines), "boxes")} without extent, in line {some(lines)}'
        )
    if size is None:
        return
    height, width = size
    first, last = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    frame = np.array([width, height])
    away = ((last <= 0) | (first >= frame)).any(1) & ~hidden & ~empty
    beyond = ((first < -OUTSIDE) | (last > frame + OUTSIDE)).any(1) & ~hidden & ~away
    if away.any():
        lines = np.flatnonzero(away) + 1
        report.error(
            path,
            f'{count(len(lines), "boxes")} outside the frame {size}, in line {some(lines)}',
        )
    if beyond.any():
        lines = np.flatnonzero(beyond) + 1
        report.warning(
            path,
            f'{count(len(lines), "boxes")} partly outside the frame {size}, '
            f'in line {some(lines)}',
        )
