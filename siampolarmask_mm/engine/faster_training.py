"""AutocastOptimWrapper, ChannelsLastHook and FreezeHook: training in less time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

from siampolarmask_mm.registry import HOOKS, OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Computes losses in bfloat16 where torch's autocast deems it safe, on any device.

    mmengine's AmpOptimWrapper wants a GPU. Weights, their gradients and their steps stay in
    float32; bfloat16 has float32's range, so that losses need no scaling.

    Args are those of mmengine's OptimWrapper.
    """

    @contextlib.contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """What the runner computes losses within."""
        device = next(model.parameters()).device
        with super().optim_context(model), torch.autocast(device.type, torch.bfloat16):
            yield


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Lays weights, and with them features, out pixel by pixel, as convolutions prefer."""

    def before_train(self, runner: Runner) -> None:
        """Change the layout; values stay as they are."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.to(memory_format=torch.channels_last)


@HOOKS.register_module()
class FreezeHook(Hook):
    """Lets parts of a network stay as they are, so that others learn from them.

    Args:
        parts: names of submodules.

    Raises:
        TypeError: if ``parts`` is one name.
        AttributeError: when training starts, if the network has no such part.
        ValueError: when training starts in several processes that wait for gradients of
            all weights, as they do without ``find_unused_parameters=True`` in the config.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        if isinstance(parts, str):
            raise TypeError(f'a list of names of parts expected, got {parts!r}')
        self.parts = tuple(parts)

    def before_train(self, runner: Runner) -> None:
        """Weights get no gradients."""
        if not getattr(runner.model, 'find_unused_parameters', True):
            raise ValueError(
                'find_unused_parameters=True expected, since parts of the network that '
                f'several processes train are to stay: {self.parts}'
            )
        for part in self._frozen(runner):
            part.requires_grad_(False)

    def before_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        """Statistics of normalization stay, which mmengine's loops let move."""
        for part in self._frozen(runner):
            part.eval()

    def _frozen(self, runner: Runner) -> list[nn.Module]:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        return [model.get_submodule(name) for name in self.parts]
