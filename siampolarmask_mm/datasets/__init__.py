"""Datasets of videos and images with masks, and the transforms that make pairs of them."""

from siampolarmask_mm.datasets.batches import stack_pairs
from siampolarmask_mm.datasets.coco_pairs import CocoPairDataset
from siampolarmask_mm.datasets.davis import DAVISDataset
from siampolarmask_mm.datasets.reproducible import NumberedSampler, SeededDataset
from siampolarmask_mm.datasets.saliency import SaliencyPairDataset
from siampolarmask_mm.datasets.transforms import (
    BlurPair,
    ColorJitterPair,
    CropPair,
    LoadPair,
    MoveStill,
    Occlude,
    SamplePair,
)
from siampolarmask_mm.datasets.youtube_vis import YouTubeVISPairDataset
from siampolarmask_mm.datasets.youtube_vos import YouTubeVOSDataset

__all__ = [
    'BlurPair',
    'CocoPairDataset',
    'ColorJitterPair',
    'CropPair',
    'DAVISDataset',
    'LoadPair',
    'MoveStill',
    'NumberedSampler',
    'Occlude',
    'SaliencyPairDataset',
    'SamplePair',
    'SeededDataset',
    'YouTubeVISPairDataset',
    'YouTubeVOSDataset',
    'stack_pairs',
]
