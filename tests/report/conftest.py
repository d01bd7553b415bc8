"""A folder in the layout of DAVIS, and masks whose J is known."""

import pytest
from moved_squares import SHIFTS, square, write_images, write_masks, write_split


@pytest.fixture
def davis(tmp_path):
    root = tmp_path / 'DAVIS'
    for name, shifts in SHIFTS.items():
        write_masks(root / 'Annotations/480p', name, [square(20)] * len(shifts))
        write_images(root / 'JPEGImages/480p', name, len(shifts))
    write_split(root, SHIFTS)
    return root


@pytest.fixture
def masks(tmp_path):
    root = tmp_path / 'masks'
    for name, shifts in SHIFTS.items():
        write_masks(root, name, [square(20 + shift) for shift in shifts])
    return root
