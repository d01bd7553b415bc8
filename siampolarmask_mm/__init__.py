"""SiamPolarMask: track an object in video and give its mask, as an OpenMMLab plugin."""

import importlib
from types import ModuleType

from siampolarmask_mm.openmmlab import install

__version__ = '0.1.0'

install()


def __getattr__(name: str) -> ModuleType:
    """``siampolarmask_mm.apis``, imported when it is first asked for."""
    if name == 'apis':
        return importlib.import_module('siampolarmask_mm.apis')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
