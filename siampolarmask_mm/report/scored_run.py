"""What a report is about: scores, and where masks, truth and frames lie."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from siampolarmask_mm.davis_layout import read_split
from siampolarmask_mm.evaluation.davis_folder import score_folder
from siampolarmask_mm.evaluation.davis_scores import ObjectScores
from siampolarmask_mm.report.ranking import VideoScores, mean_figures

OPE = ('success', 'norm_precision', 'precision')


@dataclass(frozen=True)
class ScoredRun:
    """A test run, or a folder of masks.

    Attributes:
        title: what the report is called.
        objects: all that were scored.
        masks: folder of ``<sequence>/<frame>.png``.
        truths: the same of the true masks.
        frames: the same of the images, .jpg or .png.
        group: ``merged``, all labels are one object; ``all``, each is one; ``each``, each
            is one and has masks in a folder of its own, ``<sequence>_<label>``.
        may_miss: whether a mask without a file is an empty one.
        ope: success, normalized precision and precision of boxes, 0 to 100; may be empty.
        facts: what to say of the run, such as its config.
        notes: what the reader must know to read the figures right.
    """

    title: str
    objects: list[ObjectScores]
    masks: Path
    truths: Path
    frames: Path
    group: str
    may_miss: bool = False
    ope: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def videos(self) -> list[VideoScores]:
        """The scores by video, in the order in which the objects are.

        Raises:
            FileNotFoundError: if a video has no folder of true masks.
            ValueError: if it has more scores than true masks to score with.
        """
        names = dict.fromkeys(item.sequence for item in self.objects)
        return [
            self._video(name, [item for item in self.objects if item.sequence == name])
            for name in names
        ]

    def _video(self, name: str, objects: list[ObjectScores]) -> VideoScores:
        folder = self.truths / name
        stems = sorted(path.stem for path in folder.glob('*.png'))
        if not stems:
            raise FileNotFoundError(f'no label image (.png) in {folder}')
        scored = stems[1:-1]  # first and last do not count
        length = max(len(item.tracker) for item in objects)
        if not 0 < length <= len(scored):
            raise ValueError(
                f'scores of 1 to {len(scored)} frames expected, as {folder} has label '
                f'images between the first and the last, got {length} of {name}'
            )
        return VideoScores(name, objects, scored[len(scored) - length :])


def score_masks(
    masks: Path,
    davis: Path,
    *,
    protocol: str = '2016',
    split: str | None = None,
    references: Sequence[str] = ('still', 'box', 'star'),
    missing: str = 'error',
    workers: int = 1,
) -> ScoredRun:
    """Score a folder of masks; arguments and errors are those of `score_folder`."""
    split = split or f'ImageSets/{protocol}/val.txt'
    scored = score_folder(
        masks,
        davis,
        protocol=protocol,
        split=split,
        references=references,
        missing=missing,
        workers=workers,
    )
    return ScoredRun(
        title=masks.resolve().name,
        objects=[item for sequence in scored for item in sequence],
        masks=masks,
        truths=_resolution(davis / 'Annotations'),
        frames=_resolution(davis / 'JPEGImages'),
        group='merged' if protocol == '2016' else 'all',
        may_miss=missing == 'empty',
        facts=dict(masks=str(masks), data=str(davis), split=split, protocol=protocol),
    )


def _resolution(folder: Path) -> Path:
    """YouTube-VOS has no folder 480p."""
    return folder / '480p' if (folder / '480p').is_dir() else folder


def read_run(work_dir: Path) -> ScoredRun:
    """What ``tools/test.py`` left in a work directory and in its ``result_dir``.

    Relative paths in the run's config start where the test was run.

    Raises:
        FileNotFoundError: if the folder, the config, the scores or the data are missing.
        ValueError: if the config has not one DAVISMetric with ``result_dir``, or no dataset
            in the layout of DAVIS.
    """
    if not work_dir.is_dir():
        raise FileNotFoundError(f'no folder {work_dir}')
    path, config = _find_config(work_dir)
    metric = _find_metric(config, path)
    dataset = config.test_dataloader.dataset
    if dataset.type.rpartition('.')[2] not in ('DAVISDataset', 'YouTubeVOSDataset'):
        raise ValueError(f'a DAVISDataset expected in {path}, got {dataset.type}')
    masks = Path(metric.result_dir)
    objects = _read_objects(masks)
    default_split = '' if _is_davis(dataset) else 'meta.json'
    split = dataset.get('ann_file', default_split) or ''
    folder = '/480p' if _is_davis(dataset) else ''
    prefix = dataset.get('data_prefix') or {}
    root = Path(dataset.get('data_root') or '')
    run = ScoredRun(
        title=path.stem,
        objects=objects,
        masks=masks,
        truths=root / prefix.get('mask_path', f'Annotations{folder}'),
        frames=root / prefix.get('img_path', f'JPEGImages{folder}'),
        group=dataset.get('objects') or ('merged' if '2016' in split else 'all'),
        ope=_read_ope(work_dir, metric, mean_figures(objects)['J&F-Mean']),
        facts=dict(
            config=str(path),
            checkpoint=str(config.get('load_from') or 'none: random weights'),
            masks=str(masks),
            data=str(root),
            split=split or 'every video',
        ),
        notes=_find_missing(root / split, objects),
    )
    for place in (run.truths, run.frames):
        if not place.is_dir():
            raise FileNotFoundError(
                f"no folder {place}, the test's data; relative paths start where the test "
                'was run'
            )
    if run.ope and metric.get('resume'):
        run.notes.append('OPE is of the videos that were tested after --resume.')
    return run


def _is_davis(dataset: Config) -> bool:
    return dataset.type.rpartition('.')[2] == 'DAVISDataset'


def _find_config(work_dir: Path) -> tuple[Path, Config]:
    """The newest config that the runner has written."""
    paths = sorted(work_dir.glob('*.py'), key=lambda path: path.stat().st_mtime)
    if not paths:
        raise FileNotFoundError(
            f'the config (.py) of a test run expected in {work_dir}, got none; a folder of '
            'masks needs the folder of DAVIS beside it'
        )
    config = Config.fromfile(paths[-1])
    if not config.get('test_evaluator') or not config.get('test_dataloader'):
        raise ValueError(f'test_evaluator and test_dataloader expected in {paths[-1]}')
    return paths[-1], config


def _find_metric(config: Config, path: Path) -> Config:
    evaluators = config.test_evaluator
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    metrics = [item for item in evaluators if item.type.rpartition('.')[2] == 'DAVISMetric']
    if len(metrics) != 1 or not metrics[0].get('result_dir'):
        raise ValueError(
            f'one DAVISMetric with result_dir expected in {path}: test with --cfg-options '
            'test_evaluator.0.result_dir=FOLDER'
        )
    return metrics[0]


def _read_objects(masks: Path) -> list[ObjectScores]:
    # Imports torch, which reports on folders of masks may do without.
    from siampolarmask_mm.evaluation.davis_metric import read_scores

    if not masks.is_dir():
        raise FileNotFoundError(
            f"no folder {masks}, the test's result_dir; relative paths start where the "
            'test was run'
        )
    objects = [item for item in read_scores(masks) if item.tracker]
    if not objects:
        raise FileNotFoundError(f'scores of at least one video expected in {masks}')
    return sorted(objects, key=lambda item: (item.sequence, item.object_id))


def _find_missing(split: Path, objects: Iterable[ObjectScores]) -> list[str]:
    """A note if the split has videos without scores."""
    if split.suffix != '.txt':
        return []
    names = read_split(split)
    missing = sorted(set(names) - {item.sequence for item in objects})
    if not missing:
        return []
    return [
        f'{len(missing)} of the {len(names)} videos have no scores (was the test '
        f'interrupted?): {", ".join(missing)}.'
    ]


def _read_ope(work_dir: Path, metric: Config, mean: float) -> dict[str, float]:
    """OPE from the log of the newest test that has the same J&F."""
    name = f'{metric.get("prefix") or "davis"}/J&F-Mean'
    for path in sorted(work_dir.glob('*/*.json'), reverse=True):
        *_, last = path.read_text().splitlines() or ['']
        try:
            # Each process of a test appends its own copy, without a line's end.
            logged, _ = json.JSONDecoder().raw_decode(last)
        except ValueError:
            continue
        same = isinstance(logged, dict) and math.isclose(
            logged.get(name, math.inf), mean, abs_tol=1e-6
        )
        if same:
            return {key: logged[f'sot/{key}'] for key in OPE if f'sot/{key}' in logged}
    return {}
