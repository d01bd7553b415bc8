"""SiamPolarMask: the network, and what it learns from.

Shape shorthand:
    N: training pairs    H, W: the score map    S: pixels of a crop
"""

from __future__ import annotations

import torch
from torch import Tensor

from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models.first_frame import object_masks
from siampolarmask_mm.models.inference import Inference
from siampolarmask_mm.models.mask_refiner import raw_confidences
from siampolarmask_mm.models.objects_tracker import ObjectsTracker
from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.models.polar_tracker import PolarTracker
from siampolarmask_mm.models.preprocessor import CropPreprocessor
from siampolarmask_mm.models.siamese_head import Prediction
from siampolarmask_mm.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class SiamPolarMask(ObjectsTracker):
    """A Siamese tracker that predicts star polygons.

    Args:
        backbone: config of a backbone at stride 8.
        head: config of a PolarHead, or another SiameseHead.
        assigner: config of a PolarTargetAssigner; its ``num_rays`` and ``stride`` are
            those of the head.
        decoder: config of a PolarDecoder, or of the one that the head belongs to.
        losses: configs by name: ``score``, ``centerness`` and that of the shape, which for
            a PolarHead is ``rays``.
        neck: config of a neck; none if not given.
        data_preprocessor: config of a CropPreprocessor.
        template_size: pixels of the template.
        search_size: pixels of the search crop.
        largest_scale: see PolarTracker; no limit if not given, as in the paper.
        template_cells: the template is its middle ``template_cells`` squared features.
        test_mode: ``OPE`` follows to the end, mmtrack's ``VOT`` starts anew after
            failures and needs vot-toolkit.
        calibrate_size: find each object once more in its own first frame and correct all
            later sizes by the factor that makes this one right. Predicted stars miss the
            tips of an outline, so that their boxes are a few percent too small, and each
            next crop is cut by the box before. Not in the paper.
        segment_boxes: find the mask of an object of which only a box is given: what GrabCut
            finds in it, and the network sees then. The whole box counts as the object if
            not, as in the paper.
        lost_and_found: config of a LostAndFound; objects are never lost if not given, as
            in the paper.
        previous_mask: config of a PreviousMask, for a head that looks at the mask of the
            frame before.
        memory: config of a TemplateMemory; the first frame alone if not given, as in the
            paper.
        refiner: config of a MaskRefiner for a union's confidence; the backbone then gives
            its fine features, the finest first, before the others, and ``losses`` has
            ``refined``, of the masks that are redrawn. None if not given, as in the paper.
            One star is never redrawn.
        inference: arguments of `Inference`: how the network is run in tracking.
        init_cfg: of mmengine's BaseModule.

    Raises:
        TypeError: if the preprocessor is another one.
        ValueError: if ``losses`` has other names, ``test_mode`` is none of these, or only
            one of ``previous_mask`` and the head's matching knows of masks of the frame
            before.

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
        largest_scale: float | None = None,
        template_cells: int = 7,
        test_mode: str = 'OPE',
        calibrate_size: bool = False,
        segment_boxes: bool = False,
        lost_and_found: dict | None = None,
        previous_mask: dict | None = None,
        memory: dict | None = None,
        refiner: dict | None = None,
        inference: dict | None = None,
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
        self.decoder = TASK_UTILS.build(decoder, default_args=self.head.decoder_args)
        self.refiner = None
        if refiner is not None:
            channels = dict(
                in_channels=self.head.reduce.out_channels, stride=self.head.stride
            )
            self.refiner = MODELS.build(refiner, default_args=channels)
        names = 'score', 'centerness', self.head.SHAPE
        if self.refiner is not None:
            names = *names, 'refined'
        if set(losses) != set(names):
            raise ValueError(f'losses of {names} expected, got {tuple(losses)}')
        self.score_loss = MODELS.build(losses['score'])
        self.centerness_loss = MODELS.build(losses['centerness'])
        self.shape_loss = MODELS.build(losses[self.head.SHAPE])
        self.refined_loss = refiner and MODELS.build(losses['refined'])
        self.previous_mask = previous_mask and TASK_UTILS.build(previous_mask)
        if self.head.uses_previous != (self.previous_mask is not None):
            raise ValueError(
                'previous_mask=dict(...) and a head whose matching has use_previous=True '
                f'expected, or neither, got previous_mask={previous_mask} and '
                f'use_previous={self.head.uses_previous}'
            )
        self.template_size = template_size
        self.search_size = search_size
        self.template_cells = template_cells
        if test_mode not in ('OPE', 'VOT'):
            raise ValueError(f"test_mode must be 'OPE' or 'VOT', got {test_mode!r}")
        self.test_cfg = dict(test_mode=test_mode)
        self.tracker = PolarTracker(
            self,
            calibrate_size=calibrate_size,
            segment_boxes=segment_boxes,
            largest_scale=largest_scale,
            lost_and_found=lost_and_found and TASK_UTILS.build(lost_and_found),
            memory=memory and TASK_UTILS.build(memory),
            inference=Inference(**(inference or {})),
        )

    def extract(self, crops: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, S, S) normalized crops to features per level."""
        return self.see(crops)[1]

    def see(self, crops: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """(N, 3, S, S) normalized crops to fine features and to features per level."""
        fine, levels = self._split(self.backbone(crops))
        return fine, self._adjust(levels)

    def _split(self, features: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], ...]:
        """The backbone's features: fine ones, and the others."""
        num_fine = 0 if self.refiner is None else len(self.refiner.strides)
        if len(features) <= num_fine:
            raise ValueError(
                f'{num_fine} fine features, the finest first, and others expected of the '
                f'backbone (its out_indices), since there is a refiner; got {len(features)}'
            )
        return features[:num_fine], features[num_fine:]

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
        return self._describe_template(self._split(self.backbone(crops))[1], masks)

    def _adjust(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return features if self.neck is None else self.neck(features)

    def _describe_template(
        self, features: tuple[Tensor, ...], masks: Tensor | None
    ) -> tuple[Tensor, ...]:
        levels = self._adjust(features)
        return self.head.describe_template(levels, masks, self.template_cells)

    def location_points(self, prediction: Prediction) -> Tensor:
        """(H, W, 2) where the locations look at, in pixels of the search crop."""
        return location_points(
            prediction.scores.shape[-2:],
            self.head.stride,
            self.search_size,
            prediction.scores.float(),
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
        template, search = (self.backbone(inputs[k][:, 0]) for k in ('img', 'search_img'))
        return self.loss_of_features(template, search, data_samples)

    def loss_of_features(
        self,
        template: tuple[Tensor, ...],
        search: tuple[Tensor, ...],
        data_samples: list,
    ) -> dict[str, Tensor]:
        """The same from the backbone's features per level, (N, C, ., .).

        Args:
            template: of the templates.
            search: of the search crops.
            data_samples: see `loss`.
        """
        known = [sample.gt_instances for sample in data_samples]
        masks, _ = object_masks(known, self.template_size)
        template = self._describe_template(self._split(template)[1], masks)
        fine, search = self._split(search)
        search = self._adjust(search)
        previous = None
        if self.previous_mask is not None:
            to_find = [sample.search_gt_instances for sample in data_samples]
            shown = object_masks(to_find, self.search_size)
            shown = (part.to(search[0].device) for part in shown)
            num_locations = self.head.num_locations(template, search)
            previous = self.previous_mask.make_up(*shown, num_locations, self.head.stride)
        features = self.head.compare(template, search, previous)
        prediction = self.head.predict(features)
        targets = self.find_targets(data_samples, self.location_points(prediction))
        losses = self._compare(prediction, targets)
        if self.refiner is not None:
            losses['loss_refined'] = self._refine(prediction, targets, fine, features)
        return losses

    def _refine(
        self,
        prediction: Prediction,
        targets: PolarTargets,
        fine: tuple[Tensor, ...],
        features: Tensor,
    ) -> Tensor:
        """The loss of masks redrawn, of pairs whose mask is known and not empty."""
        shown = targets.is_outline & targets.masks.flatten(1).any(1)
        shown = shown.nonzero()[: self.refiner.max_pairs, 0]
        if len(shown) == 0:  # of the refiner, which may be all that learns
            return sum(weight.sum() * 0 for weight in self.refiner.parameters())
        taken = type(prediction)(*(part[shown] for part in prediction))
        points = self.location_points(prediction)
        raw = raw_confidences(self.decoder, taken, points, self.search_size)
        raw = raw.to(features.device)
        fine = [part[shown].detach() for part in fine]
        logits = self.refiner(raw, fine, features[shown].detach())
        return self.refined_loss(logits, targets.masks[shown], raw)

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

    def _compare(self, prediction: Prediction, targets: PolarTargets) -> dict:
        outlined = targets.outlined
        losses = dict(
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
        )
        losses[f'loss_{self.head.SHAPE}'] = self.head.shape_loss(
            self.shape_loss, prediction, targets, self.location_points(prediction)
        )
        return losses
