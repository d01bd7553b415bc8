"""Transforms that turn two videos into a training pair: template and search crop.

In the order of a pipeline: ``SamplePair`` takes two frames, ``LoadPair`` reads them,
``MoveStill`` and ``Occlude`` add layers, ``CropPair`` cuts everything in one resampling,
``ColorJitterPair`` and ``BlurPair`` change colors. All draw from numpy's global generator,
which `siampolarmask_mm.datasets.SeededDataset` seeds sample by sample.
"""

from siampolarmask_mm.datasets.transforms.cropping import CropPair, LoadPair
from siampolarmask_mm.datasets.transforms.moving import MoveStill, Occlude
from siampolarmask_mm.datasets.transforms.photometric import BlurPair, ColorJitterPair
from siampolarmask_mm.datasets.transforms.sampling import SamplePair

__all__ = [
    'BlurPair',
    'ColorJitterPair',
    'CropPair',
    'LoadPair',
    'MoveStill',
    'Occlude',
    'SamplePair',
]
