"""The overlay: a video with objects drawn over its frames, playable once it is closed."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData

from siampolarmask_mm.video.reading import Frame
from siampolarmask_mm.video.tracking import TrackState
from siampolarmask_mm.visualization.objects import draw_objects

INDEX_SPACE = 4 * 2**20  # bytes of an mp4's index, of 200,000 frames
LONGEST_STILL = 60.0  # seconds for which an overlay shows one frame


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
