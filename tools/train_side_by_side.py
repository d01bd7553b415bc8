"""Train several trackers on the same pairs at once.

python tools/train_side_by_side.py WORK_DIR --row NAME CONFIG [key=value ...] --row ...
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.engine.side_by_side import side_by_side


def main() -> None:
    """Train; the tracker of each row ends in WORK_DIR/NAME.pth."""
    parser = ArgumentParser(
        description='Train several trackers with one frozen backbone. Each becomes what '
        'tools/train.py would make of its config, in half the time.'
    )
    parser.add_argument('work_dir', type=Path, help='Folder for logs and checkpoints.')
    parser.add_argument(
        '--row',
        dest='rows',
        nargs='+',
        action='append',
        required=True,
        metavar=('NAME', 'CONFIG'),
        help='A name, the file of a config, and settings to change in it, each key=value.',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='Settings to change in all configs, each key=value (none).',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='Go on from the latest checkpoint in the work directory (off).',
    )
    args = parser.parse_args()
    configs = {}
    for name, *rest in args.rows:
        if not rest or name in configs or not name.isidentifier():
            parser.error(f'--row: a name of its own and a config expected, got {name}')
        configs[name] = read(rest[0], [*rest[1:], *args.cfg_options])
    config = side_by_side(configs)
    config.work_dir = str(args.work_dir)
    config.resume = args.resume
    runner = Runner.from_cfg(config)
    runner.train()
    for name, tracker in runner.model.trackers.items():
        torch.save(dict(state_dict=tracker.state_dict()), args.work_dir / f'{name}.pth')


def read(file: str, options: list[str]) -> Config:
    """The config of a row, with its options."""
    config = Config.fromfile(file)
    parser = ArgumentParser(usage='options are key=value')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    if options:
        changes = parser.parse_args(['--cfg-options', *options]).cfg_options
        config.merge_from_dict(changes)
    return config


if __name__ == '__main__':
    main()
