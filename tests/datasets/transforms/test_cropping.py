"""What LoadPair and CropPair promise."""

import numpy as np
import pytest
import torch
from PIL import Image

from siampolarmask_mm.crops import crop_around
from siampolarmask_mm.datasets import CropPair, LoadPair
from siampolarmask_mm.datasets.layers import Layer
from siampolarmask_mm.datasets.mask_tracks import encode_mask

SQUARE = [[60.0, 50.0, 80.0, 50.0, 80.0, 70.0, 60.0, 70.0]]


def pair():
    """A 20 x 20 square of brightness 200, alike in both images."""
    image = np.full((120, 160, 3), 100, np.uint8)
    mask = np.zeros((120, 160), np.uint8)
    image[50:70, 60:80] = 200
    mask[50:70, 60:80] = 1
    instance = dict(bbox=np.array([60, 50, 80, 70.0]), bbox_label=1, mask=encode_mask(mask))
    return dict(img=[image, image.copy()], instances=[[instance], [dict(instance)]])


def crop(results=None, **kwargs):
    settings = dict(max_shift=(0, 0), max_scale=(0, 0), flip_prob=0) | kwargs
    return CropPair(33, 65, **settings)(results or pair())


def test_both_crops_show_the_object_in_the_middle_at_one_scale():
    results = crop()
    side = 20 * 33 / 40  # the context of a 20 x 20 box is 40 x 40
    for which, size in enumerate((33, 65)):
        assert results['img'][which].shape == (size, size, 3)
        middle = size / 2
        expected = [
            middle - side / 2,
            middle - side / 2,
            middle + side / 2,
            middle + side / 2,
        ]
        assert np.allclose(results['gt_bboxes'][which][0], expected)
        mask = results['gt_masks'][which].masks[0]
        assert mask.sum() == pytest.approx(side**2, rel=0.07)
        assert (results['img'][which][mask.astype(bool)] > 140).all()


@pytest.mark.parametrize('angle', [0, 30])
def test_image_and_mask_move_together(angle):
    results = crop(
        max_shift=(4, 16), max_scale=(0.05, 0.2), max_angle=(angle, angle), flip_prob=1
    )
    for which in range(2):
        bright = results['img'][which][..., 0] >= 150
        mask = results['gt_masks'][which].masks[0].astype(bool)
        assert (bright ^ mask).sum() <= 0.05 * mask.sum()


def test_mask_and_box_move_together():
    results = crop(max_shift=(4, 16), max_scale=(0.05, 0.2), flip_prob=1)
    for which in range(2):
        mask = results['gt_masks'][which].masks[0].astype(bool)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert np.abs(results['gt_bboxes'][which][0] - tight).max() < 0.8


@pytest.mark.parametrize('angle', [0, 45])
def test_the_search_crop_is_shifted_up_to_the_given_pixels(angle):
    middles = []
    for _ in range(200):
        results = crop(max_shift=(0, 16), max_angle=(0, angle), min_inside=0)
        box = results['gt_bboxes'][1][0]
        middles.append((box[:2] + box[2:]) / 2 - 32.5)
    middles = np.array(middles)
    assert np.abs(middles).max() <= 16
    assert np.abs(middles).max(0).min() > 12  # in both directions


def test_mirrored_pairs_are_mirrored_in_both_crops():
    lopsided = pair()
    for image in lopsided['img']:
        image[50:70, 60:65] = 250
    settings = dict(max_shift=(0, 0), max_scale=(0, 0))
    mirrored = CropPair(33, 65, flip_prob=1, **settings)(lopsided)
    for image, size in zip(mirrored['img'], (33, 65), strict=True):
        row = image[size // 2, :, 0].astype(int)
        assert row.argmax() > size / 2


def test_a_crop_in_training_is_the_trackers_to_the_pixel():
    frame = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    results = pair()
    results['img'] = [frame, frame]
    results = crop(results)
    box = torch.tensor([60.0, 50.0, 80.0, 70.0])
    for which, size in enumerate((33, 65)):
        assert np.array_equal(results['img'][which], crop_around(box, size, 33).cut(frame))


@pytest.mark.parametrize('angle', [0, 40])
def test_polygons_and_bitmaps_give_one_mask(angle):
    masks = []
    for mask in (SQUARE, None):
        np.random.seed(3)
        results = pair()
        if mask:
            results['instances'][1][0]['mask'] = mask
        results = crop(results, max_angle=(0, angle), max_shift=(0, 9), max_scale=(0, 0.3))
        masks.append(results['gt_masks'][1].masks[0].astype(bool))
    polygon, bitmap = masks
    assert polygon.sum() > 200
    assert (polygon ^ bitmap).sum() <= 0.05 * polygon.sum()  # on the border only


def test_a_mirrored_crop_is_the_mirror_image_of_the_other():
    plain, mirrored = crop(), crop(flip_prob=1)
    for which in range(2):
        difference = mirrored['img'][which][:, ::-1].astype(int) - plain['img'][which]
        assert np.abs(difference).max() <= 1


def test_boxes_without_masks_give_boxes_without_masks():
    results = pair()
    for instances in results['instances']:
        del instances[0]['mask']
    results = crop(results)
    assert 'gt_masks' not in results
    side = 20 * 33 / 40
    assert np.allclose(np.diff(results['gt_bboxes'][1][0].reshape(2, 2), axis=0), side)


@pytest.mark.parametrize('left', [-30, 140])
def test_an_object_mostly_outside_its_image_gives_way_to_another_sample(left):
    results = pair()
    results['instances'][1][0]['bbox'] = np.array([left, 50.0, left + 40, 70.0])
    assert crop(results, min_inside=0.6) is None


def test_an_object_mostly_outside_its_crop_gives_way_to_another_sample():
    shifted = [crop(max_shift=(0, 60), min_inside=0.5) for _ in range(50)]
    assert any(results is None for results in shifted)
    for results in filter(None, shifted):
        x1, y1, x2, y2 = results['gt_bboxes'][1][0]
        inside = (min(x2, 65) - max(x1, 0)) * (min(y2, 65) - max(y1, 0))
        assert inside >= 0.5 * (x2 - x1) * (y2 - y1) - 1e-3


def test_an_object_hidden_by_layers_gives_way_to_another_sample():
    results = pair()
    black = np.zeros((120, 160, 3), np.uint8)
    hides = Layer(black, [[0.0, 0, 160, 0, 160, 120, 0, 120]], np.eye(3))
    results['layers'] = ([], [hides])
    assert crop(results) is None


@pytest.mark.parametrize(
    'arguments',
    [
        dict(flip_prob=2),
        dict(min_inside=-1),
        dict(max_shift=64),
        dict(max_shift=(0, -1)),
        dict(max_scale=(0, 1)),
        dict(max_scale=(0, -0.1)),
        dict(max_angle=(0, 200)),
    ],
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match='expected, got'):
        CropPair(**arguments)


def test_a_still_image_is_read_once(tmp_path, monkeypatch):
    Image.fromarray(np.full((8, 9, 3), 77, np.uint8)).save(tmp_path / 'a.png')
    Image.fromarray(np.full((8, 9, 3), 11, np.uint8)).save(tmp_path / 'b.png')
    import siampolarmask_mm.datasets.transforms.cropping as module

    read, reads = module.read_frame, []
    monkeypatch.setattr(
        module,
        'read_frame',
        lambda path, *args: reads.append(path) or read(path, *args),
    )
    a, b = str(tmp_path / 'a.png'), str(tmp_path / 'b.png')
    assert [image[0, 0, 0] for image in LoadPair()(dict(img_path=[a, a]))['img']] == [
        77,
        77,
    ]
    assert reads == [a]
    assert [image[0, 0, 0] for image in LoadPair()(dict(img_path=[a, b]))['img']] == [
        77,
        11,
    ]


def test_a_file_that_is_no_image_is_named(tmp_path):
    path = tmp_path / 'a.jpg'
    path.write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'image expected, got something else in .*a.jpg'):
        LoadPair()(dict(img_path=[str(path)] * 2))
    with pytest.raises(FileNotFoundError, match=r'b.jpg'):
        LoadPair()(dict(img_path=[str(tmp_path / 'b.jpg')] * 2))


def test_crops_are_turned_up_to_the_given_degrees():
    """The box around a turned square of side 1 has the side cos + sin."""
    side = 20 * 33 / 40
    sides = []
    for _ in range(60):
        results = crop(max_angle=(0, 20))
        template, search = (box[0, 2] - box[0, 0] for box in results['gt_bboxes'])
        assert template == pytest.approx(side)
        sides.append(search / side)
    assert min(sides) < 1.05
    assert 1.2 < max(sides) <= np.cos(np.radians(20)) + np.sin(np.radians(20)) + 1e-6


def test_outside_each_frame_lies_its_own_mean_color():
    results = pair()
    results['img'][1] = np.full((120, 160, 3), 30, np.uint8)
    for instances in results['instances']:
        instances[0]['bbox'] = np.array([0.0, 0, 20, 20])
        del instances[0]['mask']
    template, search = crop(results)['img']
    assert 95 < template[0, 0, 0] < 105  # a square of 200 in 100
    assert search[0, 0, 0] == 30


def test_a_box_in_the_crop_but_mostly_outside_its_image_gives_way():
    """The crop shows all of it, with the mean color where the image ends."""
    results = pair()
    results['instances'][1][0] = dict(bbox=np.array([-15.0, 50, 5, 70]), bbox_label=1)
    assert crop(results, min_inside=0.3) is None


def test_an_image_that_its_masks_do_not_fit_is_named(tmp_path):
    path = str(tmp_path / 'a.png')
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(path)
    fitting = LoadPair()(dict(img_path=[path] * 2, size=[(8, 9)] * 2))
    assert fitting['img'][0].shape == (8, 9, 3)
    message = r'image of \(9, 8\) pixels .* expected, .* got \(8, 9\) in .*a.png'
    with pytest.raises(ValueError, match=message):
        LoadPair()(dict(img_path=[path] * 2, size=[(9, 8)] * 2))
