"""What `siampolarmask_mm.models.results` promises: pasted masks that share no pixel."""

import numpy as np
import pytest
import torch

from siampolarmask_mm.crops import Crop
from siampolarmask_mm.models.confidence import paste_confidence
from siampolarmask_mm.models.decoded import Choice, Decoded, Star
from siampolarmask_mm.models.results import (
    Patch,
    describe,
    draw_masks,
    separate,
    separate_all,
)
from siampolarmask_mm.models.tracked_object import Look, TrackedObject

STAR = Star(torch.tensor([30.0, 20.0]), torch.full((8,), 6.0))


def look(confidence, crop):
    return Look(crop, Decoded(Choice(STAR, 0.9, 1.0), lambda: confidence))


def report(items, size=(40, 60)):
    patches = draw_masks(items, 'visible_union', size)
    separate_all(patches)
    return describe(items, patches, 8, size)


def interpolate(confidence, crop, x, y):
    """Bilinear, by hand, at a pixel of the image; what lies outside the crop is 0."""
    column, row = crop.from_image(torch.tensor([x, y], dtype=torch.float64)).tolist()
    left, top = int(np.floor(column)), int(np.floor(row))
    right, below = column - left, row - top
    padded = np.pad(confidence, 1)

    def at(i, j):
        if -1 <= i <= len(confidence) and -1 <= j <= len(confidence):
            return padded[j + 1, i + 1]
        return 0.0

    return (
        at(left, top) * (1 - right) * (1 - below)
        + at(left + 1, top) * right * (1 - below)
        + at(left, top + 1) * (1 - right) * below
        + at(left + 1, top + 1) * right * below
    )


@pytest.mark.parametrize('scale', [0.4, 1.0, 2.3])
def test_confidence_is_pasted_where_it_was_seen(scale):
    generator = np.random.default_rng(0)
    confidence = generator.random((9, 9), dtype=np.float32)
    crop = Crop((14.3, 10.8), scale, 9)
    part = (3, 2, 27, 19)
    pasted = paste_confidence(torch.from_numpy(confidence), crop, part)
    assert pasted.shape == (17, 24)
    expected = [
        [interpolate(confidence, crop, x, y) for x in range(3, 27)] for y in range(2, 19)
    ]
    # OpenCV interpolates in steps of 1 / 32 of a pixel.
    assert np.abs(pasted - np.array(expected)).max() < 0.05


def union_object(confidence, crop, **state):
    item = TrackedObject([()], STAR, torch.tensor([24.5, 14.5, 36.5, 26.5]), **state)
    item.look = look(confidence, crop)
    return item


def test_a_pasted_mask_is_that_of_the_whole_crop_pasted_into_the_whole_image():
    """Though only the object's part of both is touched."""
    confidence = torch.zeros(33, 33)
    confidence[10:20, 5:25] = 0.9
    for center in ((30.0, 20.0), (2.0, 3.0), (58.0, 39.0)):  # at the image's borders, too
        crop = Crop(center, 1.4, 33)
        item = union_object(confidence, crop)
        result = report([item])
        expected = [
            [interpolate(confidence.numpy(), crop, x, y) > 0.5 for x in range(60)]
            for y in range(40)
        ]
        wrong = result.masks[0].numpy() != np.array(expected)
        assert wrong.sum() <= 2  # of OpenCV's steps
        assert result.masks.any()


def test_a_pasted_mask_ends_where_confidence_falls_below_one_half():
    """Almost at the center of the crop's next pixel, 2.5 pixels of the image on."""
    confidence = torch.full((13, 13), 0.49)
    confidence[5:8, 4:9] = 0.9
    # Pixel 6 of the crop is the pixel (30, 20); 4 and 8 are at 25 and 35, 5 and 7 at 17.5
    # and 22.5. 0.5 is 40 / 41 of the way to the next ones: 2.44 pixels.
    masks = report([union_object(confidence, Crop((30.0, 20.0), 0.4, 13))]).masks[0]
    rows, columns = masks.nonzero().unbind(1)
    assert (columns.min(), columns.max()) == (23, 37)
    assert (rows.min(), rows.max()) == (16, 24)


def test_an_object_outside_the_image_has_an_empty_mask():
    confidence = torch.ones(33, 33)
    item = union_object(confidence, Crop((200.0, 20.0), 1.0, 33))
    assert not report([item]).masks.any()


def test_a_lost_object_has_an_empty_mask_and_says_so():
    item = union_object(torch.ones(33, 33), Crop((30.0, 20.0), 1.0, 33), frames_lost=2)
    result = report([item])
    assert not result.masks.any()
    assert result.lost.tolist() == [True]
    assert result.bboxes.tolist() == [[24.5, 14.5, 36.5, 26.5]]


def test_a_pixel_goes_to_the_object_that_is_surer_there():
    """Two maps over the same square: one surer on the left, one on the right."""
    ramp = torch.linspace(0.6, 1.0, 21).expand(21, 21).contiguous()
    crop = Crop((30.0, 20.0), 1.0, 21)
    items = [union_object(ramp, crop), union_object(ramp.flip(1), crop)]
    masks = report(items).masks.numpy()
    assert not (masks[0] & masks[1]).any()
    assert masks.any(0).sum() == 21 * 21
    assert masks[1, 20, 20:30].all()
    assert masks[0, 20, 30:41].all()  # the middle, where both are as sure, is the first's


def test_what_is_given_is_surer_than_any_object_that_is_found():
    given = TrackedObject([()], STAR, torch.tensor([24.5, 14.5, 36.5, 26.5]))
    given.given_mask = np.zeros((40, 60), np.uint8)
    given.given_mask[18:23, 28:33] = 1
    found = union_object(torch.ones(21, 21), Crop((30.0, 20.0), 1.0, 21))
    masks = report([found, given]).masks.numpy()
    assert np.array_equal(masks[1], given.given_mask)
    assert masks[0].sum() == 21 * 21 - 25


def test_of_three_objects_the_surest_gets_the_pixel_in_any_order():
    values = (0.6, 0.9, 0.7)
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        patches = [
            Patch(5, 5, np.ones((4, 4), bool), np.full((4, 4), values[i], np.float32))
            for i in order
        ]
        separate_all(patches)
        assert [patch.mask.all() for patch in patches] == [i == 1 for i in order]
        assert sum(patch.mask.any() for patch in patches) == 1


def test_patches_that_only_partly_overlap_lose_that_part():
    one = Patch(0, 0, np.ones((6, 6), bool), np.full((6, 6), 0.6, np.float32))
    other = Patch(4, 3, np.ones((6, 6), bool), np.full((6, 6), 0.8, np.float32))
    separate(one, other)
    assert other.mask.all()
    assert one.mask.sum() == 36 - 3 * 2
    assert not one.mask[3:, 4:].any()
