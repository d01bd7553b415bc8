"""What segment_box finds in a box, and where it gives up."""

import cv2
import numpy as np
import pytest
import torch

from siampolarmask_mm.models.box_segmentation import segment_box

SIZE = 120, 160


def scene(seed=0):
    """A red disk in gray noise; its mask and box."""
    rng = np.random.default_rng(seed)
    image = rng.integers(90, 130, (*SIZE, 3), dtype=np.uint8)
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    disk = (rows - 60) ** 2 + (columns - 70) ** 2 <= 25**2
    image[disk] = image[disk] // 2 + (0, 0, 100)
    return image, disk, torch.tensor([45.0, 35.0, 96.0, 86.0])


def blind(told=None):
    """A network that finds nothing."""

    def look(box, mask):
        if told is not None:
            told.append((box, mask))
        return np.zeros(SIZE, bool), 0.1

    return look


def overlap(found, mask):
    return (found.astype(bool) & mask).sum() / (found.astype(bool) | mask).sum()


def test_colors_tell_an_object_from_its_box():
    image, disk, box = scene()
    found = segment_box(image, box, blind())
    assert found.dtype == np.uint8
    assert overlap(found, disk) > 0.97
    assert np.array_equal(segment_box(image.astype(np.float32), box, blind()), found)
    assert disk.sum() < 0.8 * 51 * 51  # which the whole box would be


def test_the_network_is_told_so_and_has_the_last_word_within_the_box():
    image, disk, box = scene()
    told = []
    assert segment_box(image, box, blind(told)) is not None
    assert told[0][0] is box
    assert overlap(told[0][1], disk) > 0.97
    seen = np.zeros(SIZE, bool)
    seen[50:110, 60:150] = True
    found = segment_box(image, box, lambda *_: (seen, 0.9))
    inside = np.zeros(SIZE, bool)
    inside[50:86, 60:96] = True
    assert np.array_equal(found, inside)


def test_it_does_not_depend_on_chance():
    """Not even of colors of which GrabCut sees now this, now that."""
    _, disk, box = scene()
    noise = np.random.default_rng(5).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(noise, (0, 0), 2)
    image = cv2.normalize(image, None, 0, 190, cv2.NORM_MINMAX)
    image[disk, 2] += 40
    found = []
    for seed in range(7, 12):
        cv2.setRNGSeed(seed)
        mask = segment_box(image, box, blind())
        found.append(0 if mask is None else mask.sum())
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    'box',
    [
        (0, 0, 160, 120),  # all of the image: there is nothing around it
        (-20, -20, 200, 200),
        (50, 50, 51.5, 51),  # too few pixels
        (159.9, 119.9, 300, 300),
        (float('nan'), 20, 60, 60),
    ],
)
def test_some_boxes_tell_nothing(box):
    image, _, _ = scene()
    box = torch.tensor(box, dtype=torch.float32)
    assert segment_box(image, box, blind()) is None


@pytest.mark.parametrize('color', [0, 128])
def test_where_all_has_one_color_nothing_is_found(color):
    image = np.full((*SIZE, 3), color, np.uint8)
    assert segment_box(image, torch.tensor([45.0, 35.0, 96.0, 86.0]), blind()) is None


@pytest.mark.parametrize('scale', [0.25, 3])
def test_objects_of_any_size_are_found(scale):
    image, disk, box = scene()
    size = [round(scale * side) for side in SIZE[::-1]]
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    disk = cv2.resize(disk.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    nothing = np.zeros(size[::-1], bool)
    found = segment_box(image, scale * box, lambda *_: (nothing, 0.0))
    assert overlap(found, disk) > 0.85
    rows, columns = np.nonzero(found)
    left, top, right, bottom = (scale * edge for edge in box.tolist())
    assert left - 0.5 <= columns.min() <= columns.max() <= right - 0.5
    assert top - 0.5 <= rows.min() <= rows.max() <= bottom - 0.5
