"""How many training pairs a second: beside mmtrack's, in memory, and before a network.

    python benchmarks/data.py ANNOTATIONS IMAGES    # COCO's instances json and image folder

The first figures are of loaders with one worker of one thread, in turns: the pairs of our
MobileNetV2 config (masks, synthetic motion, occlusion, all augmentations), with the targets
of the loss, which the process that trains computes; and those of mmtrack's own SiamRPN++
config (boxes alone), of the same instances. The last line is one JSON object:
    samples_per_second: pairs, with masks and targets
    speedup_over_mmtrack: over mmtrack's pairs, with boxes alone
    mmtrack_samples_per_second
    ms: of each transform per pair, without a worker
    growth_mb: memory that the process and its worker gained over --samples pairs, after the
        first tenth
    data_time_share: of an iteration of the tiny network on these pairs, with two workers,
        as mmengine logs it
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from multiprocessing import active_children
from pathlib import Path

import cv2
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import Runner

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.datasets.reproducible import NumberedIndex
from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import PolarTargetAssigner
from siampolarmask_mm.models.first_frame import object_masks

CONFIGS = Path(__file__).parents[1] / 'configs' / 'siampolarmask'
OURS = 'siampolarmask_mobilenetv2_1xb64-100e_coco_test-davis2016.py'
TINY = 'siampolarmask_tiny_1xb8-1500i_synthetic.py'
MMTRACK = (
    Path(find_spec('mmtrack').origin).parent / '.mim/configs/sot/siamese_rpn'
    '/siamese-rpn_r50_8xb28-20e_imagenetvid-imagenetdet-coco_base.py'
)
BATCH = 16
ROUNDS = 6


def same_instances(path: Path, folder: Path) -> str:
    """A file of the instances that both are given: 32 x 32 pixels or more, no crowds."""
    content = json.loads(path.read_text())
    content['annotations'] = [
        a for a in content['annotations'] if not a.get('iscrowd') and a['area'] >= 32**2
    ]
    (folder / 'instances.json').write_text(json.dumps(content))
    return str(folder / 'instances.json')


def build(dataset: dict, annotations: str, images: Path, pipeline: list) -> object:
    """A dataset on other files."""
    files = dict(data_root='', ann_file=annotations, data_prefix=dict(img_path=str(images)))
    built = DATASETS.build(dict(dataset, **files, pipeline=pipeline))
    built.full_init()
    return built


def load(dataset: object, sampler: dict, collate_fn: dict) -> Iterator[dict]:
    """Batches without end, as the runner loads them with one worker."""
    loader = Runner.build_dataloader(
        dict(
            dataset=dataset,
            batch_size=BATCH,
            num_workers=1,
            persistent_workers=True,
            sampler=sampler,
            collate_fn=collate_fn,
        ),
        seed=0,
    )
    return iter(loader)


def consume(batches: Iterator[dict], number: int, size: int | None = None) -> float:
    """Seconds per pair of so many batches; with the loss's targets, if a size is given."""
    assigner = PolarTargetAssigner()
    points = location_points((27, 27), 8, size or 0, torch.zeros(1))
    start = time.perf_counter()
    for _ in range(number):
        batch = next(batches)
        if size:
            found = [sample.search_gt_instances for sample in batch['data_samples']]
            masks, is_outline = object_masks(found, size)
            assigner.assign(masks, points, is_outline)
    return (time.perf_counter() - start) / (number * BATCH)


def consume_fresh(batches: Iterator[dict], number: int, size: int | None = None) -> float:
    """As `consume`, of pairs made meanwhile, with the other loader's worker at rest."""
    time.sleep(1.5)  # until both loaders' queues are full
    for _ in range(4):  # what was made before, and as much again
        next(batches)
    return consume(batches, number, size)


def time_transforms(dataset: object) -> dict[str, float]:
    """Milliseconds per pair by transform, in this process."""
    spent: dict[str, float] = defaultdict(float)

    def clocked(transform: Callable) -> Callable:
        def run(results: object) -> object:
            start = time.perf_counter()
            results = transform(results)
            spent[type(transform).__name__] += time.perf_counter() - start
            return results

        return run

    plain = dataset.pipeline.transforms
    dataset.pipeline.transforms = [clocked(transform) for transform in plain]
    number = 10 * BATCH
    for i in range(number):
        dataset[NumberedIndex(i * 7919 % len(dataset), (0, i))]
    dataset.pipeline.transforms = plain
    return {name: round(1e3 * value / number, 3) for name, value in spent.items()}


def memory() -> float:
    """Megabytes of this process and its workers (Linux)."""
    total = 0
    for process in (os.getpid(), *(child.pid for child in active_children())):
        lines = Path(f'/proc/{process}/status').read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith('VmRSS'))
    return total / 1024


def data_time_share(dataset: dict, folder: Path) -> float:
    """Of the tiny network's iterations, after the first ones."""
    config = Config.fromfile(CONFIGS / TINY)
    pipeline = config.train_dataloader.dataset.pipeline
    (crop,) = (step for step in pipeline if step['type'] == 'CropPair')
    strong = [
        dict(step, template_size=crop.template_size, search_size=crop.search_size)
        if step['type'] == 'CropPair'
        else step
        for step in dataset['pipeline']
    ]
    config.train_dataloader.dataset = dict(dataset, pipeline=strong)
    config.train_dataloader.update(num_workers=2, persistent_workers=True)
    config.train_cfg.max_iters = 120
    config.default_hooks.logger.interval = 10
    config.work_dir, config.log_level = str(folder), 'WARNING'
    Runner.from_cfg(config).train()
    (log,) = folder.glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in log.read_text().splitlines()][2:]
    return sum(row['data_time'] for row in rows) / sum(row['time'] for row in rows)


def measure(args: Namespace, folder: Path) -> dict[str, object]:
    """The figures of this file's head."""
    annotations = same_instances(args.annotations, folder)
    config, theirs = Config.fromfile(CONFIGS / OURS), Config.fromfile(MMTRACK)
    dataset = build(
        config.train_dataloader.dataset, annotations, args.images, config.train_pipeline
    )
    stock = dict(type='SOTCocoDataset', _scope_='mmtrack')
    stock = build(stock, annotations, args.images, theirs.train_pipeline)
    endless = dict(type='InfiniteSampler')
    numbered = dict(type='NumberedSampler', sampler=endless)
    ours = load(dataset, numbered, config.train_dataloader.collate_fn)
    mmtracks = load(stock, endless, dict(type='pseudo_collate'))
    consume(ours, 4, config.model.search_size)
    consume(mmtracks, 4)
    seconds = [], []
    for _ in range(ROUNDS):
        seconds[0].append(consume_fresh(ours, 24, config.model.search_size))
        seconds[1].append(consume_fresh(mmtracks, 8))
    pair, mmtracks_pair = map(statistics.median, seconds)
    ms = time_transforms(dataset)
    number = args.samples // BATCH
    consume(ours, number // 10, config.model.search_size)
    before = memory()
    consume(ours, number - number // 10, config.model.search_size)
    growth = memory() - before
    del ours, mmtracks
    torch.set_num_threads(2)
    files = dict(data_root='', ann_file=annotations)
    small = dict(config.train_dataloader.dataset, **files, pipeline=config.train_pipeline)
    small['data_prefix'] = dict(img_path=str(args.images))
    return dict(
        samples_per_second=1 / pair,
        speedup_over_mmtrack=mmtracks_pair / pair,
        mmtrack_samples_per_second=1 / mmtracks_pair,
        ms=ms,
        growth_mb=growth,
        data_time_share=data_time_share(small, folder),
    )


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description='Time training pairs.')
    parser.add_argument('annotations', type=Path, help="COCO's instances json.")
    parser.add_argument('images', type=Path, help='The folder of its images.')
    parser.add_argument(
        '--samples',
        type=int,
        default=20_000,
        help='Pairs to watch the memory over (20000).',
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    init_default_scope('siampolarmask_mm')
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(args, Path(folder))
    print(json.dumps(figures))


if __name__ == '__main__':
    main()
