"""The tracker and its parts."""

from siampolarmask_mm.models.backbones import SOTMobileNetV2
from siampolarmask_mm.models.controls import (
    BoxDecoder,
    BoxHead,
    MaskVectorDecoder,
    MaskVectorHead,
    PixelDecoder,
    PixelHead,
)
from siampolarmask_mm.models.detect_then_track import DetectThenTrack
from siampolarmask_mm.models.guided_filter import GuidedFilter
from siampolarmask_mm.models.lost_and_found import LostAndFound
from siampolarmask_mm.models.mask_matching import MaskMatching
from siampolarmask_mm.models.mask_refiner import MaskRefiner
from siampolarmask_mm.models.near_mask_loss import NearMaskLoss
from siampolarmask_mm.models.polar_decoder import PolarDecoder
from siampolarmask_mm.models.polar_head import PolarHead
from siampolarmask_mm.models.polar_iou_loss import AreaIoULoss, PolarIoULoss
from siampolarmask_mm.models.polar_targets import PolarTargetAssigner
from siampolarmask_mm.models.preprocessor import CropPreprocessor
from siampolarmask_mm.models.previous_mask import PreviousMask
from siampolarmask_mm.models.siam_polarmask import SiamPolarMask
from siampolarmask_mm.models.side_by_side import SideBySide
from siampolarmask_mm.models.template_memory import TemplateMemory

__all__ = [
    'AreaIoULoss',
    'BoxDecoder',
    'BoxHead',
    'CropPreprocessor',
    'DetectThenTrack',
    'GuidedFilter',
    'LostAndFound',
    'MaskMatching',
    'MaskRefiner',
    'MaskVectorDecoder',
    'MaskVectorHead',
    'NearMaskLoss',
    'PixelDecoder',
    'PixelHead',
    'PolarDecoder',
    'PolarHead',
    'PolarIoULoss',
    'PolarTargetAssigner',
    'PreviousMask',
    'SOTMobileNetV2',
    'SiamPolarMask',
    'SideBySide',
    'TemplateMemory',
]
