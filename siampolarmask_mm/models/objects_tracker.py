"""ObjectsTracker: mmtrack's interface to a tracker of several objects.

Shape shorthand:
    N: objects tracked in one frame    K: rays
"""

from __future__ import annotations

from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData
from mmtrack.models.sot.base import BaseSingleObjectTracker
from torch import Tensor

from siampolarmask_mm.models.given_objects import GivenObjects, given_objects


class ObjectsTracker(BaseSingleObjectTracker):
    """Answers mmtrack's runners frame by frame.

    Attributes:
        tracker: a PolarTracker, which a subclass sets.
        test_cfg: with ``test_mode``, ``OPE`` or ``VOT``.
    """

    def predict(self, inputs: dict, data_samples: list) -> list:
        """Add ``pred_track_instances`` to the samples, see `predict_ope`."""
        vot = self.test_cfg['test_mode'] == 'VOT'
        results = (self.predict_vot if vot else self.predict_ope)(inputs, data_samples)
        for sample, result in zip(data_samples, results, strict=True):
            sample.pred_track_instances = result
        return data_samples

    def predict_ope(self, inputs: dict, data_samples: list) -> list[InstanceData]:
        """Follow the objects that are known, start those that the frame gives.

        Frame 0 forgets all objects of the video before and starts what is given with it.
        Later frames start what `given_objects` finds in them.

        Args:
            inputs: ``img`` (1, 1, 3, h, w), one frame as read.
            data_samples: one, with ``frame_id`` and, where objects are given,
                ``gt_instances``: ``bboxes`` (N, 4) and, where there are any, ``masks``; or
                ``points`` (N, 2) alone, a pixel of each object.

        Returns:
            One InstanceData with an entry per object, in the order of the instances, in
            pixels of the image: ``bboxes`` (N, 4); ``masks`` (N, h, w) boolean, each pixel
            of one object at most; ``scores`` (N,), -1 where an object is given;
            ``confidences`` (N,), 1 there, from 0 to 1; ``lost`` (N,) boolean; the
            stars' ``centers`` (N, 2) and ``rays`` (N, K); and ``searches``, N SearchViews
            of where was looked, None where the object is given. An object that is lost has
            an empty mask, its last box and its last star; one that is still to come has an
            empty mask, and is 0 in all else.
        """
        if len(data_samples) != 1:
            raise ValueError(f'batch_size=1 expected in testing, got {len(data_samples)}')
        frame, sample = inputs['img'][0], data_samples[0]
        given = given_objects(sample)
        if sample.frame_id == 0:
            self.tracker.forget(given.num_instances)
        else:
            self.tracker.follow(frame)
        self.tracker.start(frame, given)
        return [self.tracker.report(frame)]

    def init(self, img: Tensor) -> None:
        """Start the object whose box is in ``self.memo`` (mmtrack's VOT mode)."""
        box = bbox_cxcywh_to_xyxy(self.memo.bbox)[None]
        self.tracker.forget(1)
        self.tracker.start(img, GivenObjects([0], box, [None], 1))

    def track(self, img: Tensor, data_samples: list) -> list[InstanceData]:  # noqa: ARG002
        """Follow in one more frame (mmtrack's VOT mode)."""
        self.tracker.follow(img)
        return [self.tracker.report(img)]
