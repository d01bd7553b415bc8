"""What siampolarmask_mm.label_images promises of masks."""

import numpy as np
import pytest

from siampolarmask_mm.datasets.mask_tracks import encode_mask
from siampolarmask_mm.label_images import encode_labels


@pytest.mark.parametrize(
    'labels',
    [
        [[0, 0], [0, 0]],  # nothing
        [[7, 7], [7, 7]],  # everything
        [[0, 1, 1], [2, 2, 1], [255, 2, 0]],  # neighbors of each other
        [[1, 0], [0, 1]],  # the first and the last pixel
    ],
)
def test_labels_are_encoded_as_each_of_their_masks(labels):
    labels = np.array(labels, np.uint8)
    expected = {int(i): encode_mask(labels == i) for i in np.unique(labels) if i}
    assert encode_labels(labels) == expected


def test_any_labels_are_encoded_as_each_of_their_masks():
    for seed in range(20):
        labels = np.random.default_rng(seed).integers(0, 4, (7, 11)).astype(np.uint8)
        assert encode_labels(labels) == {i: encode_mask(labels == i) for i in (1, 2, 3)}
