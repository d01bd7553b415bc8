"""Region and contour accuracy of masks, as DAVIS defines them."""

from siampolarmask_mm.evaluation.davis_metric import DAVISMetric

__all__ = ['DAVISMetric']
