"""What SamplePair promises."""

import numpy as np
import pytest

from siampolarmask_mm.datasets import SamplePair


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


def test_a_video_that_never_shows_its_object_gives_way_to_another_sample():
    assert SamplePair()([video(1, [0, 0]), video(2, [1])]) is None
    pairs = samples(SamplePair(negative_prob=1), video(1, [1]), video(2, [0, 0]))
    assert all(p['video_id'] == [1, 1] for p in pairs)


def test_another_object_of_the_same_frames_is_no_negative():
    """Two tracks of one video, as mmtrack has them; the second starts a frame later."""
    one, other = video(1, [1] * 3), video(2, [1] * 3)
    other['img_paths'] = [*one['img_paths'][1:], 'last.jpg']
    pairs = samples(SamplePair(negative_prob=1), one, other)
    assert all(p['video_id'] == [1, 1] for p in pairs)


@pytest.mark.parametrize(
    'arguments',
    [dict(max_gap=-1), dict(negative_prob=1.5), dict(min_size=-1), dict(min_visible=2)],
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match='expected, got'):
        SamplePair(**arguments)


def test_small_objects_are_not_taken():
    sized = video(1, [1] * 4)
    sized['bboxes'] = np.array([[0, 0, 20, 5], [0, 0, 4, 25], [0, 0, 9, 9], [0, 0, 0, 0]])
    pairs = samples(SamplePair(negative_prob=0, min_size=10), sized, sized)
    assert {frame for pair in pairs for frame in pair['frame_id']} == {0, 1}  # areas of 100


def test_hidden_objects_are_not_taken_where_the_dataset_tells_how_much_is_visible():
    hidden = dict(video(1, [1] * 3), visible_ratio=np.array([0.2, 0.5, 1.0]))
    pairs = samples(SamplePair(negative_prob=0, min_visible=0.5), hidden, hidden)
    assert {frame for pair in pairs for frame in pair['frame_id']} == {1, 2}


def test_a_video_of_small_objects_only_gives_way_to_another_sample():
    assert SamplePair(min_size=10)([video(1, [1]), video(2, [1])]) is None


def test_videos_with_boxes_alone_give_pairs_without_masks():
    boxes = [video(1, [1] * 3), video(2, [1] * 3)]
    for item in boxes:
        del item['masks']
    pairs = samples(SamplePair(), *boxes, count=20)
    assert all('mask' not in instance for p in pairs for (instance,) in p['instances'])
    assert pairs[0]['instances'][0][0]['bbox'].tolist() == [10.0] * 4


def test_a_positive_pair_brings_an_object_of_the_other_video_along():
    pairs = samples(SamplePair(negative_prob=0.5), video(1, [1]), video(2, [0, 1]))
    for pair in pairs:
        positive = pair['instances'][0][0]['bbox_label'] == 1
        assert ('other' in pair) == positive
        if positive:
            assert pair['other']['img_path'] == '2/1.jpg'
            assert pair['other']['instance']['mask'] == 'mask 1'
