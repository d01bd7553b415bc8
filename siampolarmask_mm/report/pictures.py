"""A video's frames with true and found masks, small enough to lie inside a page."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np

from siampolarmask_mm.datasets.files import find_images
from siampolarmask_mm.evaluation.davis_folder import read_objects
from siampolarmask_mm.report.ranking import VideoScores
from siampolarmask_mm.report.scored_run import ScoredRun
from siampolarmask_mm.visualization.overlay import draw_labels

TRUE_OUTLINE = (255, 220, 0)  # RGB; no color of the first objects, and seen on any frame


class VideoPictures:
    """Draws the frames of one video of a run.

    Args:
        run: with the folders.
        video: whose frames are drawn.

    Raises:
        FileNotFoundError: if there is no image of a scored frame.
    """

    def __init__(self, run: ScoredRun, video: VideoScores) -> None:
        self.run = run
        self.video = video
        folder = run.frames / video.name
        self.images = {path.stem: path for path in find_images(folder)}
        missing = [name for name in video.frames if name not in self.images]
        if missing:
            raise FileNotFoundError(f'no frame {missing[0]} (.jpg or .png) in {folder}')
        self.protocol = '2016' if run.group == 'merged' else '2017'
        self.labels = [item.object_id for item in video.objects]

    def draw_truth(self, position: int, width: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB, a scored frame with its true masks tinted."""
        image = self._read_image(position, width)
        return draw_labels(image, _resize_labels(self._read_truth(position), image))

    def draw_found(self, position: int, width: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB, a scored frame with the tracker's masks tinted."""
        image = self._read_image(position, width)
        return draw_labels(image, _resize_labels(self._read_found(position), image))

    def draw_both(self, position: int, width: int) -> np.ndarray:
        """As `draw_found`, with the outlines of the true masks."""
        image = self.draw_found(position, width)
        truth = _resize_labels(self._read_truth(position), image)
        for label in self.labels:
            outlines, _ = cv2.findContours(
                (truth == label).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
            )
            cv2.drawContours(image, outlines, -1, TRUE_OUTLINE, 1, cv2.LINE_AA)
        return image

    def _read_image(self, position: int, width: int) -> np.ndarray:
        path = self.images[self.video.frames[position]]
        image = cv2.imread(str(path))
        if image is None:
            raise ValueError(f'an image expected, {path} cannot be read')
        scale = min(1, width / image.shape[1])
        if scale < 1:
            size = round(image.shape[1] * scale), max(1, round(image.shape[0] * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(image[..., ::-1])

    def _read_truth(self, position: int) -> np.ndarray:
        path = self.run.truths / self.video.name / f'{self.video.frames[position]}.png'
        return self._only_scored(read_objects(path, self.protocol))

    def _read_found(self, position: int) -> np.ndarray:
        name = f'{self.video.frames[position]}.png'
        if self.run.group != 'each':
            return self._only_scored(self._read_mask(Path(self.video.name, name), position))
        found = np.zeros_like(self._read_truth(position))
        for label in self.labels:
            path = Path(f'{self.video.name}_{label}', name)
            found[self._read_mask(path, position) == label] = label
        return found

    def _read_mask(self, name: Path, position: int) -> np.ndarray:
        path = self.run.masks / name
        if self.run.may_miss and not path.is_file():
            return np.zeros_like(self._read_truth(position))
        return read_objects(path, self.protocol)

    def _only_scored(self, labels: np.ndarray) -> np.ndarray:
        if len(self.labels) == 1 and set(np.unique(labels)) <= {0, 1}:
            return labels * np.uint8(self.labels[0])  # an only object may be white
        return np.where(np.isin(labels, self.labels), labels, np.uint8(0))


def _resize_labels(labels: np.ndarray, image: np.ndarray) -> np.ndarray:
    size = image.shape[1], image.shape[0]
    return cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)


def data_uri(image: np.ndarray, quality: int) -> str:
    """An (H, W, 3) uint8 RGB image as WebP of a quality from 1 to 100, inside of a URI."""
    _, encoded = cv2.imencode(
        '.webp',
        np.ascontiguousarray(image[..., ::-1]),
        [cv2.IMWRITE_WEBP_QUALITY, quality],
    )
    return f'data:image/webp;base64,{base64.b64encode(encoded).decode("ascii")}'
