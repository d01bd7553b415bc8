"""Training several trackers at once: their optimizers, and one config of many."""

from __future__ import annotations

import copy

from mmengine.config import Config
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapperDict
from torch import nn

from siampolarmask_mm.models.side_by_side import SideBySide
from siampolarmask_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS

TRAINING = (
    'train_dataloader',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'custom_hooks',
    'randomness',
)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class SideBySideConstructor(DefaultOptimWrapperConstructor):
    """Makes an optimizer wrapper, all alike, for each tracker of a `SideBySide`."""

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """By the trackers' names.

        Raises:
            TypeError: if the model is another one, or wrapped for several processes.
        """
        if not isinstance(model, SideBySide):
            raise TypeError(f'a SideBySide expected, got {type(model).__name__}')
        make = super().__call__
        return OptimWrapperDict(**{n: make(part) for n, part in model.trackers.items()})


def side_by_side(configs: dict[str, Config]) -> Config:
    """The config that trains the trackers of several configs at once.

    Nothing is tested during this training.

    Args:
        configs: of a training each, by the tracker's name.

    Raises:
        ValueError: if there are none, if the trainings differ, or if one starts from
            another training's weights (``load_from``) or has a constructor of its own for
            its optimizer.
    """
    if not configs:
        raise ValueError('one config at least expected, got none')
    for name, config in configs.items():
        _check(name, config, next(iter(configs.values())))
    together = copy.deepcopy(next(iter(configs.values())))
    trackers = {name: config.model for name, config in configs.items()}
    together.model = dict(type='SideBySide', trackers=trackers)
    together.optim_wrapper.constructor = 'SideBySideConstructor'
    for kind in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            together[f'{kind}_{part}'] = None
    return together


def _check(name: str, config: Config, first: Config) -> None:
    for part in TRAINING:
        if config.get(part) != first.get(part):
            raise ValueError(
                'trainings that differ in their models alone expected, got another '
                f'{part} in {name} than in the first'
            )
    if config.get('load_from'):
        raise ValueError(
            f'a training without load_from expected, {name} has {config.load_from}'
        )
    if 'constructor' in config.optim_wrapper:
        raise ValueError(
            'an optim_wrapper without constructor expected, '
            f'{name} has {config.optim_wrapper.constructor}'
        )
