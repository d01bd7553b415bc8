"""VideoTracker: init with a frame and its objects, update with each frame after.

Shape shorthand:
    N: objects    h, w: the frame    K: rays
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models import SiamPolarMask
from siampolarmask_mm.models.confidence import star_confidence
from siampolarmask_mm.models.decoded import Choice, Decoded, Star
from siampolarmask_mm.models.search_view import SearchView
from siampolarmask_mm.models.tracked_object import Look, TrackedObject
from siampolarmask_mm.polar import star_points
from siampolarmask_mm.video.prompts import make_prompts

Pixels = np.ndarray | Tensor


@dataclass(frozen=True)
class TrackState:
    """The objects in one frame; N of them, in pixels of the frame.

    Attributes:
        labels: (N,) their numbers in ``label_image``.
        masks: (N, h, w) boolean, each pixel of one object at most; empty where it is lost.
        boxes: (N, 4) float32, x1, y1, x2, y2, edges between pixels.
        scores: (N,) float32 of the best location, 0 to 1; -1 where the object is given.
        confidences: (N,) float32, 0 to 1: the score relative to the first frame's, if the
            config asks for it (``lost_and_found``, ``memory``), else the score; 1 where the
            object is given.
        lost: (N,) boolean; the last box and star are then those before.
        centers: (N, 2) float32 of the stars.
        rays: (N, K) float32, their lengths.
        searches: N views of where was looked; None where the object is given.
    """

    labels: np.ndarray
    masks: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    confidences: np.ndarray
    lost: np.ndarray
    centers: np.ndarray
    rays: np.ndarray
    searches: list[SearchView | None]

    @property
    def stars(self) -> np.ndarray:
        """(N, K, 2) float32 points at the rays' ends."""
        return star_points(
            torch.from_numpy(self.centers), torch.from_numpy(self.rays)
        ).numpy()

    @property
    def label_image(self) -> np.ndarray:
        """(h, w) uint8: the label of each pixel, 0 for none."""
        image = np.zeros(self.masks.shape[1:], np.uint8)
        for label, mask in zip(self.labels, self.masks, strict=True):
            image[mask] = label
        return image


class VideoTracker:
    """Follows objects through a video, frame by frame.

    ::

        tracker = siampolarmask_mm.apis.load(config, checkpoint)
        state = tracker.init(frame, mask=first_mask)
        for frame in frames:
            state = tracker.update(frame)

    Args:
        network: that tracks, see `siampolarmask_mm.apis.load`.
        rgb: whether frames come as red, green, blue; otherwise as OpenCV reads them.

    Attributes:
        labels: of the objects; none before `init`.
        frame_size: (h, w); None before `init`.
    """

    def __init__(self, network: SiamPolarMask, *, rgb: bool = False) -> None:
        self.network = network
        self.rgb = rgb
        self.labels: list[int] = []
        self.frame_size: tuple[int, int] | None = None

    def init(
        self,
        frame: Pixels,
        *,
        mask: Pixels | None = None,
        box: Pixels | Sequence | None = None,
        point: Pixels | Sequence | None = None,
        labels: Sequence[int] | None = None,
    ) -> TrackState:
        """Forget all objects and start those that are given in a frame.

        Args:
            frame: (h, w, 3) uint8, or a tensor (3, h, w); BGR, unless ``rgb``.
            mask: (h, w) boolean, or labels of several objects.
            box: (4,) or (n, 4), x1, y1, x2, y2 in pixels.
            point: (2,) or (n, 2), x, y in pixels, on the objects.
            labels: see `siampolarmask_mm.video.prompts.make_prompts`.

        Returns:
            The objects as they are given; of a point or box, the mask that is found.

        Raises:
            TypeError: if the frame is no array of bytes.
            ValueError: if something given does not fit; the tracker stays as it was.
        """
        image = self._read(frame)
        size = tuple(image.shape[-2:])
        prompts = make_prompts(size, _array(mask), _array(box), _array(point), labels)
        tracker = self.network.tracker
        self.labels, self.frame_size = prompts.labels, size
        tracker.forget(len(self.labels))
        for given in prompts.given():
            tracker.start(image, given)
        return self._state(tracker.report(image))

    def update(self, frame: Pixels) -> TrackState:
        """Find the objects in the next frame, of the first one's size.

        Raises:
            RuntimeError: before `init`.
            TypeError: if the frame is no array of bytes.
            ValueError: if it has another size.
        """
        if self.frame_size is None:
            raise RuntimeError('init with the first frame expected before update')
        image = self._read(frame)
        if tuple(image.shape[-2:]) != self.frame_size:
            wanted, got = (
                ' x '.join(map(str, size)) for size in (self.frame_size, image.shape[-2:])
            )
            raise ValueError(f'a frame of {wanted} (height x width) expected, got {got}')
        self.network.tracker.follow(image)
        return self._state(self.network.tracker.report(image))

    def remember(self) -> dict:
        """All that `recall` needs to go on from here, of tensors and numbers alone."""
        objects = [_keep(item) for item in self.network.tracker.objects]
        return dict(labels=self.labels, frame_size=self.frame_size, objects=objects)

    def recall(self, memory: dict) -> None:
        """Go on from where `remember` was called."""
        self.labels = list(memory['labels'])
        self.frame_size = tuple(memory['frame_size'])
        self.network.tracker.forget(len(self.labels))
        self.network.tracker.objects = [_restore(item) for item in memory['objects']]

    def _read(self, frame: Pixels) -> Tensor:
        """(1, 3, h, w) uint8 BGR, a view where that can be."""
        image = frame if torch.is_tensor(frame) else np.asarray(frame)
        if image.dtype not in (torch.uint8, np.dtype(np.uint8)):
            raise TypeError(f'a frame of uint8, 0 to 255, expected, got {image.dtype}')
        if image.ndim != 3 or 3 not in (image.shape[-1], image.shape[0]):
            raise ValueError(
                f'a frame (height, width, 3) expected, got {tuple(image.shape)}'
            )
        if not torch.is_tensor(image):
            image = torch.from_numpy(np.ascontiguousarray(image))
        image = image.cpu()
        if image.shape[-1] == 3:
            image = image.permute(2, 0, 1)
        if self.rgb:
            image = image.flip(0)
        # Crops are cut from rows of pixels.
        return image.permute(1, 2, 0).contiguous().permute(2, 0, 1)[None]

    def _state(self, found: InstanceData) -> TrackState:
        return TrackState(
            labels=np.array(self.labels),
            masks=found.masks.numpy(),
            boxes=found.bboxes.numpy(),
            scores=found.scores.numpy(),
            confidences=found.confidences.numpy(),
            lost=found.lost.numpy(),
            centers=found.centers.numpy(),
            rays=found.rays.numpy(),
            searches=found.searches,
        )


def _array(values: Pixels | Sequence | None) -> np.ndarray | Sequence | None:
    return values.cpu().numpy() if torch.is_tensor(values) else values


def _keep(item: TrackedObject) -> dict:
    """What an object is remembered by, of tensors and numbers alone."""
    kept = dict(vars(item), star=tuple(item.star), view=None)  # pictures are drawn already
    if item.look is not None:
        crop, seen = item.look.crop, item.look.decoded
        kept['look'] = dict(
            crop=(crop.center, crop.scale, crop.size),
            star=tuple(seen.choice.star),
            score=seen.choice.score,
            penalty=seen.choice.penalty,
            confidence=None if seen.raw is None else seen.confidence,
        )
    if item.given_mask is not None:
        kept['given_mask'] = torch.from_numpy(item.given_mask)
    return kept


def _restore(kept: dict) -> TrackedObject:
    item = TrackedObject(**dict(kept, star=Star(*kept['star'])))
    if item.given_mask is not None:
        item.given_mask = item.given_mask.numpy()
    if item.look is not None:
        crop, look = Crop(*item.look['crop']), item.look
        choice = Choice(Star(*look['star']), look['score'], look['penalty'])
        confidence = look['confidence']
        if confidence is None:
            seen = Decoded(choice, partial(star_confidence, *choice.star, crop.size))
        else:
            seen = Decoded(choice, lambda: confidence, confidence)
        item.look = Look(crop, seen)
    return item
