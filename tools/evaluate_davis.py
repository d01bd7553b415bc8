"""Score a folder of masks: python tools/evaluate_davis.py RESULTS DAVIS."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tqdm import tqdm

from siampolarmask_mm.davis_layout import read_split
from siampolarmask_mm.evaluation.davis_folder import MISSING, PROTOCOLS, score_folder
from siampolarmask_mm.evaluation.davis_scores import make_table, write_tables
from siampolarmask_mm.evaluation.references import NAMES
from siampolarmask_mm.evaluation.vot_export import write_trajectories


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='J and F of label images <sequence>/<frame>.png, as DAVIS defines '
        'them. docs/evaluation.md tells what each figure means.'
    )
    parser.add_argument('results', type=Path, help='Folder of masks to score.')
    parser.add_argument('davis', type=Path, help="Folder in DAVIS's layout.")
    parser.add_argument(
        '--protocol',
        choices=PROTOCOLS,
        default='2016',
        help='2016: all labels are one object; 2017: each is one (2016).',
    )
    parser.add_argument('--split', help='List of sequences (ImageSets/<protocol>/val.txt).')
    parser.add_argument('--csv', type=Path, help='Folder for the tables as files.')
    parser.add_argument(
        '--vot', type=Path, help='Folder for the masks as trajectories of the VOT toolkit.'
    )
    parser.add_argument('--plot', type=Path, help='Picture of J over time.')
    parser.add_argument(
        '--references',
        nargs='*',
        choices=NAMES,
        default=['still', 'box', 'star'],
        help='What to compare with (still box star).',
    )
    parser.add_argument(
        '--missing',
        choices=MISSING,
        default='error',
        help='What a missing frame is: an error, or an empty mask (error).',
    )
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='Processes (all cores).'
    )
    return parser.parse_args()


def main() -> None:
    """Score, print and write."""
    args = parse_args()
    # Many processes that each draw one star a frame: small rather than fast.
    os.environ.setdefault('SIAMPOLARMASK_NUMBA', '0')
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    split = args.split or f'ImageSets/{args.protocol}/val.txt'
    scored = score_folder(
        args.results,
        args.davis,
        protocol=args.protocol,
        split=split,
        references=args.references,
        missing=args.missing,
        workers=args.workers,
    )
    total = len(read_split(args.davis / split))
    objects = [
        item for sequence in tqdm(scored, total=total, unit='video') for item in sequence
    ]
    print(make_table(objects))
    if args.csv:
        write_tables(args.csv, objects)
    if args.vot:
        write_trajectories(args.results, args.davis, split, args.protocol, args.vot)
    if args.plot:
        from siampolarmask_mm.visualization.davis_curves import draw_curves

        draw_curves(args.plot, objects)


if __name__ == '__main__':
    main()
