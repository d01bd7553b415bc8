"""Region and contour accuracy of masks, as DAVIS defines them.

`DAVISMetric` needs mmengine and torch and is imported when it is asked for; all else does
without them.
"""

from __future__ import annotations

__all__ = ['DAVISMetric']


def __getattr__(name: str) -> type:
    if name == 'DAVISMetric':
        from siampolarmask_mm.evaluation.davis_metric import DAVISMetric

        return DAVISMetric
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
