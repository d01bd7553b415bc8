"""DAVISMetric: J and F of masks, for mmengine's test and validation loops."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from pycocotools import mask as coco_mask

from siampolarmask_mm.evaluation.davis_scores import (
    ObjectScores,
    average,
    make_table,
    write_tables,
)
from siampolarmask_mm.evaluation.references import fill_box, find_references
from siampolarmask_mm.label_images import write_labels
from siampolarmask_mm.registry import METRICS


@METRICS.register_module()
class DAVISMetric(BaseMetric):
    """Mean, recall and decay of J and F, and their mean J&F, per object and over objects.

    The first and the last annotated frame of a video are left out. An object that is given
    later (``given`` in the sample's instances) counts from the frame after that one; it is
    left out if there is none.
    A tracker that gives boxes alone is scored with filled boxes, and the table says so.
    Whether labels are one object (DAVIS-2016) or several (2017), the dataset says. Frames
    are scored as they come; nothing of a video is kept but its scores.

    Args:
        result_dir: folder for the masks, as indexed PNGs ``<video>/<frame>.png`` with the
            objects' labels, and for ``scores_<process>.jsonl``, which gets the scores of
            each video as it ends, so that an interrupted run loses no whole video; nothing
            is written if not given.
        csv_dir: folder for ``global_results.csv`` and ``per_sequence_results.csv``.
        zip_file: archive of the masks, as for a submission.
        references: what to score beside the tracker, see `find_references`.
        num_rays: of the references ``star`` and ``union``.
        resume: count what an interrupted run wrote as scored; the dataset leaves these
            videos out (``tools/test.py --resume`` sees to both).
        **kwargs: of mmengine's BaseMetric.

    Raises:
        ValueError: if a reference has another name, or ``zip_file`` or ``resume`` come
            without ``result_dir``.

    Source: DAVIS-2016 (Perazzi et al., CVPR 2016); the mean over objects is that of
    DAVIS-2017 (arXiv:1704.00675).
    """

    default_prefix = 'davis'

    def __init__(
        self,
        result_dir: str | None = None,
        *,
        csv_dir: str | None = None,
        zip_file: str | None = None,
        references: Sequence[str] = ('still', 'box', 'star'),
        num_rays: int = 36,
        resume: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        if result_dir is None and (zip_file or resume):
            raise ValueError('result_dir expected with zip_file and with resume, got none')
        self.references = find_references(references, num_rays)
        self.result_dir = None if result_dir is None else Path(result_dir)
        self.csv_dir = None if csv_dir is None else Path(csv_dir)
        self.zip_file = None if zip_file is None else Path(zip_file)
        self.resume = resume
        self._first_masks: list[np.ndarray | None] = []
        self._objects: list[ObjectScores] = []
        self._started = False

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
        self._start()
        for sample in data_samples:
            masks, truths = separate(sample), true_masks(sample)
            if len(masks) != len(truths):
                raise ValueError(
                    f'one prediction per object expected, got {len(masks)} for '
                    f'{len(truths)} in {sample["img_path"]}'
                )
            self._score(sample, masks, truths)
            if self.result_dir is not None:
                self._write(sample, masks)
            if sample['frame_id'] == sample['video_length'] - 1:
                self._finish_video(sample)

    def _score(self, sample: dict, masks: list, truths: list) -> None:
        is_first = sample['frame_id'] == 0
        is_last = sample['frame_id'] == sample['video_length'] - 1
        if is_first:
            self._first_masks = [None] * len(truths)
            self._objects = start_scores(sample)
        for i, instance in enumerate(sample['instances']):
            if instance.get('given', is_first):
                self._first_masks[i] = truths[i]
            elif not is_last and self._first_masks[i] is not None and truths[i] is not None:
                first = self._first_masks[i]
                self._objects[i].add_frame(masks[i], truths[i], first, self.references)
        if is_last and all(truth is None for truth in truths):
            for item in self._objects:  # then the last annotated frame does not count
                item.drop_last_frame()

    def _start(self) -> None:
        """Forget what an earlier run wrote, once, unless it is to be resumed."""
        if self._started or self.result_dir is None:
            return
        self._started = True
        for path in self.result_dir.glob('scores_*.jsonl'):
            process = int(path.stem.partition('_')[2])
            if self.resume and process == get_rank():
                text = path.read_text()
                path.write_text(text[: text.rfind('\n') + 1])  # without a line cut short
            elif not self.resume and (process == get_rank() or process >= get_world_size()):
                path.unlink(missing_ok=True)

    def _write(self, sample: dict, masks: Sequence[np.ndarray]) -> None:
        labels = np.zeros(sample['ori_shape'], dtype=np.uint8)
        for instance, mask in zip(sample['instances'], masks, strict=True):
            labels[mask] = instance.get('instance_id', 1)
        folder = self.result_dir / video_name(sample)
        folder.mkdir(parents=True, exist_ok=True)
        if sample['frame_id'] == 0:
            for path in folder.glob('*.png'):  # of an earlier run
                path.unlink()
        write_labels(folder / f'{Path(sample["img_path"]).stem}.png', labels)

    def _finish_video(self, sample: dict) -> None:
        self._objects = [item for item in self._objects if item.tracker]
        if not self._objects:
            raise ValueError(
                'annotated frames between the first and the last expected, '
                f'got none in {Path(sample["img_path"]).parent}'
            )
        self.results += self._objects
        if self.result_dir is not None:
            with (self.result_dir / f'scores_{get_rank()}.jsonl').open('a') as file:
                lines = (json.dumps(asdict(item)) + '\n' for item in self._objects)
                file.write(''.join(lines))
        self._objects = []

    def evaluate(self, size: int) -> dict[str, float]:
        """As mmengine's; the next frame then starts another run."""
        metrics = super().evaluate(size)
        self._started = False
        return metrics

    def compute_metrics(self, results: list[ObjectScores]) -> dict[str, float]:
        """Average over objects, log a table of them and write what was asked for.

        Returns:
            The tracker's `COLUMNS`, as fractions; of each reference ``J&F-Mean`` after its
            name.
        """
        if self.resume:
            done = {item.name for item in results}
            earlier = read_scores(self.result_dir)
            results = [item for item in earlier if item.name not in done] + results
        # One order, and so the same sums, from any number of processes.
        results = sorted(results, key=lambda item: (item.sequence, item.object_id))
        print_log('\n' + make_table(results), logger='current')
        if self.csv_dir is not None:
            write_tables(self.csv_dir, results)
        if self.zip_file is not None:
            zip_masks(self.result_dir, self.zip_file, {item.sequence for item in results})
        return average(results)


def read_scores(result_dir: Path) -> list[ObjectScores]:
    """What a run wrote, whole or interrupted; of an object scored twice, the last."""
    found = {}
    for path in sorted(result_dir.glob('scores_*.jsonl')):
        *lines, _ = path.read_text().split('\n')  # what has no line's end was cut short
        for number, line in enumerate(lines, start=1):
            try:
                item = ObjectScores(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise ValueError(f'scores expected in line {number} of {path}') from error
            found[item.name] = item
    return list(found.values())


def zip_masks(result_dir: Path, archive: Path, sequences: set[str]) -> None:
    """Pack ``<sequence>/<frame>.png`` of these sequences, and nothing else.

    Raises:
        FileNotFoundError: if a sequence has no masks, as when each of its objects was a
            video of its own.
    """
    for sequence in sequences:
        if not any((result_dir / sequence).glob('*.png')):
            raise FileNotFoundError(
                f"masks in {result_dir / sequence} expected for an archive; DAVISDataset's "
                "objects='each' writes every object into a folder of its own"
            )
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, 'w') as file:  # PNGs are compressed already
        for sequence in sorted(sequences):
            for path in sorted((result_dir / sequence).glob('*.png')):
                file.write(path, path.relative_to(result_dir))


def start_scores(sample: dict) -> list[ObjectScores]:
    """Empty scores of a video's objects."""
    has_masks = 'masks' in sample['pred_track_instances']
    sequence = Path(sample['img_path']).parent.name
    return [
        ObjectScores(sequence, int(instance.get('instance_id', 1)), has_masks=has_masks)
        for instance in sample['instances']
    ]


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
