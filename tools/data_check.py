"""Validate a dataset before training: python tools/data_check.py PATH."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.datasets.data_check import check_data


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='Print a line for everything that is wrong with a dataset, then a '
        'line of counts. The layout is found out: labeled videos (DAVIS, YouTube-VOS), '
        'images with masks (DUTS), videos with boxes (GOT-10k, LaSOT, TrackingNet, OTB), '
        'or the json of COCO, YouTube-VIS or OVIS; a folder of several is checked one '
        'after another. Ends with status 1 if there is an error; warnings may be meant.'
    )
    parser.add_argument('path', type=Path, help='A folder, or a json file.')
    parser.add_argument(
        '--images',
        type=Path,
        help="Folder that a json file's images start from (looked for beside the file).",
    )
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='Threads (all cores).'
    )
    return parser.parse_args()


def main() -> None:
    """Check and print."""
    args = parse_args()
    num_errors = 0
    for report in check_data(args.path, args.images, num_workers=args.workers):
        for finding in report.findings:
            print(finding)
        print(report.summary, flush=True)
        num_errors += report.num_errors
    sys.exit(int(num_errors > 0))


if __name__ == '__main__':
    main()
