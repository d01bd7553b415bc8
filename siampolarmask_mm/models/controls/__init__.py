"""What the stars are compared with: other shapes on the same trunk, with the same scores.

A control has a head (layers, and the loss of its shape) and a decoder that belongs to it.
Template and search are compared as for stars, scores and centerness are learned from the
same targets, and the location is chosen by the same rule; only the shape differs.
"""

from siampolarmask_mm.models.controls.box import BoxDecoder, BoxHead
from siampolarmask_mm.models.controls.mask_vector import MaskVectorDecoder, MaskVectorHead
from siampolarmask_mm.models.controls.pixels import PixelDecoder, PixelHead

__all__ = [
    'BoxDecoder',
    'BoxHead',
    'MaskVectorDecoder',
    'MaskVectorHead',
    'PixelDecoder',
    'PixelHead',
]
