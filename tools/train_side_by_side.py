"""Train several trackers on the same pairs at once.

python tools/train_side_by_side.py WORK_DIR --row NAME CONFIG [key=value ...] --row ...
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner
from mmengine.runner.checkpoint import weights_to_cpu

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.engine.side_by_side import side_by_side


def main() -> None:
    """Train; the tracker of each row ends in WORK_DIR/NAME.pth."""
    parser = ArgumentParser(
        description='Train several trackers on the same pairs with one frozen backbone, in '
        'half the time, from the initial weights of their configs.'
    )
    parser.add_argument('work_dir', type=Path, help='Folder for logs and checkpoints.')
    parser.add_argument(
        '--row',
        dest='rows',
        nargs='+',
        action='append',
        required=True,
        metavar=('NAME', 'CONFIG'),
        help='A name (letters, digits, _), the file of a config, and settings to change in '
        'it, each key=value.',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help="Settings to change in all configs, before a row's own, each key=value "
        '(none).',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='Go on from the latest checkpoint in the work directory, with the same rows '
        '(off).',
    )
    args = parser.parse_args()
    configs = {}
    for name, *rest in args.rows:
        if not rest or name in configs or not name.isidentifier():
            parser.error(f'--row: a name of its own and a config expected, got {name}')
        options = [*args.cfg_options, *rest[1:]]
        if wrong := [option for option in options if '=' not in option]:
            parser.error(f'settings as key=value expected, got {wrong[0]}')
        configs[name] = read(rest[0], options)
    config = side_by_side(configs)
    config.work_dir = str(args.work_dir)
    config.resume = args.resume
    runner = Runner.from_cfg(config)
    runner.train()
    for name, tracker in runner.model.trackers.items():
        part = args.work_dir / f'{name}.pth.part'
        torch.save(dict(state_dict=weights_to_cpu(tracker.state_dict())), part)
        part.replace(part.with_suffix(''))


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
