"""What a tracker's masks lack, by cause: python tools/split_errors.py CONFIG CHECKPOINT."""

from __future__ import annotations

import csv
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np
from mmengine.config import Config, DictAction
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import load_checkpoint
from tabulate import tabulate

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.evaluation.error_split import read_frames, split_errors
from siampolarmask_mm.visualization.error_curves import draw_errors

COLUMNS = ('tracked', 'placed', 'ceiling', 'place', 'shape', 'representation')


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='Mean J of a tracker; of the same if each frame starts from the truth '
        'of the one before; of the same if the head is right as well; and what lies '
        "between. On the config's test videos, each of which counts once."
    )
    parser.add_argument('config', help='File of the config.')
    parser.add_argument('checkpoint', help='File or address of the trained weights.')
    parser.add_argument('--csv', type=Path, help='File for the table.')
    parser.add_argument('--plot', type=Path, help='Picture of the same over time.')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='Settings to change in the config, each key=value (none).',
    )
    return parser.parse_args()


def main() -> None:
    """Print the table, a row per video."""
    args = parse_args()
    for file in filter(None, (args.csv, args.plot)):
        file.parent.mkdir(parents=True, exist_ok=True)  # not only after the work
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options)
    init_default_scope(config.get('default_scope'))
    model = MODELS.build(config.model).eval()
    load_checkpoint(model, args.checkpoint, map_location='cpu')
    dataset = DATASETS.build(config.test_dataloader.dataset)
    found = []
    for video in range(dataset.num_videos):
        frames = read_frames(dataset, video)
        name = Path(frames[0].batch['data_samples'][0].img_path).parent.name
        found.append((name, split_errors(model, frames)))
        print(name, flush=True)
    rows = [
        [name, *(getattr(errors, column).mean() for column in COLUMNS)]
        for name, errors in found
    ]
    rows.append(['mean', *np.mean([row[1:] for row in rows], axis=0).tolist()])
    print(tabulate(rows, headers=['video', *COLUMNS], floatfmt='.3f'))
    if args.csv is not None:
        with args.csv.open('w', newline='') as file:
            writer = csv.writer(file)
            writer.writerow(['video', *COLUMNS])
            writer.writerows([row[0], *(f'{x:.4f}' for x in row[1:])] for row in rows)
    if args.plot is not None:
        draw_errors(args.plot, found)


if __name__ == '__main__':
    main()
