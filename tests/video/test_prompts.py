"""What may be given of objects, and how they are numbered."""

import cv2
import numpy as np
import pytest

from siampolarmask_mm.label_images import write_labels
from siampolarmask_mm.video.prompts import make_prompts, read_mask, read_numbers

SIZE = (40, 60)


def labels(**rectangles):
    image = np.zeros(SIZE, np.uint8)
    for name, (x1, y1, x2, y2) in rectangles.items():
        image[y1:y2, x1:x2] = int(name[1:])
    return image


def test_labels_of_a_mask_stay_and_others_fill_the_gaps():
    mask = labels(_1=(0, 0, 5, 5), _3=(10, 10, 20, 15))
    prompts = make_prompts(SIZE, mask, [30, 5, 40, 9], [[50, 20], [3, 30]])
    assert prompts.labels == [1, 3, 2, 4, 5]
    outlined, pointed = prompts.given()
    assert (outlined.rows, pointed.rows) == ([0, 1, 2], [3, 4])
    assert outlined.boxes.tolist() == [[0, 0, 5, 5], [10, 10, 20, 15], [30, 5, 40, 9]]
    assert [mask is None for mask in outlined.masks] == [False, False, True]
    assert outlined.masks[1].sum() == 50
    assert pointed.points.tolist() == [[50, 20], [3, 30]]
    assert outlined.num_instances == pointed.num_instances == 5


def test_255_is_an_object_alone_and_void_beside_others():
    assert make_prompts(SIZE, labels(_255=(0, 0, 5, 5))).labels == [1]
    both = make_prompts(SIZE, labels(_255=(0, 0, 5, 5), _2=(9, 9, 12, 12)))
    assert both.labels == [2]
    assert both.masks[0].sum() == 9


def test_a_box_over_the_border_is_cut_to_the_frame():
    (box,) = make_prompts(SIZE, box=[-10, 30, 20, 55]).boxes
    assert box.tolist() == [0, 30, 20, 40]


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({}, 'at least one object expected, got none'),
        (dict(mask=np.zeros(SIZE, np.uint8)), 'at least one object expected, got an empty'),
        (dict(mask=np.ones((60, 40), np.uint8)), r'40 x 60 .* expected, got 60 x 40'),
        (dict(mask=np.ones(SIZE)), 'integers or booleans expected, got float64'),
        (dict(mask=np.full(SIZE, 256)), 'from 0 to 255 expected, got 256 to 256'),
        (dict(box=[5, 5, 5, 9]), 'x1 < x2, y1 < y2 expected, got 5,5,5,9'),
        (dict(box=[60, 5, 70, 9]), 'within 60 x 40 pixels expected, got 60,5,70,9'),
        (dict(box=[float('nan'), 5, 70, 9]), 'expected, got nan,5,70,9'),
        (dict(box=[1, 2, 3]), r'box of 4 numbers expected, got shape \(1, 3\)'),
        (dict(point=[60, 5]), 'a point within 60 x 40 pixels expected, got 60,5'),
        (dict(point=[5, 5], labels=[1, 2]), 'got 1 objects and 2 labels'),
        (dict(point=[5, 5], labels=3), 'a list of labels expected, got 3'),
        (
            dict(point=[5, 5], mask='a.png'),
            'a mask of integers or booleans expected',
        ),
        (dict(box='1,2,3,4'), "box of 4 numbers expected, got '1,2,3,4'"),
        (dict(point=[[5, 5], [9, 9]], labels=[4, 4]), r'expected, got \[4, 4\]'),
        (dict(point=[5, 5], labels=[255]), r'1 to 254 expected, got \[255\]'),
        (dict(point=np.zeros((255, 2))), 'got 255 objects and 254 labels'),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        make_prompts(SIZE, **given)


def test_masks_are_read_as_labels(tmp_path):
    mask = labels(_7=(1, 2, 9, 9))
    write_labels(tmp_path / 'first.png', mask)
    assert np.array_equal(read_mask(tmp_path / 'first.png'), mask)
    cv2.imwrite(str(tmp_path / 'color.png'), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match='indexed or grey PNG of labels expected'):
        read_mask(tmp_path / 'color.png')
    with pytest.raises(ValueError, match='a JPEG blurs labels'):
        read_mask(tmp_path / 'first.jpg')
    with pytest.raises(FileNotFoundError, match='no mask at'):
        read_mask(tmp_path / 'none.png')


def test_numbers_come_with_commas():
    assert read_numbers('1,2.5,-3,4', 4) == [1, 2.5, -3, 4]
    for text in ('1,2,3', '1 2 3 4', 'a,b,c,d', ''):
        with pytest.raises(ValueError, match='4 numbers with commas between expected'):
            read_numbers(text, 4)
