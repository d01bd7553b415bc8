"""Write synthetic clips in the layout of DAVIS: python tools/make_clips.py ROOT.

Of objects out of still images: python tools/make_clips.py ROOT --stills ANNOTATIONS IMAGES
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from siampolarmask_mm.datasets import CocoPairDataset
from siampolarmask_mm.datasets.still_clips import StillClips
from siampolarmask_mm.datasets.synthetic import write_davis


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='Write clips of textured shapes that move, turn, grow, bend and hide '
        'each other, with their masks, in the layout of DAVIS.'
    )
    parser.add_argument('root', help='Folder to write into.')
    parser.add_argument('--train', type=int, default=40, help='Training clips (40).')
    parser.add_argument('--val', type=int, default=6, help='Validation clips (6).')
    parser.add_argument('--frames', type=int, default=40, help='Frames of a clip (40).')
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        default=(180, 320),
        metavar=('HEIGHT', 'WIDTH'),
        help='Of a frame of shapes, in pixels (180 320).',
    )
    parser.add_argument(
        '--stills',
        nargs=2,
        metavar=('ANNOTATIONS', 'IMAGES'),
        help="COCO's json and folder of images, whose objects are to move (none).",
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='Decides everything; one seed, one set of clips (0).',
    )
    return parser.parse_args()


def read_stills(annotations: str, images: str) -> StillClips:
    """What draws clips of COCO's objects of at least 64 x 64 pixels."""
    dataset = CocoPairDataset(
        annotations,
        data_prefix=dict(img_path=images),
        min_area=64**2,
        skip_invalid=True,
        same_category_prob=0,
        pipeline=[],
    )
    return StillClips(dataset)


def main() -> None:
    """Write the clips."""
    args = parse_args()
    write_davis(
        args.root,
        dict(train=args.train, val=args.val),
        num_frames=args.frames,
        size=tuple(args.size),
        seed=args.seed,
        draw=args.stills and read_stills(*args.stills),
    )
    print(f'{args.train + args.val} clips of {args.frames} frames in {args.root}')


if __name__ == '__main__':
    main()
