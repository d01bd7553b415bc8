"""What SamplePair and CropPair promise."""

import numpy as np
import pytest
from mmdet.structures.mask import BitmapMasks

from siampolarmask_mm.datasets import CropPair, SamplePair


def video(number, visible):
    length = len(visible)
    return dict(
        video_id=number,
        video_length=length,
        img_paths=[f'{number}/{t}.jpg' for t in range(length)],
        frame_ids=np.arange(length),
        bboxes=np.full((length, 4), 10.0 * number),
        bboxes_isvalid=np.ones(length, dtype=bool),
        visible=np.array(visible, dtype=bool),
        masks=[f'mask {t}' for t in range(length)],
    )


def samples(transform, *videos, count=200):
    return [transform(list(videos)) for _ in range(count)]


def test_positive_pairs_are_two_near_frames_of_one_video():
    pairs = samples(
        SamplePair(max_gap=3, negative_prob=0), video(1, [1] * 20), video(2, [1])
    )
    gaps = {abs(p['frame_id'][0] - p['frame_id'][1]) for p in pairs}
    assert gaps == {0, 1, 2, 3}
    assert {tuple(p['video_id']) for p in pairs} == {(1, 1)}
    assert all(p['instances'][1][0]['bbox_label'] == 1 for p in pairs)
    assert pairs[0]['instances'][0][0]['mask'] == f'mask {pairs[0]["frame_id"][0]}'


def test_a_share_of_pairs_is_negative():
    pairs = samples(SamplePair(negative_prob=0.3), video(1, [1] * 5), video(2, [1] * 5))
    negative = [p for p in pairs if p['video_id'] == [1, 2]]
    assert 0.2 < len(negative) / len(pairs) < 0.4
    assert all(p['instances'][1][0]['bbox_label'] == 0 for p in negative)
    assert all(p['img_path'][1].startswith('2/') for p in negative)


def test_frames_without_the_object_are_not_taken():
    pairs = samples(
        SamplePair(negative_prob=0.5), video(1, [0, 1, 0, 1]), video(2, [0, 0, 1])
    )
    for pair in pairs:
        assert pair['frame_id'][0] in (1, 3)
        assert pair['frame_id'][1] in ((1, 3) if pair['video_id'][1] == 1 else (2,))


def test_a_lone_video_gives_positive_pairs_only():
    only = video(1, [1])
    assert all(
        p['video_id'] == [1, 1] for p in samples(SamplePair(negative_prob=1), only, only)
    )


def test_a_video_that_never_shows_its_object_is_named():
    with pytest.raises(
        ValueError, match=r'object to be seen expected, got none in 1/0.jpg'
    ):
        SamplePair()([video(1, [0, 0]), video(2, [1])])


@pytest.mark.parametrize('arguments', [dict(max_gap=-1), dict(negative_prob=1.5)])
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match='expected, got'):
        SamplePair(**arguments)


def pair():
    """A 20 x 20 square of brightness 200, alike in both images."""
    image = np.full((120, 160, 3), 100, np.uint8)
    mask = np.zeros((1, 120, 160), np.uint8)
    image[50:70, 60:80] = 200
    mask[0, 50:70, 60:80] = 1
    return dict(
        img=[image, image.copy()],
        gt_bboxes=[np.array([[60, 50, 80, 70]], np.float32)] * 2,
        gt_masks=[BitmapMasks(mask, 120, 160)] * 2,
        gt_ignore_flags=[np.zeros(1, bool)] * 2,
    )


def crop(**kwargs):
    settings = dict(max_shift=(0, 0), max_scale=(0, 0), flip_prob=0) | kwargs
    return CropPair(33, 65, **settings)(pair())


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


def test_image_mask_and_box_move_together():
    results = crop(max_shift=(4, 16), max_scale=(0.05, 0.2), flip_prob=1)
    for which in range(2):
        bright = results['img'][which][..., 0] >= 150
        mask = results['gt_masks'][which].masks[0].astype(bool)
        assert (bright ^ mask).sum() <= 0.05 * mask.sum()
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert np.abs(results['gt_bboxes'][which][0] - tight).max() < 0.8


def test_the_search_crop_is_shifted_up_to_the_given_pixels():
    middles = []
    for _ in range(200):
        box = crop(max_shift=(0, 16))['gt_bboxes'][1][0]
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
