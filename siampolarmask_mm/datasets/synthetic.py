"""Clips of textured shapes that move, turn, grow, bend and hide each other.

They are written in the layout of DAVIS, so that everything that reads DAVIS runs on them:
a first training without any download, and tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from siampolarmask_mm.label_images import write_labels

Clip = Iterator[tuple[np.ndarray, np.ndarray]]  # (H, W, 3) BGR frames, (H, W) labels


@dataclass
class Shape:
    """A closed curve r(angle) about a center, its texture, and how both change.

    Attributes:
        radius: mean of r, in pixels.
        waves: (M, 4) amplitude relative to the radius, waves around, phase, and phase speed
            in radians per frame.
        path: (4,) middle x and y, and reach in x and y, in pixels.
        motion: (6,) angular speed and phase, in radians, of x, y and growth.
        growth: largest relative change of the radius.
        turn: radians per frame.
        texture: (H, W, 3) that moves and turns with it.
    """

    radius: float
    waves: np.ndarray
    path: np.ndarray
    motion: np.ndarray
    growth: float
    turn: float
    texture: np.ndarray

    def pose(self, time: int) -> tuple[float, float, float, float]:
        """x, y, scale and angle at a frame."""
        sway = np.sin(self.motion[0::2] * time + self.motion[1::2])
        x, y = self.path[:2] + self.path[2:] * sway[:2]
        return x, y, 1 + self.growth * sway[2], self.turn * time

    def outline(self, time: int) -> np.ndarray:
        """(180, 2) points in pixels of the frame."""
        x, y, scale, turned = self.pose(time)
        angles = np.linspace(0, 2 * math.pi, 180, endpoint=False)
        amplitude, around, phase, speed = self.waves.T[..., None]
        waves = amplitude * np.cos(around * angles + phase + speed * time)
        radius = self.radius * scale * (1 + waves.sum(0))
        return np.stack(
            [x + radius * np.cos(angles + turned), y + radius * np.sin(angles + turned)], 1
        )

    def paint(self, frame: np.ndarray, time: int) -> np.ndarray:
        """Draw the shape into a frame, in place; returns its (H, W) boolean mask."""
        height, width = frame.shape[:2]
        mask = np.zeros((height, width), dtype=np.uint8)
        points = np.round(self.outline(time) * 16).astype(np.int32)  # in 1/16 pixel
        cv2.fillPoly(mask, [points], 255, lineType=cv2.LINE_AA, shift=4)
        x, y, scale, turned = self.pose(time)
        to_frame = cv2.getRotationMatrix2D((0, 0), -math.degrees(turned), scale)
        middle = np.array(self.texture.shape[1::-1]) / 2
        to_frame[:, 2] = np.array([x, y]) - to_frame[:, :2] @ middle
        texture = cv2.warpAffine(
            self.texture, to_frame, (width, height), borderMode=cv2.BORDER_REFLECT
        )
        share = mask[..., None] / 255.0
        frame[:] = np.round(frame * (1 - share) + texture * share).astype(np.uint8)
        return mask > 127


def clip_frames(rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Clip:
    """Draw one clip: two objects, and something that passes in front of them.

    Args:
        rng: decides everything.
        num_frames: how many.
        size: (height, width).

    Yields:
        A (H, W, 3) BGR frame and its (H, W) labels, 0 for the background and for what is
        hidden.
    """
    background = _texture(rng, (2 * size[0], 2 * size[1]))
    drift = rng.uniform(-1, 1, 2)
    shapes = _two_apart(rng, size)
    blind = _random_shape(rng, size)
    blind.radius *= 0.6
    blind.path[2:] = np.array(size[::-1]) * 0.6
    for time in range(num_frames):
        left, top = (np.array(size[::-1]) / 2 + drift * time).astype(int)
        frame = background[top : top + size[0], left : left + size[1]].copy()
        labels = np.zeros(size, dtype=np.uint8)
        for label, shape in enumerate(shapes, start=1):
            labels[shape.paint(frame, time)] = label
        if time > 2:  # the first frames show both objects whole
            labels[blind.paint(frame, time)] = 0
        noise = rng.normal(0, 3, frame.shape)
        yield (frame + noise).clip(0, 255).astype(np.uint8), labels


def write_davis(
    root: str | Path,
    num_clips: dict[str, int],
    *,
    num_frames: int = 40,
    size: tuple[int, int] = (180, 320),
    seed: int = 0,
    draw: Callable[[np.random.Generator, int], Clip] | None = None,
) -> None:
    """Write clips in the layout of DAVIS, the same for the same arguments.

    Args:
        root: folder to write into.
        num_clips: by split, ``dict(train=40, val=6)`` for example.
        num_frames: of each clip; at least 3, since DAVIS scores neither first nor last.
        size: (height, width) in pixels, of what `clip_frames` draws.
        seed: of the first clip.
        draw: what makes a clip from a generator and a number of frames; `clip_frames`, if
            not given.

    Raises:
        ValueError: if a number is too small.
        FileExistsError: if ``root`` holds clips already.
    """
    root = Path(root)
    if num_frames < 3 or min(size) < 32:
        raise ValueError(
            f'at least 3 frames of 32 pixels expected, got {num_frames} of {size}'
        )
    if (root / 'ImageSets').exists():
        raise FileExistsError(f'{root} holds clips already')
    draw = draw or partial(clip_frames, size=size)
    clip_seed = seed
    for split, count in num_clips.items():
        names = [f'{split}{number:03d}' for number in range(count)]
        for name in names:
            _write_clip(root, name, draw(np.random.default_rng(clip_seed), num_frames))
            clip_seed += 1
        _write_lists(root, split, names, num_frames)


def _write_clip(root: Path, name: str, clip: Clip) -> None:
    frames, annotations = (
        root / kind / '480p' / name for kind in ('JPEGImages', 'Annotations')
    )
    frames.mkdir(parents=True, exist_ok=True)
    annotations.mkdir(parents=True, exist_ok=True)
    for time, (frame, labels) in enumerate(clip):
        cv2.imwrite(str(frames / f'{time:05d}.jpg'), frame)
        write_labels(annotations / f'{time:05d}.png', labels)


def _write_lists(root: Path, split: str, names: list[str], num_frames: int) -> None:
    """ImageSets of both years: names for 2017, paths of every frame for 2016."""
    paths = [
        f'/JPEGImages/480p/{name}/{time:05d}.jpg /Annotations/480p/{name}/{time:05d}.png'
        for name in names
        for time in range(num_frames)
    ]
    for year, lines in (('2016', paths), ('2017', names)):
        folder = root / 'ImageSets' / year
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f'{split}.txt').write_text('\n'.join(lines) + '\n')


def _two_apart(rng: np.random.Generator, size: tuple[int, int]) -> list[Shape]:
    """Two shapes, left and right, that do not hide each other in the first frame."""
    while True:
        shapes = [_random_shape(rng, size) for _ in range(2)]
        for shape, shift in zip(shapes, (-0.2, 0.2), strict=True):
            shape.path[0] += shift * size[1]
        places = [np.array(shape.pose(0)[:2]) for shape in shapes]
        if np.hypot(*(places[0] - places[1])) > 1.2 * sum(shape.radius for shape in shapes):
            return shapes


def _random_shape(rng: np.random.Generator, size: tuple[int, int]) -> Shape:
    height, width = size
    radius = rng.uniform(0.09, 0.17) * height
    num_waves = rng.integers(2, 5)
    waves = np.stack(
        [
            rng.uniform(0.04, 0.22, num_waves),
            rng.choice([1, 2, 3, 4, 5], num_waves, replace=False),
            rng.uniform(0, 2 * math.pi, num_waves),
            rng.uniform(-0.08, 0.08, num_waves),
        ],
        axis=1,
    )
    middle = np.array([width, height]) * rng.uniform(0.4, 0.6, 2)
    reach = np.array([width, height]) * rng.uniform(0.1, 0.25, 2)
    motion = rng.uniform([0.03, 0, 0.03, 0, 0.03, 0], [0.1, 6.3, 0.1, 6.3, 0.08, 6.3])
    side = int(6 * radius)
    return Shape(
        radius=radius,
        waves=waves,
        path=np.concatenate([middle, reach]),
        motion=motion,
        growth=rng.uniform(0.05, 0.3),
        turn=rng.uniform(-0.04, 0.04),
        texture=_texture(rng, (side, side)),
    )


def _texture(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 noise of several grain sizes in a random pair of colors."""
    height, width = size
    pattern = np.zeros(size, dtype=np.float32)
    for cells, weight in ((3, 1.0), (8, 0.7), (24, 0.5)):
        grain = rng.normal(size=(cells * height // width + 2, cells + 2)).astype(np.float32)
        pattern += weight * cv2.resize(
            grain, (width, height), interpolation=cv2.INTER_CUBIC
        )
    share = (1 / (1 + np.exp(-2 * pattern)))[..., None]
    dark, light = rng.uniform(0, 160, 3), rng.uniform(95, 255, 3)
    return (dark * (1 - share) + light * share).astype(np.uint8)
