"""MoveStill and Occlude: what videos have and still images lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mmcv.transforms import BaseTransform

from siampolarmask_mm.crops import map_mask_box
from siampolarmask_mm.datasets.layers import Layer
from siampolarmask_mm.datasets.transforms.cropping import read_frame
from siampolarmask_mm.registry import TRANSFORMS


@dataclass(frozen=True)
class Motion:
    """How an object out of a still image moves over a background, frame by frame.

    Attributes:
        middle: (2,) of the object in its own image, in pixels.
        start: (2,) where its middle is at frame 0, in pixels of the background.
        velocity: (2,) pixels of the background per frame.
        scale: pixels of the background per pixel of its image, at frame 0.
        growth: of the scale's logarithm per frame.
        turn: radians per frame, clockwise as displayed.
        stretch: of the logarithm of width over height, per frame.
    """

    middle: np.ndarray
    start: np.ndarray
    velocity: np.ndarray
    scale: float
    growth: float = 0.0
    turn: float = 0.0
    stretch: float = 0.0

    def pose(self, time: float) -> np.ndarray:
        """(3, 3) from homogeneous points of its image to points of the background."""
        scale = self.scale * np.exp(self.growth * time)
        wider = np.exp(self.stretch * time / 2)
        cosine, sine = np.cos(self.turn * time), np.sin(self.turn * time)
        matrix = np.eye(3)
        matrix[:2, :2] = (
            scale * np.array([[cosine, -sine], [sine, cosine]]) * [wider, 1 / wider]
        )
        place = self.start + self.velocity * time
        matrix[:2, 2] = place - matrix[:2, :2] @ self.middle
        return matrix


@TRANSFORMS.register_module()
class MoveStill(BaseTransform):
    """Make two frames of a video out of a still image: its object over another image.

    The object moves, grows, turns and stretches with a constant speed, blurred by its own
    motion, with a shadow below it, over an image that stands still. Only positive pairs of
    one image with a mask, and with another image at hand, are changed: those of a still
    image, and those of a video for which SamplePair drew one frame twice. Neither shows a
    motion of its own.

    Required: what SamplePair and LoadPair give. Changed: ``img`` (the other image) and
    ``instances``; added: ``layers``.

    Args:
        prob: share of these pairs that move.
        max_gap: most frames between the two.
        max_speed: most of its own size that the object moves per frame.
        max_growth: most relative growth or shrinkage per frame, likewise its stretch.
        max_turn: most degrees per frame.
        max_shadow: darkest shadow, 0 to 1.

    Raises:
        ValueError: if an argument is out of range, or, of a sample, if it comes after
            Occlude, whose object would then lie below.
    """

    def __init__(
        self,
        prob: float = 0.3,
        *,
        max_gap: int = 20,
        max_speed: float = 0.1,
        max_growth: float = 0.02,
        max_turn: float = 2.0,
        max_shadow: float = 0.4,
    ) -> None:
        if not (0 <= prob <= 1 and 0 <= max_shadow <= 1):
            raise ValueError(
                f'prob and max_shadow from 0 to 1 expected, got {prob} and {max_shadow}'
            )
        if max_gap < 0 or min(max_speed, max_growth, max_turn) < 0:
            raise ValueError(
                'max_gap, max_speed, max_growth and max_turn of at least 0 expected, got '
                f'{(max_gap, max_speed, max_growth, max_turn)}'
            )
        self.prob = prob
        self.max_gap = max_gap
        self.max_speed = max_speed
        self.max_growth = max_growth
        self.max_turn = max_turn
        self.max_shadow = max_shadow

    def transform(self, results: dict) -> dict:
        """Put the object over the other image, at two moments."""
        (instance,) = results['instances'][0]
        is_still = results['img_path'][0] == results['img_path'][1]
        if not (is_still and 'other' in results and instance.get('mask') is not None):
            return results
        if np.random.random() >= self.prob:
            return results
        still = results['img'][0]
        if 'layers' in results:
            raise ValueError(
                'MoveStill before Occlude expected, got them the other way round'
            )
        background = _read_other(results['other'])
        times = np.random.randint(0, self.max_gap + 1, 2)
        layers = self.draw_layers(instance, still, background, times)
        for which, layer in enumerate(layers):
            # The mask is the layer's now.
            moved = dict(instance, bbox=map_mask_box(instance['mask'], layer.matrix))
            del moved['mask']
            results['instances'][which] = [moved]
            results.setdefault('layers', ([], []))[which].append(layer)
        results['img'] = [background, background]
        results.pop('size', None)  # of the still
        return results

    def draw_layers(
        self,
        instance: dict,
        still: np.ndarray,
        background: np.ndarray,
        times: Sequence[int],
    ) -> list[Layer]:
        """The object at some frames of one motion, over the background.

        Args:
            instance: its ``bbox`` and ``mask`` in its own image.
            still: that image.
            background: (H, W, 3) what it moves over.
            times: numbers of frames, from 0 on.
        """
        motion = self.draw_motion(instance['bbox'], still, background, max(times))
        shadow, exposure = np.random.uniform(0, self.max_shadow), np.random.random()
        return [
            Layer(
                still,
                instance['mask'],
                motion.pose(time),
                motion=tuple(motion.velocity * exposure),
                shadow=shadow,
                is_target=True,
            )
            for time in times
        ]

    def draw_motion(
        self,
        box_xyxy: np.ndarray,
        still: np.ndarray,
        background: np.ndarray,
        last: int,
    ) -> Motion:
        """A motion whose middle stays inside the background from frame 0 to ``last``."""
        box = np.asarray(box_xyxy, dtype=float)
        size = np.array(background.shape[1::-1], dtype=float)
        # The object takes as much of the background as it took of its own image.
        scale = np.hypot(*size) / np.hypot(*still.shape[:2]) * np.random.uniform(0.7, 1.3)
        extent = np.sqrt((box[2:] - box[:2]).prod()) * scale
        angle = np.random.uniform(0, 2 * np.pi)
        speed = np.random.uniform(0, self.max_speed) * extent
        velocity = speed * np.array([np.cos(angle), np.sin(angle)])
        path = velocity * max(last, 1)
        # Slower, where the whole way would not fit into the middle 80% of the background.
        velocity = velocity / max(1.0, (np.abs(path) / (0.8 * size)).max())
        path = velocity * last
        low = 0.1 * size + np.maximum(-path, 0)
        high = 0.9 * size - np.maximum(path, 0)
        return Motion(
            middle=(box[:2] + box[2:] - 1) / 2,
            start=np.random.uniform(low, np.maximum(high, low)),
            velocity=velocity,
            scale=float(scale),
            growth=np.random.uniform(-self.max_growth, self.max_growth),
            turn=np.radians(np.random.uniform(-self.max_turn, self.max_turn)),
            stretch=np.random.uniform(-self.max_growth, self.max_growth),
        )


@TRANSFORMS.register_module()
class Occlude(BaseTransform):
    """Hide a part of the object in the search frame behind an object of another image.

    Only positive pairs are changed, where the other object has a mask.

    Required: what SamplePair and LoadPair give. Added: ``layers``.

    Args:
        prob: share of these pairs.
        max_cover: an object that would hide more than this share, 0 to 1, is left out.
        size: (smallest, largest) of the hiding object, relative to the hidden one.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        prob: float = 0.1,
        *,
        max_cover: float = 0.7,
        size: tuple[float, float] = (0.4, 1.2),
    ) -> None:
        if not (0 <= prob <= 1 and 0 <= max_cover <= 1):
            raise ValueError(
                f'prob and max_cover from 0 to 1 expected, got {prob} and {max_cover}'
            )
        if not 0 < size[0] <= size[1]:
            raise ValueError(f'0 < smallest <= largest size expected, got {size}')
        self.prob = prob
        self.max_cover = max_cover
        self.size = size

    def transform(self, results: dict) -> dict:
        """Add the other object's layer to the search frame."""
        other = results.get('other')
        if other is None or other['instance'].get('mask') is None:
            return results
        if np.random.random() >= self.prob:
            return results
        (instance,) = results['instances'][1]
        box = np.asarray(instance['bbox'], dtype=float)
        other_box = np.asarray(other['instance']['bbox'], dtype=float)
        relative = np.random.uniform(*self.size)
        scale = relative * np.sqrt(
            (box[2:] - box[:2]).prod() / (other_box[2:] - other_box[:2]).prod()
        )
        still = Motion(
            middle=(other_box[:2] + other_box[2:] - 1) / 2,
            start=np.random.uniform(box[:2], box[2:]),
            velocity=np.zeros(2),
            scale=float(scale),
        )
        layer = Layer(
            _read_other(other),
            other['instance']['mask'],
            still.pose(0),
            max_cover=self.max_cover,
        )
        results.setdefault('layers', ([], []))[1].append(layer)
        return results


def _read_other(other: dict) -> np.ndarray:
    """The other object's image, read once for a pair that moves and is hidden."""
    if 'img' not in other:
        other['img'] = read_frame(other['img_path'], size=other.get('size'))
    return other['img']
