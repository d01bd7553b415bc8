"""DAVISMetric: J and F of masks, for mmengine's test and validation loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from pycocotools import mask as coco_mask
from tabulate import tabulate

from siampolarmask_mm.evaluation.region_contour import (
    contour_accuracy,
    region_similarity,
    statistics,
)
from siampolarmask_mm.polar import cast_rays, mask_outlines, star_masks
from siampolarmask_mm.registry import METRICS
from siampolarmask_mm.visualization.palette import write_labels

MEASURES = ('J', 'F')
COLUMNS = ('J-Mean', 'J-Recall', 'J-Decay', 'F-Mean', 'F-Recall', 'F-Decay')


@METRICS.register_module()
class DAVISMetric(BaseMetric):
    """Mean, recall and decay of J and F, and their mean J&F, per object and over objects.

    The first and the last frame of a video are left out, and frames without annotation.
    A tracker that gives boxes alone is scored with filled boxes.

    Args:
        result_dir: folder for the masks, as indexed PNGs ``<video>/<frame>.png`` with the
            objects' labels; not written if not given.
        references: what to score beside the tracker, to compare with: ``still`` (the first
            frame's true mask, never moved), ``box`` (the true box, filled) and ``star``
            (one star about the true center of mass: the most that one star can reach).
        num_rays: of the ``star``.
        **kwargs: of mmengine's BaseMetric.

    Raises:
        ValueError: if a reference has another name.

    Source: DAVIS-2016 (Perazzi et al., CVPR 2016); the mean over objects is that of
    DAVIS-2017 (arXiv:1704.00675).
    """

    default_prefix = 'davis'

    def __init__(
        self,
        result_dir: str | None = None,
        *,
        references: Sequence[str] = (),
        num_rays: int = 36,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        known: dict[str, Callable] = dict(
            still=lambda truth, first: first,  # noqa: ARG005
            box=lambda truth, first: fill_box(coco_box(truth), truth.shape),  # noqa: ARG005
            star=lambda truth, first: best_star(truth, num_rays),  # noqa: ARG005
        )
        unknown = sorted(set(references) - set(known))
        if unknown:
            raise ValueError(f'references among {sorted(known)} expected, got {unknown}')
        self.references = {name: known[name] for name in references}
        self.result_dir = None if result_dir is None else Path(result_dir)
        self._first_masks: list[np.ndarray] = []
        self._scores: list[dict[str, list]] = []

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:  # noqa: ARG002
        """Score one frame of each sample.

        Args:
            data_batch: not used.
            data_samples: with ``instances``, ``frame_id``, ``video_length``, ``ori_shape``,
                ``img_path`` and ``pred_track_instances``, which holds ``masks`` (N, H, W)
                or ``bboxes`` (N, 4) of the N instances in their order.

        Raises:
            ValueError: if there is not one prediction per instance, or a video has no frame
                to score.
        """
        for sample in data_samples:
            masks, truths = separate(sample), true_masks(sample)
            if len(masks) != len(truths):
                raise ValueError(
                    f'one prediction per object expected, got {len(masks)} for '
                    f'{len(truths)} in {sample["img_path"]}'
                )
            if sample['frame_id'] == 0:
                self._first_masks = truths
                self._scores = [
                    {name: [] for name in ('tracker', *self.references)} for _ in truths
                ]
            elif sample['frame_id'] < sample['video_length'] - 1:
                self._score_frame(masks, truths)
            if self.result_dir is not None:
                self._write(sample, masks)
            if sample['frame_id'] == sample['video_length'] - 1:
                self._finish_video(sample)

    def _score_frame(self, masks: Sequence[np.ndarray], truths: list) -> None:
        for number, (mask, truth) in enumerate(zip(masks, truths, strict=True)):
            if truth is None:
                continue
            candidates = dict(tracker=mask)
            for name, reference in self.references.items():
                candidates[name] = reference(truth, self._first_masks[number])
            for name, candidate in candidates.items():
                self._scores[number][name].append(
                    (
                        region_similarity(candidate, truth),
                        contour_accuracy(candidate, truth),
                    )
                )

    def _write(self, sample: dict, masks: Sequence[np.ndarray]) -> None:
        labels = np.zeros(sample['ori_shape'], dtype=np.uint8)
        for instance, mask in zip(sample['instances'], masks, strict=True):
            labels[mask] = instance.get('instance_id', 1)
        folder = self.result_dir / video_name(sample)
        folder.mkdir(parents=True, exist_ok=True)
        write_labels(folder / f'{Path(sample["img_path"]).stem}.png', labels)

    def _finish_video(self, sample: dict) -> None:
        for instance, scores in zip(sample['instances'], self._scores, strict=True):
            if not scores['tracker']:
                raise ValueError(
                    'annotated frames between the first and the last expected, '
                    f'got none in {Path(sample["img_path"]).parent}'
                )
            self.results.append(
                dict(
                    name=video_name(sample),
                    object_id=instance.get('instance_id', 1),
                    has_masks='masks' in sample['pred_track_instances'],
                    scores={name: np.array(values) for name, values in scores.items()},
                )
            )
        self._scores = []

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Average over objects, and log a table of them.

        Returns:
            The tracker's ``J&F-Mean`` and the columns of DAVIS, as fractions; of each
            reference ``J&F-Mean`` after its name.
        """
        rows = {}
        for name in ('tracker', *self.references):
            rows[name] = np.array([_row(result['scores'][name]) for result in results])
        metrics = dict(zip(('J&F-Mean', *COLUMNS), rows['tracker'].mean(0), strict=True))
        for name in self.references:
            metrics[f'{name}/J&F-Mean'] = rows[name][:, 0].mean()
        print_log('\n' + _table(results, rows), logger='current')
        return {name: float(value) for name, value in metrics.items()}


def predicted_masks(sample: dict) -> list[np.ndarray]:
    """N (H, W) boolean masks; filled boxes where the tracker gives no masks."""
    prediction = sample['pred_track_instances']
    if 'masks' in prediction:
        return list(torch.as_tensor(prediction['masks']).bool().cpu().numpy())
    boxes = torch.as_tensor(prediction['bboxes']).reshape(-1, 4).cpu().numpy()
    return [fill_box(box, sample['ori_shape']) for box in boxes]


def separate(sample: dict) -> list[np.ndarray]:
    """N (H, W) boolean masks, as a label image holds them: no pixel belongs to two.

    Where objects overlap, the pixel is that of the higher score, or of the later one if
    there are no scores or they are equal.
    """
    masks = predicted_masks(sample)
    scores = sample['pred_track_instances'].get('scores', torch.zeros(len(masks)))
    taken = np.zeros(sample['ori_shape'], dtype=bool)
    for i in sorted(range(len(masks)), key=lambda i: (float(scores[i]), i), reverse=True):
        masks[i] = masks[i] & ~taken
        taken |= masks[i]
    return masks


def true_masks(sample: dict) -> list[np.ndarray | None]:
    """N (H, W) boolean masks; None where the frame is not annotated."""
    return [
        coco_mask.decode(instance['mask']).astype(bool)
        if instance.get('annotated', 'mask' in instance)
        else None
        for instance in sample['instances']
    ]


def video_name(sample: dict) -> str:
    """As the dataset names it; else the folder of the frame."""
    return sample['instances'][0].get('video_name', Path(sample['img_path']).parent.name)


def fill_box(box_xyxy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) boolean: the pixels whose centers lie in a box, edges between pixels."""
    x1, y1, x2, y2 = np.round(np.nan_to_num(box_xyxy)).astype(int).clip(0)
    mask = np.zeros(size, dtype=bool)
    mask[y1:y2, x1:x2] = True
    return mask


def coco_box(mask: np.ndarray) -> np.ndarray:
    """(4,) the box (x1, y1, x2, y2) around a mask; zeros if it is empty."""
    if not mask.any():
        return np.zeros(4)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def best_star(mask: np.ndarray, num_rays: int) -> np.ndarray:
    """(H, W) boolean: the star of the true rays about the center of mass."""
    if not mask.any():
        return mask
    center = torch.tensor(np.argwhere(mask).mean(0)[::-1].copy(), dtype=torch.float32)
    outline = mask_outlines(torch.from_numpy(mask)[None])
    rays = cast_rays(outline, center[None], num_rays, 'last').lengths
    return star_masks(center[None], rays, mask.shape)[0].numpy()


def _row(scores: np.ndarray) -> list[float]:
    """J&F-Mean and the columns of one object's (T, 2) scores."""
    region, contour = (statistics(scores[:, i]) for i in range(len(MEASURES)))
    return [(region.mean + contour.mean) / 2, *region, *contour]


def _table(results: list[dict], rows: dict[str, np.ndarray]) -> str:
    references = [name for name in rows if name != 'tracker']
    names = [f'{result["name"]}/{result["object_id"]}' for result in results]
    has_masks = all(result['has_masks'] for result in results)
    names.append('mean' if has_masks else 'mean (filled boxes)')
    tracker = np.vstack([rows['tracker'], rows['tracker'].mean(0)])
    others = [np.append(rows[name][:, 0], rows[name][:, 0].mean()) for name in references]
    return tabulate(
        [
            [name, *line]
            for name, line in zip(names, np.column_stack([tracker, *others]), strict=True)
        ],
        headers=['object', 'J&F-Mean', *COLUMNS, *(f'{name} J&F' for name in references)],
        floatfmt='.3f',
    )
