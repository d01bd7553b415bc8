"""What the drawings promise."""

import cv2
import numpy as np
import pytest
from PIL import Image

from siampolarmask_mm.label_images import label_colors, write_labels
from siampolarmask_mm.visualization.overlay import contact_strip, draw_labels, draw_star
from siampolarmask_mm.visualization.results import draw_results

GREY = np.full((40, 60, 3), 100, np.uint8)


def test_label_colors_are_those_of_davis():
    assert label_colors()[:5].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
    ]
    assert len(np.unique(label_colors(), axis=0)) == 256


def test_label_images_keep_their_labels(tmp_path):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_labels(tmp_path / 'a.png', labels)
    with Image.open(tmp_path / 'a.png') as image:
        assert image.mode == 'P'
        assert np.array_equal(np.array(image), labels)


def test_objects_are_tinted_and_all_else_stays():
    labels = np.zeros((40, 60), np.uint8)
    labels[10:30, 20:40] = 2
    drawn = draw_labels(GREY, labels, opacity=0.5)
    assert drawn[20, 30].tolist() == [50, 114, 50]  # half of grey, half of (0, 128, 0)
    assert (drawn[10, 25] > 200).all()  # the outline, white but for its soft edge
    assert drawn[5, 5].tolist() == [100, 100, 100]
    assert (GREY == 100).all()  # the given image is not drawn into


def test_rays_go_from_the_center_to_the_tips():
    drawn = draw_star(GREY, np.array([30, 20]), np.array([[50, 20], [30, 35]]), label=1)
    assert drawn[20, 45, 0] > drawn[20, 45, 1]  # reddish, on the ray to the right
    assert drawn[30, 30, 0] > drawn[30, 30, 1]  # and on the one down
    assert drawn[30, 45].tolist() == [100, 100, 100]


def test_a_strip_has_white_between_its_pictures():
    strip = contact_strip([GREY, GREY, GREY], gap=4)
    assert strip.shape == (40, 3 * 60 + 2 * 4, 3)
    assert (strip[:, 60:64] == 255).all()


@pytest.fixture
def results(tmp_path):
    frames, masks = tmp_path / 'frames/walk', tmp_path / 'masks/walk_1'
    frames.mkdir(parents=True)
    masks.mkdir(parents=True)
    for t in range(6):
        Image.fromarray(GREY).save(frames / f'{t:05d}.jpg')
        labels = np.zeros((40, 60), np.uint8)
        labels[10:30, 5 * t : 5 * t + 20] = 1
        write_labels(masks / f'{t:05d}.png', labels)
    return tmp_path


def test_results_become_a_video_and_a_strip(results):
    written = draw_results(results / 'frames', results / 'masks', results / 'out')
    assert [path.name for path in written] == ['walk_1.mp4', 'walk_1.png']
    video = cv2.VideoCapture(str(written[0]))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == 6
    _, picture = video.read()
    assert picture.shape == (40, 60, 3)
    assert picture[20, 10, 2] > picture[20, 10, 1] + 20  # red (BGR), inside of the mask
    with Image.open(written[1]) as strip:
        assert strip.size == (5 * 60 + 4 * 4, 40)


def test_missing_masks_and_frames_are_named(results):
    with pytest.raises(FileNotFoundError, match=r'no masks .* in .*nowhere'):
        draw_results(results / 'frames', results / 'nowhere', results / 'out')
    (results / 'frames/walk/00002.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'no frame for .*walk_1/00002.png'):
        draw_results(results / 'frames', results / 'masks', results / 'out')
