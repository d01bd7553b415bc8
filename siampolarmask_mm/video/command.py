"""The command ``siampolarmask``: ``siampolarmask track VIDEO ...``."""

from __future__ import annotations

import sys
import warnings
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path

from siampolarmask_mm.video.choices import OUTPUTS, PARTS

STOPPED = 130  # the exit status after Ctrl-C, as of shells
EXAMPLE = """
example:
  siampolarmask track walk.mp4 --box 120,80,260,400 --out walk
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status.

    Args:
        arguments: what stands after the program's name; ``sys.argv`` if not given.
    """
    args = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='pkg_resources is deprecated')
        warnings.showwarning = lambda message, *_, **__: _say(f'warning: {message}')
        try:
            return args.run(args)
        except (OSError, TypeError, ValueError) as error:
            _say(f'error: {error}')
            return 1
        except KeyboardInterrupt:  # before the first frame, or for the second time
            _say('stopped')
            return STOPPED


def track(args: Namespace) -> int:
    """Track objects in a video, see `siampolarmask track --help`."""
    # Here, since they take seconds, and --help needs none of them.
    from siampolarmask_mm.apis import load
    from siampolarmask_mm.video.reading import open_frames
    from siampolarmask_mm.video.results import ResultFolder
    from siampolarmask_mm.video.run import track_video

    reader = open_frames(args.source, args.fps)
    prompts = _prompts(args)
    tracker = load(args.config, args.checkpoint, device=args.device)
    results = ResultFolder(
        args.out or Path('tracked', reader.name),
        reader,
        tuple(name for name in OUTPUTS if not getattr(args, f'no_{name}')),
        tuple(args.draw),
        settings=dict(
            source=_whole(args.source),
            config=_whole(args.config),
            checkpoint=_whole(args.checkpoint),
            fps=args.fps,
        ),
        resume=args.resume,
        overwrite=args.overwrite,
    )
    if not prompts and results.memory is None:
        prompts = _ask(args)
    complete = track_video(reader, tracker, results, prompts, progress=not args.quiet)
    if reader.num_skipped:
        _say(f'frames that could not be read and were left out: {reader.num_skipped}')
    _say(f'results in {results.folder}')
    if not complete:
        way = '; --resume goes on' if results.can_go_on else ''
        if reader.can_repeat and not way:
            way = '; to resume an overlay, masks and csv would be needed'
        _say(f'stopped before the end{way}')
    return 0 if complete else STOPPED


def _whole(name: str | None) -> str | None:
    """A path from the root, so that it is the same from any folder; else as it is."""
    return str(Path(name).resolve()) if name and Path(name).exists() else name


def _ask(args: Namespace) -> dict:
    from siampolarmask_mm.video.clicking import ask_for_objects
    from siampolarmask_mm.video.reading import open_frames

    for frame in open_frames(args.source, args.fps):
        return ask_for_objects(frame.image[..., ::-1])
    raise ValueError(f'a video with frames expected, {args.source} has none')


def _prompts(args: Namespace) -> dict:
    from siampolarmask_mm.video.prompts import read_mask, read_numbers

    prompts = {}
    if args.mask is not None:
        prompts['mask'] = read_mask(args.mask)
    if args.box:
        prompts['box'] = [read_numbers(text, 4) for text in args.box]
    if args.point:
        prompts['point'] = [read_numbers(text, 2) for text in args.point]
    if args.labels:
        prompts['labels'] = args.labels
    return prompts


def _say(text: str) -> None:
    sys.stderr.write(f'siampolarmask: {text}\n')


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog='siampolarmask', description='Track objects in video.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    add_track(commands.add_parser)
    return parser


def add_track(add_parser: Callable[..., ArgumentParser]) -> None:
    """Add the command ``track`` by a function that makes its parser."""
    parser = add_parser(
        'track',
        help='follow objects of a video and write their masks',
        description='Follow objects from the first frame of a video, and write masks '
        '(PNG and COCO RLE), boxes and a video with the masks drawn over it.',
        epilog=EXAMPLE,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=track)
    parser.add_argument(
        'source', help='Video file, folder of images, number of a camera, or address.'
    )
    parser.add_argument(
        '--config',
        help='File of a config, or the name of one of ours (that of the trained tracker '
        'that comes with the package).',
    )
    parser.add_argument(
        '--checkpoint',
        help="File or address of weights that fit the config (the package's).",
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ... (a GPU, if there is one).')
    _add_prompts(parser)
    _add_outputs(parser)


def _add_prompts(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        'objects in the first frame (a window to click in, if there is a display)'
    )
    group.add_argument(
        '--mask', type=Path, help='PNG, 0 is background, each other value an object.'
    )
    group.add_argument(
        '--box', action='append', metavar='X1,Y1,X2,Y2', help='In pixels; repeatable.'
    )
    group.add_argument(
        '--point', action='append', metavar='X,Y', help='On an object; repeatable.'
    )
    group.add_argument(
        '--labels',
        type=int,
        nargs='+',
        help='One of 1 to 254 for each object: those of the mask, the boxes, the points '
        "(the mask's own, then the lowest free ones).",
    )


def _add_outputs(parser: ArgumentParser) -> None:
    group = parser.add_argument_group('results')
    group.add_argument(
        '--out', type=Path, help="Folder to write into (tracked/ and the video's name)."
    )
    for name, what in zip(
        OUTPUTS,
        ('overlay.mp4', 'masks/VIDEO/*.png', 'masks.json', 'boxes.csv'),
        strict=True,
    ):
        group.add_argument(
            f'--no-{name}', action='store_true', help=f'Do not write {what}.'
        )
    group.add_argument(
        '--draw',
        nargs='*',
        choices=PARTS,
        default=['masks', 'tags'],
        help='What the overlay shows (masks tags).',
    )
    group.add_argument(
        '--fps', type=float, help="Frames per second (the video's; 25 of a folder)."
    )
    earlier = group.add_mutually_exclusive_group()
    earlier.add_argument(
        '--resume', action='store_true', help='Go on where an earlier run stopped (off).'
    )
    earlier.add_argument(
        '--overwrite', action='store_true', help='Replace earlier results (off).'
    )
    group.add_argument('--quiet', action='store_true', help='Show no progress (off).')


if __name__ == '__main__':
    sys.exit(main())
