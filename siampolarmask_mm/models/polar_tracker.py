"""PolarTracker: crop, ask the network, remember; for all objects of a video at once.

Shape shorthand:
    N: objects    h, w: the image    S: pixels of a crop
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from siampolarmask_mm.crops import Crop, crop_around
from siampolarmask_mm.models.box_segmentation import segment_box
from siampolarmask_mm.models.confidence import mask_box
from siampolarmask_mm.models.first_frame import grow_from_point, template_masks
from siampolarmask_mm.models.given_objects import GivenObjects
from siampolarmask_mm.models.inference import Inference
from siampolarmask_mm.models.lost_and_found import LostAndFound
from siampolarmask_mm.models.results import (
    Patch,
    describe,
    draw_masks,
    separate_all,
)
from siampolarmask_mm.models.running_network import RunningNetwork, as_image, rows_of
from siampolarmask_mm.models.search_view import SearchView
from siampolarmask_mm.models.siamese_head import Prediction
from siampolarmask_mm.models.template_memory import TemplateMemory
from siampolarmask_mm.models.tracked_object import (
    Look,
    TrackedObject,
    first_star,
)
from siampolarmask_mm.threads import in_threads

if TYPE_CHECKING:
    from siampolarmask_mm.models.siam_polarmask import SiamPolarMask


class PolarTracker:
    """Follows the objects of one video with a network.

    Args:
        network: that looks.
        inference: how it is run.
        calibrate_size: see `SiamPolarMask`.
        segment_boxes: see `SiamPolarMask`.
        largest_scale: pixels of a crop per pixel of the image that are not exceeded: a
            small object magnified further shows nothing more, and less of its
            surroundings. No limit if not given.
        lost_and_found: when an object is lost; never if not given.
        memory: which frames are remembered beside the first; none if not given.

    Attributes:
        objects: of the video so far; None for those that are still to come.
        running: the network on crops of them.

    Raises:
        ValueError: if ``largest_scale`` is not above 0.
    """

    def __init__(
        self,
        network: SiamPolarMask,
        inference: Inference,
        *,
        calibrate_size: bool = False,
        segment_boxes: bool = False,
        largest_scale: float | None = None,
        lost_and_found: LostAndFound | None = None,
        memory: TemplateMemory | None = None,
    ) -> None:
        self.network = network
        self.calibrate_size = calibrate_size
        self.segment_boxes = segment_boxes
        if largest_scale is not None and not largest_scale > 0:
            raise ValueError(f'largest_scale above 0 expected, got {largest_scale}')
        self.largest_scale = largest_scale
        self.lost_and_found = lost_and_found
        self.memory = memory
        self.objects: list[TrackedObject | None] = []
        self.running = RunningNetwork(network, inference)

    def forget(self, num_objects: int) -> None:
        """Forget all objects; these many are to come."""
        self.objects = [None] * num_objects
        self.running.renew()

    def start(self, frame: Tensor, given: GivenObjects) -> None:
        """Remember objects that are given with a frame (1, 3, h, w) as read.

        Raises:
            ValueError: if an object has no pixel or its box no extent.
        """
        if not given.rows:
            return
        if given.points is not None:
            given = self._grow_points(frame, given)
        elif self.segment_boxes:
            given = self._segment_boxes(frame, given)
        boxes = given.boxes.float().cpu()
        started = [
            TrackedObject(
                templates=[template],
                star=first_star(box, mask, self.network.head.num_rays),
                box=box,
                given_mask=mask,
            )
            for box, mask, template in zip(
                boxes,
                given.masks,
                self._templates(frame, boxes, given.masks),
                strict=True,
            )
        ]
        self.objects += [None] * (given.num_instances - len(self.objects))
        for row, item in zip(given.rows, started, strict=True):
            self.objects[row] = item
        self._calibrate(frame, started)

    def _calibrate(self, frame: Tensor, started: list[TrackedObject]) -> None:
        """Look for objects in the frame that gives them, if that tells anything."""
        seeks_confidence = self.lost_and_found or self.memory
        if self.calibrate_size or self.network.decoder.seeks_threshold or seeks_confidence:
            looks = self._look(frame, started, tell_previous=False)
            for item, look in zip(started, looks, strict=True):
                if self.calibrate_size:
                    item.calibrate_size(look)
                if self.network.decoder.seeks_threshold:
                    item.calibrate_threshold(look, self.network.decoder)
                if seeks_confidence:
                    item.calibrate_confidence(look)

    def _grow_points(self, frame: Tensor, given: GivenObjects) -> GivenObjects:
        """Replace points by what the network sees around them."""
        look, size = self._look_again(frame), tuple(frame.shape[-2:])
        masks = [grow_from_point(point, size, look) for point in given.points.float()]
        boxes = torch.stack([mask_box(torch.from_numpy(mask)) for mask in masks])
        return given._replace(boxes=boxes, masks=masks, points=None)

    def _segment_boxes(self, frame: Tensor, given: GivenObjects) -> GivenObjects:
        """Find masks in boxes of which nothing else is known."""
        look, image = self._look_again(frame), as_image(frame)
        image = np.repeat(image, 3 // image.shape[-1], axis=-1)  # also of gray ones
        masks = [
            segment_box(image, box, look) if mask is None else mask
            for box, mask in zip(given.boxes.float().cpu(), given.masks, strict=True)
        ]
        return given._replace(masks=masks)

    def _look_again(self, frame: Tensor) -> Callable:
        """What looks for an object in the frame that gives it; see `grow_from_point`."""
        scout = PolarTracker(
            self.network, self.running.inference, largest_scale=self.largest_scale
        )
        scout.running = self.running

        def look(box: Tensor, mask: np.ndarray) -> tuple[np.ndarray, float]:
            scout.objects = [None]
            scout.start(frame, GivenObjects([0], box[None], [mask], 1))
            scout.follow(frame, tell_previous=False)
            found = scout.report(frame)
            return found.masks[0].numpy(), found.scores[0].item()

        return look

    def follow(self, frame: Tensor, tell_previous: bool = True) -> None:
        """Find all objects in the next frame, (1, 3, h, w) as read; see `_look`."""
        known = [item for item in self.objects if item is not None]
        if not known:
            return
        looks = self._look(frame, known, tell_previous)

        def update(item: TrackedObject, look: Look) -> None:
            item.update(look, self.network.decoder, frame.shape[-2:], self.lost_and_found)

        in_threads(update, known, looks)

    def report(self, frame: Tensor) -> InstanceData:
        """All objects in a frame (1, 3, h, w), which is remembered where it is to be."""
        size = tuple(frame.shape[-2:])
        patches = draw_masks(self.objects, self.network.decoder.decoding, size)
        if self.memory is not None:
            # Before pixels are shared out, so that objects do not change each other.
            self._memorize(frame, patches)
        separate_all(patches)
        return describe(self.objects, patches, self.network.head.num_rays, size)

    def _memorize(self, frame: Tensor, patches: Sequence[Patch | None]) -> None:
        """Add templates of the objects that were found surely; N patches are theirs."""
        found = [
            (item, patch.in_image(frame.shape[-2:]))
            for item, patch in zip(self.objects, patches, strict=True)
            if patch is not None
            and item.look is not None
            and self.memory.wants(item.confidence, item.frames_since_template)
            and patch.mask.any()
        ]
        if not found:
            return
        items, masks = zip(*found, strict=True)
        boxes = torch.stack([item.box for item in items])
        templates = self._templates(frame, boxes, masks)
        for item, template in zip(items, templates, strict=True):
            item.templates = self.memory.add(item.templates, template)
            item.frames_since_template = 0

    def _templates(
        self, frame: Tensor, boxes: Tensor, masks: Sequence[np.ndarray | None]
    ) -> list[tuple[Tensor, ...]]:
        """A template of one row for each of N boxes (N, 4), in one pass."""
        crops = [self._crop(box, self.network.template_size) for box in boxes]
        images = self.running.cut(frame, crops)
        return self.running.templates(images, template_masks(crops, boxes, masks))

    def _look(
        self, frame: Tensor, objects: list[TrackedObject], tell_previous: bool = True
    ) -> list[Look]:
        """Look for each object around its last box, for all in one pass.

        Args:
            frame: (1, 3, h, w) as read.
            objects: to look for.
            tell_previous: whether a network that looks at the mask of the frame before is
                told it. Not in the frame that gives the object, where it would be the
                answer.
        """
        crops = [self.window(item, frame.shape[-2:]) for item in objects]
        images = self.running.cut(frame, crops)
        prediction, seen = self.running.predict(objects, crops, images, tell_previous)
        points = self.network.location_points(prediction)
        maps = [_mean(prediction, rows) for rows in rows_of(objects)]
        decoder = self.network.decoder

        def propose(item: TrackedObject, crop: Crop, own: Prediction) -> tuple:
            return decoder.propose(own, points, item.star_size * crop.scale, crop.size)

        proposed = in_threads(propose, objects, crops, maps)
        refined = self.running.refine([raw for _, raw in proposed], seen)

        def settle(i: int, item: TrackedObject, crop: Crop) -> Look:
            # Only what is reported is fitted to the image.
            image = images[i] if refined[i] is None else None
            decoded = decoder.settle(*proposed[i], crop.size, item.threshold, image)
            redrawn = None
            if refined[i] is not None:
                redrawn = decoder.redraw(decoded, refined[i], images[i])
            view = SearchView(crop, points, maps[i].scores, redrawn or decoded)
            return Look(crop, decoded, view, redrawn)

        return in_threads(settle, range(len(objects)), objects, crops)

    def _crop(self, box: Tensor, size: int) -> Crop:
        """The crop of ``size`` pixels around a box (4,) at the network's scale."""
        crop = crop_around(box, size, self.network.template_size)
        if self.largest_scale is None or crop.scale <= self.largest_scale:
            return crop
        return replace(crop, scale=self.largest_scale)

    def window(self, item: TrackedObject, frame_size: tuple[int, int]) -> Crop:
        """The search crop: wider the less sure the object is, up to all of the frame."""
        crop = self._crop(item.box, self.network.search_size)
        if self.lost_and_found is None:
            return crop
        wider = self.lost_and_found.window(item.confidence, item.frames_lost)
        whole = crop.scale * 2 * max(frame_size) / crop.size
        return replace(crop, scale=crop.scale / max(min(wider, whole), 1))


def _mean(prediction: Prediction, rows: range) -> Prediction:
    """The mean of some rows of a prediction."""
    if len(rows) == 1:
        return type(prediction)(*(part[rows.start] for part in prediction))
    return type(prediction)(*(part[rows.start : rows.stop].mean(0) for part in prediction))
