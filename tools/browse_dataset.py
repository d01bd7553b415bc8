"""Look at what a network is trained on: python tools/browse_dataset.py CONFIG."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import cv2
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.datasets.browse import draw_samples
from siampolarmask_mm.visualization.pairs import contact_sheet


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='Draw training pairs of a config: the template, the search crop with '
        'outline, positive locations and the rays of the most central one, and the map of '
        'classes. Green outlines are to be found, yellow ones belong to another object.'
    )
    parser.add_argument('config', help='Config with train_dataloader and model.')
    parser.add_argument(
        '--out', type=Path, default=Path('pairs.jpg'), help='Picture to write (pairs.jpg).'
    )
    parser.add_argument('--number', type=int, default=24, help='Pairs to draw (24).')
    parser.add_argument('--columns', type=int, default=3, help='Pairs in a row (3).')
    parser.add_argument('--seed', type=int, default=0, help='Of the samples (0).')
    parser.add_argument(
        '--show', action='store_true', help='Show a window as well, if there is a display.'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='Changes, key=value ...'
    )
    return parser.parse_args()


def main() -> None:
    """Draw."""
    args = parse_args()
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options or {})
    init_default_scope(config.get('default_scope', 'siampolarmask_mm'))
    pictures = list(draw_samples(config, args.number, args.seed))
    sheet = contact_sheet(pictures, args.columns)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(args.out), sheet[..., ::-1]):
        raise OSError(f'cannot write {args.out}')
    print(f'{len(pictures)} pairs in {args.out}')
    if args.show:
        import matplotlib.pyplot as plt

        plt.figure(args.config, figsize=(16, 10), layout='tight')
        plt.imshow(sheet)
        plt.axis('off')
        plt.show()


if __name__ == '__main__':
    main()
