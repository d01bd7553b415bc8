"""What masks from true rays reach: python tools/ceiling.py PATH [--rays 36,72]."""

from __future__ import annotations

import csv
import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tabulate import tabulate

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.evaluation.ceiling import (
    Row,
    Truth,
    coco_truths,
    davis_truths,
    look_at,
    measure_ceiling,
    represent,
)
from siampolarmask_mm.visualization.ceiling import draw_ceiling

COLUMNS = ('representation', 'rays', 'J', 'F', 'J&F')


def ray_counts(text: str) -> list[int]:
    """Numbers like 36,72."""
    try:
        counts = [int(part) for part in text.split(',')]
    except ValueError:
        counts = []
    if not counts or min(counts) < 3:
        raise ArgumentTypeError(f'numbers from 3 on, like 36,72, expected, got {text!r}')
    return counts


def from_one(text: str) -> int:
    """A number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f'a number from 1 on expected, got {text!r}')
    return int(text)


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='J, F and J&F that ground-truth rays reach, by representation.'
    )
    parser.add_argument(
        'path', type=Path, help="A folder in DAVIS's layout, or COCO's instances json."
    )
    parser.add_argument(
        '--rays', type=ray_counts, default=[36, 72], help='Numbers of rays (36,72).'
    )
    parser.add_argument('--csv', type=Path, help='File for the table.')
    parser.add_argument(
        '--plot', type=Path, default=Path('ceiling.png'), help='Picture (ceiling.png).'
    )
    parser.add_argument(
        '--examples', type=Path, help='Where the drawn masks are from (PATH).'
    )
    parser.add_argument(
        '--split', help='List of sequences (ImageSets/2016/val.txt, else 2017).'
    )
    parser.add_argument(
        '--every', type=from_one, default=1, help='Take each n-th frame or instance (1).'
    )
    parser.add_argument(
        '--min-area', type=float, default=0, help='Of an instance, in pixels (0).'
    )
    parser.add_argument(
        '--workers', type=from_one, default=os.cpu_count(), help='Processes (all cores).'
    )
    return parser.parse_args()


def find_truths(path: Path, args: Namespace) -> Iterator[Truth]:
    """The masks below a folder or in a file."""
    if path.is_dir():
        return davis_truths(path, args.split, args.every)
    if path.is_file():
        return coco_truths(path, args.min_area, args.every)
    raise FileNotFoundError(f"a folder in DAVIS's layout or a file expected at {path}")


def draw_examples(truths: Sequence[Truth], num_rays: int) -> list[dict[str, np.ndarray]]:
    """The masks of each representation, cut to the object."""
    examples = []
    for truth in truths:
        stars = look_at(truth.mask, 127, 255, 8)
        masks = dict(represent(truth.mask, num_rays, stars), truth=truth.mask)
        rows, columns = np.nonzero(truth.mask)
        margin = 8
        window = (
            slice(max(rows.min() - margin, 0), rows.max() + margin),
            slice(max(columns.min() - margin, 0), columns.max() + margin),
        )
        examples.append({name: mask[window] for name, mask in masks.items()})
    return examples


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """The table as a file."""
    with path.open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([*row, row.mean] for row in rows)


def main() -> None:
    """Measure, print and draw."""
    args = parse_args()
    for path in filter(None, (args.csv, args.plot)):  # not only after the measurement
        path.parent.mkdir(parents=True, exist_ok=True)
    truths = list(find_truths(args.path, args))
    examples = list(find_truths(args.examples, args)) if args.examples else truths
    rows = measure_ceiling(truths, args.rays, args.workers)
    print(tabulate([[*row, row.mean] for row in rows], headers=COLUMNS, floatfmt='.3f'))
    if args.csv:
        write_csv(args.csv, rows)
    chosen = [examples[i] for i in np.linspace(0, len(examples) - 1, 5)[1:4].astype(int)]
    draw_ceiling(args.plot, rows, draw_examples(chosen, min(args.rays)))
    print(f'{len(truths)} masks; picture in {args.plot}')


if __name__ == '__main__':
    main()
