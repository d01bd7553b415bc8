"""The arguments of tools/train.py and tools/test.py: those of mmtrack's tools."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.logging import print_log


def read_train_config(arguments: list[str] | None = None) -> Config:
    """The config that a command line of tools/train.py asks for.

    Args:
        arguments: what stands after the program's name; ``sys.argv`` if not given.
    """
    parser = _parser('Train a tracker with mmengine, as mmtrack does.')
    parser.add_argument(
        '--amp', action='store_true', help='Train with automatic mixed precision (off).'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='Scale the learning rate by the batch size, as auto_scale_lr in the config '
        'says (off).',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='Go on from the latest checkpoint in the work directory (off).',
    )
    args = parser.parse_args(arguments)
    config = _load(args)
    config.resume = args.resume
    if args.resume and Path(config.work_dir, 'last_checkpoint').is_file():
        config.load_from = None  # else mmengine would resume from there
    if args.amp:
        _enable_amp(config)
    if args.auto_scale_lr:
        if 'base_batch_size' not in config.get('auto_scale_lr', {}):
            raise ValueError(
                f'auto_scale_lr with base_batch_size expected in {args.config}'
            )
        config.auto_scale_lr.enable = True
    return config


def read_test_config(arguments: list[str] | None = None) -> Config:
    """The config that a command line of tools/test.py asks for.

    Args:
        arguments: what stands after the program's name; ``sys.argv`` if not given.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
    """
    parser = _parser('Test a tracker with mmengine, as mmtrack does.')
    parser.add_argument(
        'checkpoint', nargs='?', help='File or address of trained weights (random weights).'
    )
    parser.add_argument(
        '--checkpoint', dest='checkpoint_as_in_mmtrack', help='The same, as mmtrack has it.'
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='Leave out the videos that an interrupted test has written into the '
        'result_dir of DAVISMetric, and count their scores (off).',
    )
    args = parser.parse_args(arguments)
    config = _load(args)
    if args.resume:
        _resume_test(config)
    config.load_from = args.checkpoint or args.checkpoint_as_in_mmtrack
    is_address = '://' in (config.load_from or '')
    if config.load_from and not is_address and not Path(config.load_from).is_file():
        raise FileNotFoundError(f'no checkpoint at {config.load_from}')
    if config.load_from is None:
        print_log('no checkpoint is given: the weights are random')
    return config


def _parser(description: str) -> ArgumentParser:
    parser = ArgumentParser(description=description)
    parser.add_argument('config', help='File of the config.')
    parser.add_argument(
        '--work-dir', help="Folder for logs and results (work_dirs/ and the config's name)."
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='Settings to change in the config, each key=value, such as '
        'train_dataloader.batch_size=8 or key="[a,b]" (none).',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='What started the processes of a distributed run (none).',
    )
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help='Set by launchers (0).'
    )
    return parser


def _load(args: Namespace) -> Config:
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    config = Config.fromfile(args.config)
    if args.cfg_options is not None:
        config.merge_from_dict(args.cfg_options)
    config.launcher = args.launcher
    if args.work_dir is not None:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs', Path(args.config).stem))
    return config


def _resume_test(config: Config) -> None:
    from siampolarmask_mm.evaluation.davis_metric import read_scores

    evaluators = config.test_evaluator
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    metrics = [
        item
        for item in evaluators
        if item.type.rpartition('.')[2] == 'DAVISMetric' and item.get('result_dir')
    ]
    dataset = config.test_dataloader.dataset
    if dataset.type.rpartition('.')[2] != 'DAVISDataset':
        raise ValueError(f'--resume needs a DAVISDataset to test on, got {dataset.type}')
    if len(metrics) != 1:
        raise ValueError(
            f'--resume needs one DAVISMetric with result_dir, got {len(metrics)} in '
            'test_evaluator'
        )
    metrics[0].resume = True
    done = [item.name for item in read_scores(Path(metrics[0].result_dir))]
    dataset.leave_out = done


def _enable_amp(config: Config) -> None:
    wrapper = config.optim_wrapper
    if wrapper.type == 'AmpOptimWrapper':
        return
    if wrapper.type != 'OptimWrapper':
        raise ValueError(
            f'--amp needs an optim_wrapper of OptimWrapper, got {wrapper.type}'
        )
    wrapper.type = 'AmpOptimWrapper'
    wrapper.loss_scale = 'dynamic'
