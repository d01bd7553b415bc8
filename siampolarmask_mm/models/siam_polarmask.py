"""SiamPolarMask: crop, extract, ask the head, remember.

Shape shorthand:
    N: training pairs, or objects tracked in one frame    H, W: the score map
    K: rays
"""

from __future__ import annotations

import numpy as np
import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData
from mmtrack.models.sot.base import BaseSingleObjectTracker
from mmtrack.structures.bbox import quad2bbox_cxcywh
from torch import Tensor

from siampolarmask_mm.crops import Crop, crop_around, location_points
from siampolarmask_mm.models.first_frame import object_masks, template_masks
from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.models.preprocessor import CropPreprocessor
from siampolarmask_mm.models.tracked_object import (
    Look,
    TrackedObject,
    box_size,
    describe,
    first_star,
)
from siampolarmask_mm.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class SiamPolarMask(BaseSingleObjectTracker):
    """A Siamese tracker that predicts star polygons.

    Args:
        backbone: config of a backbone at stride 8.
        head: config of a PolarHead.
        assigner: config of a PolarTargetAssigner; its ``num_rays`` and ``stride`` are
            those of the head.
        decoder: config of a PolarDecoder.
        losses: configs by name: ``score``, ``centerness`` and ``rays``.
        neck: config of a neck; none if not given.
        data_preprocessor: config of a CropPreprocessor.
        template_size: pixels of the template.
        search_size: pixels of the search crop.
        template_cells: the template is its middle ``template_cells`` squared features.
        test_mode: ``OPE`` follows to the end, mmtrack's ``VOT`` starts anew after
            failures and needs vot-toolkit.
        calibrate_size: find each object once more in its own first frame and correct all
            later sizes by the factor that makes this one right. Predicted stars miss the
            tips of an outline, so that their boxes are a few percent too small, and each
            next crop is cut by the box before. Not in the paper.
        init_cfg: of mmengine's BaseModule.

    Raises:
        TypeError: if the preprocessor is another one.

    Source: SiamPolarMask, sections 3 and 4.
    """

    def __init__(  # noqa: PLR0913
        self,
        backbone: dict,
        head: dict,
        *,
        assigner: dict,
        decoder: dict,
        losses: dict,
        data_preprocessor: dict,
        neck: dict | None = None,
        template_size: int = 127,
        search_size: int = 255,
        template_cells: int = 7,
        test_mode: str = 'OPE',
        calibrate_size: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        # Built here: the base class would look for it in the default scope alone.
        super().__init__(MODELS.build(data_preprocessor), init_cfg)
        if not isinstance(self.data_preprocessor, CropPreprocessor):
            name = type(self.data_preprocessor).__name__
            raise TypeError(
                f'data_preprocessor of type CropPreprocessor expected, got {name}'
            )
        self.backbone = MODELS.build(backbone)
        self.neck = None if neck is None else MODELS.build(neck)
        self.head = MODELS.build(head)
        shared = dict(num_rays=self.head.num_rays, stride=self.head.stride)
        self.assigner = TASK_UTILS.build(assigner, default_args=shared)
        self.decoder = TASK_UTILS.build(decoder)
        self.score_loss = MODELS.build(losses['score'])
        self.centerness_loss = MODELS.build(losses['centerness'])
        self.ray_loss = MODELS.build(losses['rays'])
        self.template_size = template_size
        self.search_size = search_size
        self.template_cells = template_cells
        self.calibrate_size = calibrate_size
        self.test_cfg = dict(test_mode=test_mode)
        self.objects: list[TrackedObject] = []

    def extract(self, crops: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, S, S) normalized crops to features per level."""
        features = self.backbone(crops)
        return features if self.neck is None else self.neck(features)

    def extract_template(
        self, crops: Tensor, masks: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """What the head takes of normalized template crops (N, 3, S, S).

        Args:
            crops: normalized.
            masks: (N, S, S) the objects in them; only MaskMatching looks at them.

        Returns:
            Tensors whose first dimension is N; the first ones are the middle features.
        """
        levels = self.extract(crops)
        return self.head.describe_template(levels, masks, self.template_cells)

    def location_points(self, prediction: PolarPrediction) -> Tensor:
        """(H, W, 2) where the locations look at, in pixels of the search crop."""
        return location_points(
            prediction.scores.shape[-2:],
            self.head.stride,
            self.search_size,
            prediction.rays,
        )

    # Training

    def loss(self, inputs: dict, data_samples: list) -> dict[str, Tensor]:
        """Compare predictions on N pairs with their targets (SiamPolarMask, eq. 6).

        Args:
            inputs: ``img`` (N, 1, 3, h, w) templates and ``search_img`` (N, 1, 3, S, S),
                normalized.
            data_samples: see `find_targets`; besides, with ``gt_instances``: the object's
                mask in the template, or its box.
        """
        known = [sample.gt_instances for sample in data_samples]
        masks, _ = object_masks(known, self.template_size)
        prediction = self.head(
            self.extract_template(inputs['img'][:, 0], masks),
            self.extract(inputs['search_img'][:, 0]),
        )
        targets = self.find_targets(data_samples, self.location_points(prediction))
        return self._compare(prediction, targets)

    def find_targets(self, data_samples: list, points: Tensor) -> PolarTargets:
        """What the head should predict for N pairs.

        Args:
            data_samples: with ``search_gt_instances``: one mask of an object in the search
                crop, or its box alone, and its label: 1, or 0 if the template shows another
                object.
            points: (H, W, 2) where the locations look at, in pixels of the search crop.
        """
        to_find = [sample.search_gt_instances for sample in data_samples]
        masks, is_outline = object_masks(to_find, self.search_size)
        masks &= torch.stack([item.labels[0] for item in to_find]).cpu()[:, None, None] > 0
        device = points.device
        return self.assigner.assign(masks.to(device), points, is_outline.to(device))

    def _compare(self, prediction: PolarPrediction, targets: PolarTargets) -> dict:
        outlined = targets.outlined
        image, row, column = outlined.nonzero(as_tuple=True)
        return dict(
            loss_score=self.score_loss(
                prediction.scores.flatten()[:, None],
                (~targets.positive).flatten().long(),  # mmdet's 0 is the object
                targets.score_weights.flatten(),
                avg_factor=1,
            ),
            loss_centerness=self.centerness_loss(
                prediction.centerness[outlined],
                targets.centerness,
                avg_factor=outlined.sum().clamp_min(1),
            ),
            loss_rays=self.ray_loss(
                prediction.rays[image, :, row, column], targets.rays, targets.centerness
            ),
        )

    # Tracking

    def predict_ope(self, inputs: dict, data_samples: list) -> list[InstanceData]:
        """Start the objects given with frame 0, follow them in all others.

        Args:
            inputs: ``img`` (1, 1, 3, h, w), one frame as read.
            data_samples: one, with ``frame_id`` and, in frame 0, ``gt_instances``: boxes
                and, where there are any, masks.

        Returns:
            One InstanceData with an entry per object, in the given order, in pixels of the
            image: ``bboxes`` (N, 4), ``scores`` (N,), ``masks`` (N, h, w) boolean, and the
            stars' ``centers`` (N, 2) and ``rays`` (N, K).
        """
        if len(data_samples) != 1:
            raise ValueError(f'batch_size=1 expected in testing, got {len(data_samples)}')
        frame, sample = inputs['img'][0], data_samples[0]
        if sample.frame_id == 0:
            given = sample.gt_instances
            boxes = _as_boxes(given.bboxes)
            masks = given.masks.masks if 'masks' in given else [None] * len(boxes)
            self.start(frame, boxes, masks)
            return [describe(self.objects, frame.shape[-2:], masks)]
        self.follow(frame)
        return [describe(self.objects, frame.shape[-2:])]

    def init(self, img: Tensor) -> None:
        """Start the object whose box is in ``self.memo`` (mmtrack's VOT mode)."""
        self.start(img, bbox_cxcywh_to_xyxy(self.memo.bbox)[None], [None])

    def track(self, img: Tensor, data_samples: list) -> list[InstanceData]:  # noqa: ARG002
        """Follow in one more frame (mmtrack's VOT mode)."""
        self.follow(img)
        return [describe(self.objects, img.shape[-2:])]

    def start(self, frame: Tensor, boxes: Tensor, masks: list[np.ndarray | None]) -> None:
        """Forget all objects and remember these.

        Args:
            frame: (1, 3, h, w) as read.
            boxes: (N, 4) in pixels of the image.
            masks: N of (h, w), or None where only the box is known.

        Raises:
            ValueError: if an object has no pixel or its box no extent.
        """
        boxes = boxes.float().cpu()
        crops = [crop_around(box, self.template_size, self.template_size) for box in boxes]
        levels = self.extract_template(
            self._cut(frame, crops), template_masks(crops, boxes, masks)
        )
        self.objects = [
            TrackedObject(
                template=tuple(level[i : i + 1] for level in levels),
                star=first_star(box, mask, self.head.num_rays),
                box=box,
            )
            for i, (box, mask) in enumerate(zip(boxes, masks, strict=True))
        ]
        if self.calibrate_size or self.decoder.seeks_threshold:
            for item, look, mask in zip(
                self.objects, self._look(frame), masks, strict=True
            ):
                if self.calibrate_size:
                    item.calibrate_size(look)
                if self.decoder.seeks_threshold:
                    item.calibrate_threshold(look, self.decoder, mask)

    def follow(self, frame: Tensor) -> None:
        """Find all objects in the next frame, (1, 3, h, w) as read."""
        for item, look in zip(self.objects, self._look(frame), strict=True):
            item.update(look, self.decoder, frame.shape[-2:])

    def _look(self, frame: Tensor) -> list[Look]:
        """Look for each object in the crop around its last box."""
        crops = [
            crop_around(item.box, self.search_size, self.template_size)
            for item in self.objects
        ]
        template = tuple(
            torch.cat(level)
            for level in zip(*(item.template for item in self.objects), strict=True)
        )
        prediction = self.head(template, self.extract(self._cut(frame, crops)))
        prediction = PolarPrediction(*(part.float().cpu() for part in prediction))
        points = self.location_points(prediction)
        looks = []
        for item, crop, *maps in zip(self.objects, crops, *prediction, strict=True):
            maps = PolarPrediction(*maps)
            decoded = self.decoder.decode(
                maps,
                points,
                box_size(item.box) * crop.scale,
                crop.size,
                item.threshold,
            )
            looks.append(Look(crop, decoded))
        return looks

    def _cut(self, frame: Tensor, crops: list[Crop]) -> Tensor:
        """(N, 3, S, S) normalized crops of one frame (1, 3, h, w)."""
        image = frame[0].permute(1, 2, 0).cpu().numpy()
        cut = np.stack([crop.cut(image) for crop in crops])
        return self.data_preprocessor.normalize(torch.from_numpy(cut).permute(0, 3, 1, 2))


def _as_boxes(rows: Tensor) -> Tensor:
    """(N, 4) boxes of what mmtrack gives: one row or N, of 4 numbers or a quad of 8."""
    rows = rows.reshape(-1, rows.shape[-1])
    if rows.shape[-1] == 8:
        return torch.stack([bbox_cxcywh_to_xyxy(quad2bbox_cxcywh(row)) for row in rows])
    return rows
