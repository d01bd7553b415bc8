"""Masks, boxes and stars drawn over frames."""

from siampolarmask_mm.visualization.visualizer import MaskVisualizer

__all__ = ['MaskVisualizer']
