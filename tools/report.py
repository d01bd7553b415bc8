"""A page about a test run, or about any masks: python tools/report.py WORK_DIR."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tqdm import tqdm

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.evaluation.davis_folder import MISSING, PROTOCOLS
from siampolarmask_mm.evaluation.references import NAMES
from siampolarmask_mm.report.page import Look, draw_sections, write_page
from siampolarmask_mm.report.scored_run import read_run, score_masks


def make_parser() -> ArgumentParser:
    """What the command line takes."""
    parser = ArgumentParser(
        description='Write one HTML file with the figures, curves and pictures of a test, '
        'the worst videos and frames first. It opens without a server or a network. With '
        'the work directory of tools/test.py alone, scores and masks are those of the '
        'run; with a folder of masks and that of DAVIS, the masks are scored first. '
        'docs/report.md tells what the page shows.'
    )
    parser.add_argument(
        'results', type=Path, help="A run's work directory, or a folder of masks."
    )
    parser.add_argument(
        'davis', type=Path, nargs='?', help="For masks: the folder in DAVIS's layout."
    )
    parser.add_argument(
        '--out',
        type=Path,
        help='File to write (report.html, in the work directory if there is one).',
    )
    parser.add_argument(
        '--title', help="Heading of the page (the config's or folder's name)."
    )
    _add_scoring(parser)
    _add_look(parser)
    return parser


def _add_scoring(parser: ArgumentParser) -> None:
    group = parser.add_argument_group('how a folder of masks is scored')
    group.add_argument(
        '--protocol',
        choices=PROTOCOLS,
        default='2016',
        help='2016: all labels are one object; 2017: each is one (2016).',
    )
    group.add_argument('--split', help='List of sequences (ImageSets/<protocol>/val.txt).')
    group.add_argument(
        '--references',
        nargs='*',
        choices=NAMES,
        default=['still', 'box', 'star'],
        help='What to compare with (still box star).',
    )
    group.add_argument(
        '--missing',
        choices=MISSING,
        default='error',
        help='What a missing frame is: an error, or an empty mask (error).',
    )
    group.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='Processes (all cores).'
    )


def _add_look(parser: ArgumentParser) -> None:
    look = Look()
    group = parser.add_argument_group('how large the page becomes')
    for name, help_text in (
        ('num-pictures', 'Pictures of each video, evenly spaced'),
        ('num-worst', 'Worst frames of each video'),
        ('picture-width', 'Width of both in pixels'),
        ('num-frames', 'Frames of a player at most; 0 for no players'),
        ('player-width', 'Width of a player in pixels'),
        ('quality', 'Quality of players from 1 to 100'),
    ):
        default = getattr(look, name.replace('-', '_'))
        help_text = f'{help_text} ({default}).'
        group.add_argument(f'--{name}', type=int, default=default, help=help_text)
    group.add_argument(
        '--fps', type=float, default=look.fps, help=f'Frames per second ({look.fps:g}).'
    )


def main() -> None:
    """Collect, draw and write, or say in a line why not."""
    args = make_parser().parse_args()
    try:
        print(_write(args))
    except (OSError, ValueError) as error:
        raise SystemExit(f'report.py: {error}') from error


def _write(args: Namespace) -> Path:
    look = Look(
        args.num_pictures,
        args.num_worst,
        args.picture_width,
        args.num_frames,
        args.player_width,
        args.quality,
        args.fps,
    )
    if args.davis is None:
        run = read_run(args.results)
        out = args.out or args.results / 'report.html'
    else:
        run = score_masks(
            args.results,
            args.davis,
            protocol=args.protocol,
            split=args.split,
            references=args.references,
            missing=args.missing,
            workers=args.workers,
        )
        out = args.out or Path('report.html')
    total = len({item.sequence for item in run.objects})
    sections = list(tqdm(draw_sections(run, look), total=total, unit='video'))
    write_page(out, run, sections, args.title)
    return out


if __name__ == '__main__':
    main()
