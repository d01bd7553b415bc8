"""Videos and strips of pictures from the masks that DAVISMetric wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from siampolarmask_mm.label_images import read_labels
from siampolarmask_mm.visualization.overlay import contact_strip, draw_labels


def draw_results(
    frames: Path,
    masks: Path,
    out: Path,
    num_videos: int = 3,
    num_pictures: int = 5,
    fps: float = 15,
) -> list[Path]:
    """Draw the masks of each video over its frames.

    Args:
        frames: folder of ``<sequence>/<frame>.jpg``.
        masks: folder of ``<video>/<frame>.png`` label images; a video is a sequence, or one
            object of it, ``<sequence>_<label>``.
        out: folder for ``<video>.mp4`` and ``<video>.png``.
        num_videos: how many of them at most, in the order of their names.
        num_pictures: in a strip, evenly spaced in time.
        fps: frames per second.

    Returns:
        The files written.

    Raises:
        FileNotFoundError: if a folder, the masks or a frame is missing.
    """
    videos = (
        sorted(path for path in masks.glob('*') if path.is_dir()) if masks.is_dir() else []
    )
    if not videos:
        raise FileNotFoundError(f'no masks <video>/<frame>.png in {masks}')
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for video in videos[:num_videos]:
        label_files = sorted(video.glob('*.png'))
        pictures = [_draw_frame(frames, video.name, path) for path in label_files]
        strip = contact_strip(
            [
                pictures[i]
                for i in np.linspace(0, len(pictures) - 1, num_pictures).astype(int)
            ]
        )
        movie, strip_file = out / f'{video.name}.mp4', out / f'{video.name}.png'
        write_video(movie, pictures, fps)
        cv2.imwrite(str(strip_file), strip[..., ::-1])
        written += [movie, strip_file]
    return written


def write_video(path: Path, pictures: Sequence[np.ndarray], fps: float) -> None:
    """Write (H, W, 3) RGB pictures of one size as an mp4.

    Raises:
        OSError: if this build of OpenCV cannot.
    """
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps, (width, height)
    )
    if not writer.isOpened():
        raise OSError(f'OpenCV cannot write a video of {width} x {height} to {path}')
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()


def _draw_frame(frames: Path, video: str, label_file: Path) -> np.ndarray:
    folders = [frames / video, frames / video.rpartition('_')[0]]
    for folder in folders:
        for path in folder.glob(f'{label_file.stem}.*'):
            image = cv2.imread(str(path))[..., ::-1]
            return draw_labels(np.ascontiguousarray(image), read_labels(label_file))
    raise FileNotFoundError(f'no frame for {label_file} in {folders[0]} or {folders[1]}')
