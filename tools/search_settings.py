"""Search for a tracker's settings: python tools/search_settings.py CONFIG CHECKPOINT."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from mmengine.config import Config, DictAction

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.davis_layout import read_split
from siampolarmask_mm.search import SETTINGS, Scorer, Setting, read_setting, search


def setting(text: str) -> Setting:
    """As `read_setting`, for argparse."""
    try:
        return read_setting(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def parse_args() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(
        description='Search for the settings with the best J&F (Optuna), on videos that '
        'are neither trained nor tested on. Prints them as --cfg-options.'
    )
    parser.add_argument('config', help='File of the config.')
    parser.add_argument('checkpoint', help='File of the trained weights.')
    parser.add_argument(
        '--data-root',
        required=True,
        help="Folder of the videos to tune on, in DAVIS's layout.",
    )
    parser.add_argument(
        '--ann-file',
        default='',
        help='List of the videos below that folder (every one that has masks).',
    )
    parser.add_argument(
        '--search',
        type=setting,
        nargs='+',
        default=SETTINGS,
        metavar='KEY=LOWEST:HIGHEST',
        help='What to search for, or KEY=A,B,... (the window, the penalty, the rate of '
        'sizes and the reach of votes).',
    )
    parser.add_argument('--trials', type=int, default=50, help='Tests to make (50).')
    parser.add_argument('--seed', type=int, default=0, help='Of the search (0).')
    parser.add_argument(
        '--storage', help='File of a database; given again, the search goes on from it.'
    )
    parser.add_argument(
        '--work-dir', help="Folder for logs (work_dirs/search and the config's name)."
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='Settings to change in the config before the search (none).',
    )
    return parser.parse_args()


def videos(root: str, ann_file: str | None) -> set[str]:
    """Names of the videos in a folder of DAVIS's layout; none if it is not there."""
    if ann_file:
        path = Path(root, ann_file)
        return set(read_split(path)) if path.is_file() else set()
    return {path.name for path in Path(root, 'Annotations/480p').glob('*')}


def read_config(args: Namespace) -> Config:
    """The config, testing on the videos to tune on.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if the config tests on those videos.
    """
    if not Path(args.checkpoint).is_file():
        raise FileNotFoundError(f'no checkpoint at {args.checkpoint}')
    config = Config.fromfile(args.config)
    if args.cfg_options is not None:
        config.merge_from_dict(args.cfg_options)
    tested = config.test_dataloader.dataset
    shared = videos(tested.data_root, tested.get('ann_file')) & videos(
        args.data_root, args.ann_file
    )
    if shared:
        raise ValueError(
            f'videos that the config does not test on expected, got {sorted(shared)}'
        )
    tested.update(data_root=args.data_root, ann_file=args.ann_file, later_objects=True)
    config.load_from = args.checkpoint
    config.work_dir = args.work_dir or f'work_dirs/search_{Path(args.config).stem}'
    config.visualizer = dict(type='MaskVisualizer')
    return config


def main() -> None:
    """Search, and print the best settings."""
    args = parse_args()
    scorer = Scorer(read_config(args))
    before = scorer({})
    print(f'as in the config: J&F {before:.4f}', flush=True)
    study = search(
        scorer,
        args.search,
        num_trials=args.trials,
        seed=args.seed,
        storage=args.storage and f'sqlite:///{args.storage}',
        on_trial=lambda study, trial: print(
            f'{trial.number + 1}: J&F {trial.value:.4f}, best {study.best_value:.4f}',
            flush=True,
        ),
    )
    if study.best_value <= before:
        print('nothing better was found')
        return
    print(f'best: J&F {study.best_value:.4f}, with')
    for key, value in study.best_params.items():
        print(f'{key}={value:.6g}' if isinstance(value, float) else f'{key}={value}')


if __name__ == '__main__':
    main()
