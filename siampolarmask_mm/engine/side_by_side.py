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
    'load_from',
)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class SideBySideConstructor(DefaultOptimWrapperConstructor):
    """Makes an optimizer wrapper, all alike, for each tracker of a `SideBySide`."""

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """By the trackers' names."""
        assert isinstance(model, SideBySide)
        make = super().__call__
        return OptimWrapperDict(**{n: make(part) for n, part in model.trackers.items()})


def side_by_side(configs: dict[str, Config]) -> Config:
    """The config that trains the trackers of several configs at once.

    Nothing is tested during this training.

    Args:
        configs: of a training each, by the tracker's name.

    Raises:
        ValueError: if there are none, or the trainings differ.
    """
    if not configs:
        raise ValueError('one config at least expected, got none')
    (first_name, first), *others = configs.items()
    for name, other in others:
        for part in TRAINING:
            if first.get(part) != other.get(part):
                raise ValueError(
                    f'trainings that differ in their model alone expected, got another '
                    f'{part} in {name} than in {first_name}'
                )
    together = copy.deepcopy(first)
    trackers = {name: config.model for name, config in configs.items()}
    together.model = dict(type='SideBySide', trackers=trackers)
    together.optim_wrapper.constructor = 'SideBySideConstructor'
    for kind in ('val', 'test'):
        for part in ('cfg', 'dataloader', 'evaluator'):
            together[f'{kind}_{part}'] = None
    return together
