"""What CropPreprocessor promises."""

import numpy as np
import torch
from torch.testing import assert_close

from siampolarmask_mm.models import CropPreprocessor


def batch(images):
    return dict(inputs=dict(img=images), data_samples=[None] * len(images))


def test_crops_are_normalized_as_in_training():
    preprocessor = CropPreprocessor(mean=[10, 20, 30], std=[2, 4, 5], bgr_to_rgb=True)
    crop = np.array([50, 40, 30], dtype=np.uint8).reshape(1, 1, 1, 3)  # B, G, R
    # R 30: (30 - 10) / 2, G 40: (40 - 20) / 4, B 50: (50 - 30) / 5.
    expected = torch.tensor([10.0, 5.0, 4.0]).view(1, 3, 1, 1)
    assert_close(preprocessor.normalize(crop), expected)


def test_without_mean_crops_stay_as_read():
    crop = np.array([50, 40, 30], dtype=np.uint8).reshape(1, 1, 1, 3)
    expected = torch.tensor([50.0, 40.0, 30.0]).view(1, 3, 1, 1)
    assert_close(CropPreprocessor().normalize(crop), expected)


def test_frames_keep_their_type_and_are_not_normalized():
    preprocessor = CropPreprocessor(mean=[10, 20, 30], std=[2, 4, 5])
    frame = torch.full((1, 3, 4, 5), 7, dtype=torch.uint8)
    data = preprocessor(batch([frame]), training=False)
    assert torch.equal(data['inputs']['img'], frame[None])
