"""What a tracker's masks lack, split by cause: representation, shape and place.

Each sequence is tracked three times over, with one network and one decoder:

- ``tracked``: as always; every frame starts from the one before.
- ``placed``: every frame starts from where the object truly was in the frame before, so
  that nothing is lost; what is missing is shape, or the motion of one frame.
- ``ceiling``: the same, and the head says what it was taught to say: what is missing is
  what stars, locations and decoder cannot express.

1 - ceiling, ceiling - placed and placed - tracked are the parts of what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from siampolarmask_mm.evaluation.region_contour import region_similarity
from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.models.siam_polarmask import SiamPolarMask
from siampolarmask_mm.models.tracked_object import TrackedObject, first_star

SURE = 6.0  # logit of a certain prediction


class Errors(NamedTuple):
    """Mean J of a sequence's objects, of all frames that count, from 0 to 1."""

    tracked: float
    placed: float
    ceiling: float

    @property
    def representation(self) -> float:
        """What the ceiling lacks."""
        return 1 - self.ceiling

    @property
    def shape(self) -> float:
        """What is lost between the ceiling and what the network says near the object."""
        return self.ceiling - self.placed

    @property
    def place(self) -> float:
        """What is lost because a frame starts from the tracker's own last one."""
        return self.placed - self.tracked


class Frame(NamedTuple):
    """A frame, ready to be tracked in, with the truth of its N objects.

    Attributes:
        batch: for the model's test_step.
        masks: (N, h, w) boolean.
        boxes: (N, 4) around them.
    """

    batch: dict
    masks: np.ndarray
    boxes: Tensor


def split_errors(model: SiamPolarMask, frames: Sequence[Frame]) -> Errors:
    """Track a sequence in all three ways.

    As in DAVIS, the first frame, where objects are given, and the last do not count.

    Args:
        model: with a PolarHead, in evaluation mode.
        frames: of one sequence; all objects are given in the first.

    Raises:
        TypeError: if the head is another one.
        ValueError: if there are fewer than three frames.
    """
    if model.head.PREDICTION is not PolarPrediction:
        raise TypeError(f'a PolarHead expected, got {type(model.head).__name__}')
    if len(frames) < 3:
        raise ValueError(f'at least 3 frames expected, got {len(frames)}')
    scored = frames[1:-1]
    with torch.no_grad():
        tracked = _track(model, frames)
        placed = _track_from_truth(model, frames, answer=False)
        ceiling = _track_from_truth(model, frames, answer=True)
        return Errors(
            *(_mean_similarity(masks, scored) for masks in (tracked, placed, ceiling))
        )


def read_frames(dataset: object, video: int) -> list[Frame]:
    """The frames of a video of a DAVISDataset in test mode."""
    frames = []
    for index in range(dataset.get_len_per_video(video)):
        batch = pseudo_collate([dataset[(video, index)]])
        found = batch['data_samples'][0].gt_instances
        frames.append(Frame(batch, found.masks.masks.astype(bool), found.bboxes))
    return frames


def true_prediction(
    model: SiamPolarMask, masks: Tensor, shaped_like: PolarPrediction
) -> PolarPrediction:
    """What a head that is never wrong says of crops (N, S, S) with these masks."""
    targets = model.assigner.assign(masks, model.location_points(shaped_like))
    image, row, column = targets.positive.nonzero(as_tuple=True)
    scores = torch.where(targets.positive, SURE, -SURE)
    centerness = torch.full_like(scores, -SURE)
    centerness[targets.positive] = targets.centerness.logit(1e-3)
    rays = scores.new_full(shaped_like.rays.shape, model.head.stride)
    rays[image, :, row, column] = targets.rays.clamp_min(1e-3)
    return PolarPrediction(scores, centerness, rays)


def place(item: TrackedObject, mask: np.ndarray, box: Tensor, num_rays: int) -> None:
    """Let an object have been found where it truly is (h, w); nothing, if it is nowhere."""
    if mask.any():
        item.box = box.float()
        item.star = first_star(item.box, mask, num_rays)
        item.given_mask, item.look = mask, None
        item.confidence, item.frames_lost = 1.0, 0


def _track(model: SiamPolarMask, frames: Sequence[Frame]) -> Iterator[np.ndarray]:
    """(N, h, w) masks of the frames that count."""
    for frame in frames[:-1]:
        masks = model.test_step(frame.batch)[0].pred_track_instances.masks.numpy()
        if frame is not frames[0]:
            yield masks


def _track_from_truth(
    model: SiamPolarMask, frames: Sequence[Frame], *, answer: bool
) -> Iterator[np.ndarray]:
    """The same, each from the truth of the frame before; ``answer`` for the head, too."""
    model.test_step(frames[0].batch)
    tracker = model.tracker
    head = tracker.running.head
    for before, frame in pairwise(frames[:-1]):
        for item, mask, box in zip(
            tracker.objects, before.masks, before.boxes, strict=True
        ):
            place(item, mask, box, head.num_rays)
        if answer:
            crops = [
                tracker.window(item, frame.masks.shape[1:]) for item in tracker.objects
            ]
            masks = [
                crop.cut_mask(mask.astype(np.uint8))
                for crop, mask in zip(crops, frame.masks, strict=True)
            ]
            hook = head.register_forward_hook(
                partial(_correct, model, torch.from_numpy(np.stack(masks)).bool())
            )
        masks = model.test_step(frame.batch)[0].pred_track_instances.masks
        if answer:
            hook.remove()
        yield masks.numpy()


def _correct(
    model: SiamPolarMask,
    masks: Tensor,
    head: object,  # noqa: ARG001
    inputs: tuple,  # noqa: ARG001
    prediction: PolarPrediction,
) -> PolarPrediction:
    """A hook that gives the truth instead."""
    return true_prediction(model, masks, prediction)


def _mean_similarity(predicted: Iterator[np.ndarray], frames: Sequence[Frame]) -> float:
    return float(
        np.mean(
            [
                region_similarity(mask, truth)
                for masks, frame in zip(predicted, frames, strict=True)
                for mask, truth in zip(masks, frame.masks, strict=True)
            ]
        )
    )
