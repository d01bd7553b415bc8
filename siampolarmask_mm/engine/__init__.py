"""What makes mmengine's runner train faster on CPUs, or several trackers at once."""

from siampolarmask_mm.engine.faster_training import (
    AutocastOptimWrapper,
    ChannelsLastHook,
    FreezeHook,
)
from siampolarmask_mm.engine.side_by_side import SideBySideConstructor

__all__ = [
    'AutocastOptimWrapper',
    'ChannelsLastHook',
    'FreezeHook',
    'SideBySideConstructor',
]
