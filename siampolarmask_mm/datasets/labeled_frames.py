"""Reading a video that is a folder of frames beside a folder of label images."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.files import find_images, image_size
from siampolarmask_mm.datasets.mask_tracks import empty_mask
from siampolarmask_mm.datasets.read_cache import read_or_recall
from siampolarmask_mm.label_images import encode_labels, read_labels


class LabeledFrames(NamedTuple):
    """A video of T frames.

    Attributes:
        frames: T paths.
        size: (height, width) of all of them.
        masks: T RLE masks by label, None for a frame that is not annotated.
    """

    frames: list[str]
    size: tuple[int, int]
    masks: list[dict[int, dict] | None]


def read_labeled_frames(image_folder: Path, label_folder: Path) -> LabeledFrames:
    """Read a video's labels, and the headers of its frames.

    What was read of unchanged files is taken from the cache (see `read_cache`).

    Raises:
        FileNotFoundError: if there is no frame or no label image, or a label image
            without a frame.
        ValueError: if a file cannot be read, or sizes differ.
    """
    frames, label_files = _list_files(image_folder, label_folder)

    def read() -> dict:
        size = image_size(frames[0])
        pairs = zip(frames, label_files, strict=True)
        return dict(size=size, masks=[_read_frame(*pair, size) for pair in pairs])

    files = [*frames, *filter(None, label_files)]
    reading = read_or_recall(label_folder, files, read)
    size = tuple(reading['size'])
    masks = [
        None
        if frame is None
        else {int(label): dict(size=list(size), counts=frame[label]) for label in frame}
        for frame in reading['masks']
    ]
    return LabeledFrames(frames, size, masks)


def _list_files(
    image_folder: Path, label_folder: Path
) -> tuple[list[str], list[str | None]]:
    """Frames in order, and each one's label image if there is one."""
    frames = find_images(image_folder)
    labels = {path.stem: path for path in label_folder.glob('*.png')}
    if not frames:
        raise FileNotFoundError(f'no frame (.jpg or .png) in {image_folder}')
    if not labels:
        raise FileNotFoundError(f'no label image (.png) in {label_folder}')
    without_frame = sorted(set(labels) - {path.stem for path in frames})
    if without_frame:
        raise FileNotFoundError(
            f'{labels[without_frame[0]]} has no frame of that name in {image_folder}'
        )
    found = [labels.get(path.stem) for path in frames]
    return [str(path) for path in frames], [path and str(path) for path in found]


def _read_frame(
    frame: str, label_file: str | None, size: tuple[int, int]
) -> dict[int, str] | None:
    """Counts of the RLE by label; None if the frame is not annotated."""
    found = image_size(frame)
    if found != size:
        raise ValueError(f'frames of one size {size} expected, got {found} in {frame}')
    if label_file is None:
        return None
    labels = read_labels(label_file)
    if labels.shape != size:
        raise ValueError(
            f'labels of size {size} expected, got {labels.shape} in {label_file}'
        )
    return {label: mask['counts'] for label, mask in encode_labels(labels).items()}


def merge_labels(masks: dict[int, dict] | None) -> dict[int, dict] | None:
    """All labels of a frame as one object, 1."""
    if not masks:
        return masks
    rle = coco_mask.merge(list(masks.values()))
    return {1: dict(size=rle['size'], counts=rle['counts'].decode('ascii'))}


def masks_and_boxes(object_ids: list[int], video: LabeledFrames) -> dict:
    """What a record says of its objects: ``object_ids``, ``masks`` and ``bboxes``."""
    nothing = empty_mask(video.size)
    masks = [
        [None if frame is None else frame.get(i, nothing) for frame in video.masks]
        for i in object_ids
    ]
    bboxes = np.array(
        [
            [(0, 0, 0, 0) if mask is None else coco_mask.toBbox(mask) for mask in track]
            for track in masks
        ]
    )
    return dict(object_ids=object_ids, masks=masks, bboxes=bboxes)
