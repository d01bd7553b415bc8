"""What all datasets of videos with masks promise."""

from collections import Counter

import numpy as np
import pytest

from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset, empty_mask
from siampolarmask_mm.datasets.reproducible import NumberedIndex


class Records(MaskTrackDataset):
    """Still images: the category of each, the image that it is in, its box's width."""

    def __init__(self, categories, images, widths=None, pipeline=(), **kwargs):
        widths = widths or [3] * len(categories)
        self.content = list(zip(categories, images, widths, strict=True))
        super().__init__(pipeline=list(pipeline), **kwargs)

    def load_data_list(self):
        return [
            dict(
                name=str(number),
                frames=[f'{image}.jpg'],
                size=(8, 8),
                object_ids=[1],
                masks=[[empty_mask((8, 8))]],
                bboxes=np.array([[[1, 2, width, 4]]]),
                category=category,
            )
            for number, (category, image, width) in enumerate(self.content)
        ]


def others(dataset, index, count=400):
    return Counter(dataset[index][1]['video_id'] for _ in range(count))


@pytest.mark.parametrize('serialize_data', [True, False])
def test_the_other_object_often_has_the_same_category(serialize_data):
    """Of 10 others 2 are alike: half of the time one of these, else any of the 9 or 10."""
    categories = ['cat', 'cat', 'cat', *['dog'] * 8]
    dataset = Records(categories, range(11), serialize_data=serialize_data)
    found = others(dataset, 0)
    alike = (found[1] + found[2]) / 400
    assert alike == pytest.approx(0.5 + 0.5 * 2 / 10, abs=0.1)
    assert found[0] == 0
    always = Records(categories, range(11), same_category_prob=1)
    assert set(others(always, 0)) == {1, 2}
    never = Records(categories, range(11), same_category_prob=0)
    found = others(never, 0)
    assert (found[1] + found[2]) / 400 == pytest.approx(2 / 10, abs=0.1)


def test_the_only_one_of_its_category_is_paired_with_any():
    found = others(Records(['cat', 'dog', 'dog', None], range(4)), 0)
    assert set(found) == {1, 2, 3}
    found = others(Records([None, None, None], range(3)), 0)
    assert set(found) == {1, 2}


def test_the_other_object_is_never_in_the_same_image():
    found = others(Records(['cat'] * 4, [0, 0, 0, 1]), 0)
    assert set(found) <= {3, 0}
    assert found[3] > 350  # unless none was found in ten tries
    alone = Records(['cat'] * 2, [0, 0])
    assert set(others(alone, 0, count=20)) == {0}  # and then no other object is


def test_categories_are_those_of_the_part_of_a_dataset_that_is_used():
    dataset = Records(['cat', 'dog', 'cat', 'cat'], range(4), indices=[0, 2])
    assert set(others(dataset, 0, count=20)) == {1}


@pytest.mark.parametrize('numbered', [True, False])
def test_objects_that_are_all_rejected_are_said_to_be(numbered):
    """The boxes have 3 by 4 pixels; the root of their area is 3.5."""
    pipeline = [dict(type='SamplePair', min_size=4)]
    dataset = Records(['cat', 'dog'], range(2), pipeline=pipeline, max_refetch=3)
    index = NumberedIndex(0, (0, 0)) if numbered else 0
    message = r'a training pair expected, got none in 4 tries from Records: .*SamplePair'
    with pytest.raises(ValueError, match=message):
        dataset[index]


def test_a_rejected_object_is_replaced_by_another():
    """Of the two, the wide one is large enough."""
    pipeline = [dict(type='SamplePair', min_size=4, negative_prob=0)]
    dataset = Records(['cat', 'dog'], range(2), pipeline=pipeline, widths=[3, 30])
    assert dataset[0]['video_id'] == [1, 1]


def test_a_share_out_of_range_is_refused():
    with pytest.raises(ValueError, match='same_category_prob from 0 to 1 expected, got 2'):
        Records(['cat'], [0], same_category_prob=2)


def test_boxes_come_as_corners_and_say_where_they_hold():
    video, _ = Records(['cat', 'dog'], range(2))[0]
    assert video['bboxes'].tolist() == [[1, 2, 4, 6]]
    assert video['visible'].tolist() == [True]
    narrow = Records(['cat', 'dog'], range(2), bbox_min_size=3)
    assert narrow[0][0]['visible'].tolist() == [False]
