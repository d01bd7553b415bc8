"""What the pictures of a report show."""

import base64

import cv2
import numpy as np
import pytest
from moved_squares import SIZE, square, write_masks, write_split

from siampolarmask_mm.report.pictures import TRUE_OUTLINE, VideoPictures, data_uri
from siampolarmask_mm.report.scored_run import ScoredRun, score_masks

RED, GREEN = 0, 1


def pictures_of(run, name):
    (video,) = (video for video in run.videos() if video.name == name)
    return VideoPictures(run, video)


def tinted(picture, channel):
    """Inside of a tint, off the white outline: one channel above the others."""
    picture = picture.astype(int)
    others = [other for other in range(3) if other != channel]
    return (picture[..., channel] > picture[..., others].max(-1) + 20) & (
        picture.max(-1) < 200
    )


def test_truth_and_found_masks_lie_where_they_are(davis, masks):
    pictures = pictures_of(score_masks(masks, davis, references=[]), 'lost')
    truth, found = pictures.draw_truth(3, 120), pictures.draw_found(3, 120)
    assert tinted(truth, RED)[25, 22]
    assert not tinted(truth, RED)[25, 32]
    assert not tinted(found, RED)[25, 22]
    assert tinted(found, RED)[25, 32]  # 5 pixels to the right
    assert truth[5, 5] == pytest.approx(60 + 10 * 4, abs=3)  # grey of 00004.jpg


def test_the_player_shows_the_true_outline_over_the_found_mask(davis, masks):
    picture = pictures_of(score_masks(masks, davis, references=[]), 'lost').draw_both(
        3, 120
    )
    assert np.abs(picture[25, 20].astype(int) - TRUE_OUTLINE).max() < 60
    assert tinted(picture, RED)[25, 32]


def test_pictures_are_made_smaller_and_never_larger(davis, masks):
    pictures = pictures_of(score_masks(masks, davis, references=[]), 'good')
    assert pictures.draw_found(0, 60).shape == (30, 60, 3)
    assert pictures.draw_found(0, 500).shape == (*SIZE, 3)


def both(x1, x2):
    return square(x1) + square(x2, 2)


@pytest.fixture
def two_objects(davis):
    write_masks(davis / 'Annotations/480p', 'good', [both(20, 60)] * 10)
    write_split(davis, ['good'])
    return davis


def test_objects_have_a_color_each(two_objects, masks):
    write_masks(masks, 'good', [both(20, 80)] * 10)
    run = score_masks(masks, two_objects, protocol='2017', references=[])
    found = pictures_of(run, 'good').draw_found(3, 120)
    assert tinted(found, RED)[25, 25]
    assert tinted(found, GREEN)[25, 85]
    assert not tinted(found, GREEN)[25, 65]
    merged = pictures_of(score_masks(masks, two_objects, references=[]), 'good')
    assert tinted(merged.draw_found(3, 120), RED)[25, 85]  # 2016: all are one


def test_objects_with_folders_of_their_own_are_put_together(two_objects, tmp_path):
    each = tmp_path / 'each'
    write_masks(each, 'good_1', [square(20)] * 10)
    write_masks(each, 'good_2', [square(80, 2)] * 10)
    whole = score_masks(
        two_objects / 'Annotations/480p', two_objects, protocol='2017', references=[]
    )
    folders = two_objects / 'Annotations/480p', two_objects / 'JPEGImages/480p'
    run = ScoredRun('each', whole.objects, each, *folders, group='each')
    found = pictures_of(run, 'good').draw_found(3, 120)
    assert tinted(found, RED)[25, 25]
    assert tinted(found, GREEN)[25, 85]


def test_white_masks_are_the_only_object(davis, masks):
    write_masks(masks, 'good', [square(20, 255)] * 10)
    run = score_masks(masks, davis, protocol='2017', references=[])
    assert tinted(pictures_of(run, 'good').draw_found(3, 120), RED)[25, 25]


def test_a_mask_that_may_miss_is_empty(davis, masks):
    (masks / 'good/00004.png').unlink()
    run = score_masks(masks, davis, missing='empty', references=[])
    assert not tinted(pictures_of(run, 'good').draw_found(3, 120), RED).any()


def test_a_missing_frame_is_named(davis, masks):
    run = score_masks(masks, davis, references=[])
    (davis / 'JPEGImages/480p/good/00003.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'no frame 00003 .* in .*good'):
        pictures_of(run, 'good')


def test_a_broken_frame_is_named(davis, masks):
    run = score_masks(masks, davis, references=[])
    (davis / 'JPEGImages/480p/good/00003.jpg').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'an image expected, .*00003.jpg cannot be read'):
        pictures_of(run, 'good').draw_truth(2, 120)


def test_a_picture_inside_a_uri_can_be_read_back():
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[..., 0] = 200
    head, data = data_uri(picture, 90).split(',')
    assert head == 'data:image/webp;base64'
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 1)[..., ::-1]
    assert decoded[10, 15] == pytest.approx([200, 0, 0], abs=8)  # red stays red
