"""What the drawings promise."""

import cv2
import numpy as np
import pytest
from PIL import Image

from siampolarmask_mm.label_images import label_colors, write_labels
from siampolarmask_mm.visualization.overlay import (
    contact_strip,
    draw_box,
    draw_labels,
    draw_mask,
    draw_scores,
    draw_star,
    draw_tag,
)
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


@pytest.mark.parametrize('shade', [0, 255])
def test_outlines_show_on_dark_and_on_light_pictures(shade):
    image = np.full((40, 60, 3), shade, np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:40] = True
    drawn = draw_mask(image, mask, label=1)
    assert (drawn[20, 20] > 200).all()  # the white line, within the mask
    assert (drawn[20, 19] < 60).all()  # the dark one, outside
    assert (drawn[20, 15] == shade).all()


def test_a_box_is_drawn_along_its_edges():
    """Edges between pixels: columns 10 to 29, rows 5 to 14 are inside."""
    drawn = draw_box(GREY, np.array([10, 5, 30, 15]), label=2)
    green = (drawn[..., 1].astype(int) - drawn[..., 0]) > 60
    rows, columns = np.nonzero(green)
    assert abs(columns.min() - 9.5) <= 1
    assert abs(columns.max() - 29.5) <= 1
    assert abs(rows.min() - 4.5) <= 1
    assert abs(rows.max() - 14.5) <= 1
    assert (drawn[10, 20] == 100).all()


@pytest.mark.parametrize('corner', [(20, 30), (-50, -50), (500, 500)])
def test_a_tag_lies_within_the_image(corner):
    drawn = draw_tag(GREY, '1', corner, label=1)
    tagged = (drawn != 100).any(-1)
    assert (drawn[tagged] == [128, 0, 0]).all(-1).sum() > 50
    rows, columns = np.nonzero(tagged)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert tagged.sum() == height * width  # whole


def test_scores_glow_where_they_are_high():
    scores = np.zeros((4, 4))
    scores[1, 2] = 1  # pixels 10 + 2 * 8 to 10 + 3 * 8 across, 4 + 8 to 4 + 16 down
    drawn = draw_scores(GREY, np.array([10, 4, 42, 36]), scores)
    changed = np.abs(drawn.astype(int) - 100).sum(-1)
    rows, columns = np.nonzero(changed == changed.max())
    assert abs(rows.mean() - 15.5) <= 1
    assert abs(columns.mean() - 29.5) <= 1
    assert (drawn[30, 15] == 100).all()
