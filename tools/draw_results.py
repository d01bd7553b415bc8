"""Draw predicted masks over frames: python tools/draw_results.py FRAMES MASKS OUT."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from siampolarmask_mm.visualization.results import draw_results


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='Draw masks that DAVISMetric wrote over their frames: a video and a '
        'strip of pictures for each of the first videos.'
    )
    parser.add_argument('frames', type=Path, help='Folder of frames: JPEGImages/480p.')
    parser.add_argument(
        'masks', type=Path, help="Folder of masks: DAVISMetric's result_dir."
    )
    parser.add_argument('out', type=Path, help='Folder to write into.')
    parser.add_argument(
        '--videos', type=int, default=3, help='How many videos at most (3).'
    )
    parser.add_argument('--pictures', type=int, default=5, help='Pictures in a strip (5).')
    parser.add_argument('--fps', type=float, default=15, help='Frames per second (15).')
    return parser.parse_args()


def main() -> None:
    """Draw and say where."""
    args = parse_args()
    for path in draw_results(
        args.frames, args.masks, args.out, args.videos, args.pictures, args.fps
    ):
        print(path)


if __name__ == '__main__':
    main()
