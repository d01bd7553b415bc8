"""What a tracker's masks lack, split by cause: representation, shape and place.

Each sequence is tracked three times over, with one network and one decoder:

- ``tracked``: as always; every frame starts from the one before.
- ``placed``: every frame starts from where the object truly was in the frame before, so
  that nothing is lost; what is missing is shape, or the motion of one frame.
- ``ceiling``: the same, and the head says what it was taught to say, in the first frame,
  too, where thresholds are found: what is missing is what stars, locations and decoder
  cannot express. Nothing is redrawn: a `MaskRefiner` may go beyond this ceiling.

1 - ceiling, ceiling - placed and placed - tracked are the parts of what is missing.

Shape shorthand:
    N: objects    h, w: the image    S: pixels of a crop    T: frames that count
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.evaluation.region_contour import region_similarity
from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.models.siam_polarmask import SiamPolarMask
from siampolarmask_mm.models.tracked_object import TrackedObject, first_star

SURE = 6.0  # logit of a certain prediction


class Errors(NamedTuple):
    """J of a sequence in each frame that counts, mean over its objects, from 0 to 1.

    Attributes:
        tracked: (T,).
        placed: (T,).
        ceiling: (T,).
    """

    tracked: np.ndarray
    placed: np.ndarray
    ceiling: np.ndarray

    @property
    def representation(self) -> np.ndarray:
        """(T,) what the ceiling lacks."""
        return 1 - self.ceiling

    @property
    def shape(self) -> np.ndarray:
        """(T,) lost between the ceiling and what the network says near the object."""
        return self.ceiling - self.placed

    @property
    def place(self) -> np.ndarray:
        """(T,) lost because a frame starts from the tracker's own last one."""
        return self.placed - self.tracked


class Frame(NamedTuple):
    """A frame, ready to be tracked in, with the truth of its N objects.

    Attributes:
        batch: for the model's test_step.
        masks: (N, h, w) boolean.
        boxes: (N, 4) around them.
        annotated: whether the truth is known.
    """

    batch: dict
    masks: np.ndarray
    boxes: Tensor
    annotated: bool = True


def split_errors(model: SiamPolarMask, frames: Sequence[Frame]) -> Errors:
    """Track a sequence in all three ways.

    As in DAVIS, the first frame, where objects are given, and the last do not count, nor
    do frames without annotation. In the second and third way stars are not smoothed, since
    the star before is the true one.

    Args:
        model: with a PolarHead, in evaluation mode.
        frames: of one sequence; all objects are given in the first.

    Raises:
        TypeError: if the head is another one.
        ValueError: if there are fewer than three frames, or an object is not given in the
            first.
    """
    if model.head.PREDICTION is not PolarPrediction:
        raise TypeError(f'a PolarHead expected, got {type(model.head).__name__}')
    if len(frames) < 3:
        raise ValueError(f'at least 3 frames expected, got {len(frames)}')
    if not frames[0].masks.any((1, 2)).all():
        raise ValueError('objects that are all given in the first frame expected')
    with torch.no_grad():
        return Errors(
            tracked=_similarities(_track(model, frames), frames),
            placed=_similarities(_track(model, frames, place_truly), frames),
            ceiling=_similarities(_track(model, frames, answer_truly), frames),
        )


def read_frames(dataset: object, video: int) -> list[Frame]:
    """The frames of a video of a DAVISDataset in test mode."""
    frames = []
    for index in range(dataset.get_len_per_video(video)):
        batch = pseudo_collate([dataset[(video, index)]])
        sample = batch['data_samples'][0]
        found, known = sample.gt_instances, sample.get('annotated', True)
        frames.append(Frame(batch, found.masks.masks.astype(bool), found.bboxes, known))
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


Help = Callable[[SiamPolarMask, Frame | None, Frame], AbstractContextManager]


@contextmanager
def place_truly(model: SiamPolarMask, before: Frame | None, frame: Frame) -> Iterator[None]:  # noqa: ARG001
    """Let objects have been found where they truly were, as far as that is known.

    Args:
        model: that tracks.
        before: the frame before; None in the first.
        frame: that is tracked in, within the context.
    """
    if before is not None and before.annotated:
        for item, mask, box in zip(
            model.tracker.objects, before.masks, before.boxes, strict=True
        ):
            if mask.any():
                item.box = box.float()
                item.star = first_star(item.box, mask, model.head.num_rays)
                item.given_mask, item.look = mask, None
                item.confidence, item.frames_lost = 1.0, 0
    rate, model.decoder.update_rate = model.decoder.update_rate, None
    try:
        yield
    finally:
        model.decoder.update_rate = rate


@contextmanager
def answer_truly(
    model: SiamPolarMask, before: Frame | None, frame: Frame
) -> Iterator[None]:
    """`place_truly`, and let the head be right wherever it looks, with each template."""
    running = model.tracker.running
    predict = running.predict

    def predict_truly(
        objects: list[TrackedObject], crops: list[Crop], *args: object
    ) -> tuple[PolarPrediction, tuple[Tensor, ...] | None]:
        shown = [
            crop.cut_mask(mask.astype(np.uint8))
            for item, crop, mask in zip(objects, crops, frame.masks, strict=True)
            for _ in item.templates
        ]
        shown = torch.from_numpy(np.stack(shown)).bool()
        prediction, _ = predict(objects, crops, *args)
        return true_prediction(model, shown, prediction), None

    running.predict = predict_truly
    try:
        with place_truly(model, before, frame):
            yield
    finally:
        del running.predict


@contextmanager
def no_help(model: SiamPolarMask, before: Frame | None, frame: Frame) -> Iterator[None]:  # noqa: ARG001
    """As always."""
    yield


def _track(
    model: SiamPolarMask, frames: Sequence[Frame], helped: Help = no_help
) -> Iterator[np.ndarray]:
    """(N, h, w) masks of each frame but the last."""
    for before, frame in zip([None, *frames], frames[:-1], strict=False):
        with helped(model, before, frame):
            yield model.test_step(frame.batch)[0].pred_track_instances.masks.numpy()


def _similarities(predicted: Iterator[np.ndarray], frames: Sequence[Frame]) -> np.ndarray:
    """(T,) mean J over the objects."""
    means = [
        np.mean([region_similarity(*pair) for pair in zip(masks, frame.masks, strict=True)])
        for masks, frame in zip(predicted, frames[:-1], strict=True)
        if frame.annotated and frame is not frames[0]
    ]
    return np.array(means)
