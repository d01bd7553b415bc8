"""This package's registries: children of mmengine's, scope ``siampolarmask_mm``.

mmengine imports this module by itself when a config's ``default_scope`` or a prefix names
the package, and each registry imports the modules that fill it when it is first asked.
"""

from __future__ import annotations

from mmengine import registry as mmengine
from mmengine.registry import Registry
from mmtrack import registry as mmtrack


class _SharedRegistry(Registry):
    """A registry that tells mmtrack's registry of the same kind whatever it learns."""

    def __init__(self, parent: Registry, shared_with: Registry, module: str) -> None:
        super().__init__(
            parent.name,
            parent=parent,
            scope='siampolarmask_mm',
            locations=[f'siampolarmask_mm.{module}'],
        )
        self._shared_with = shared_with

    def register_module(
        self,
        name: str | list[str] | None = None,
        force: bool = False,
        module: type | None = None,
    ) -> type:
        """As mmengine's, for both registries."""
        if module is None:
            return lambda decorated: self.register_module(name, force, decorated)
        self._shared_with.register_module(name, force, module)
        return super().register_module(name, force, module)


def _child(parent: Registry) -> Registry:
    """A registry that stays empty."""
    package = 'siampolarmask_mm'
    return Registry(parent.name, parent=parent, scope=package, locations=[package])


# What this package defines.
MODELS = _SharedRegistry(mmengine.MODELS, mmtrack.MODELS, 'models')
TASK_UTILS = _SharedRegistry(mmengine.TASK_UTILS, mmtrack.TASK_UTILS, 'models')
DATA_SAMPLERS = _SharedRegistry(mmengine.DATA_SAMPLERS, mmtrack.DATA_SAMPLERS, 'datasets')
DATASETS = _SharedRegistry(mmengine.DATASETS, mmtrack.DATASETS, 'datasets')
TRANSFORMS = _SharedRegistry(mmengine.TRANSFORMS, mmtrack.TRANSFORMS, 'datasets')
METRICS = _SharedRegistry(mmengine.METRICS, mmtrack.METRICS, 'evaluation.davis_metric')
VISUALIZERS = _SharedRegistry(mmengine.VISUALIZERS, mmtrack.VISUALIZERS, 'visualization')
HOOKS = _SharedRegistry(mmengine.HOOKS, mmtrack.HOOKS, 'engine')
OPTIM_WRAPPERS = _SharedRegistry(mmengine.OPTIM_WRAPPERS, mmtrack.OPTIM_WRAPPERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _SharedRegistry(
    mmengine.OPTIM_WRAPPER_CONSTRUCTORS, mmtrack.OPTIM_WRAPPER_CONSTRUCTORS, 'engine'
)

# What it only uses: mmengine warns about a scope that lacks one of these.
EVALUATOR = _child(mmengine.EVALUATOR)
LOG_PROCESSORS = _child(mmengine.LOG_PROCESSORS)
LOOPS = _child(mmengine.LOOPS)
MODEL_WRAPPERS = _child(mmengine.MODEL_WRAPPERS)
OPTIMIZERS = _child(mmengine.OPTIMIZERS)
PARAM_SCHEDULERS = _child(mmengine.PARAM_SCHEDULERS)
RUNNERS = _child(mmengine.RUNNERS)
VISBACKENDS = _child(mmengine.VISBACKENDS)
WEIGHT_INITIALIZERS = _child(mmengine.WEIGHT_INITIALIZERS)
