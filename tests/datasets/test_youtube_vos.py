"""What YouTubeVOSDataset promises."""

import json

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image
from pycocotools import mask as coco_mask

from siampolarmask_mm.label_images import write_labels

META = {
    'videos': {
        'b2': {'objects': {'1': {'category': 'cat', 'frames': ['00000']}}},
        'a1': {
            'objects': {
                '1': {'category': 'person', 'frames': ['00000', '00005']},
                '3': {'category': 'surfboard', 'frames': ['00005']},
            }
        },
    }
}


@pytest.fixture
def root(tmp_path):
    """All frames, of which every fifth has labels; object 3 comes with frame 5."""
    for video in META['videos']:
        frames, labels = tmp_path / 'JPEGImages' / video, tmp_path / 'Annotations' / video
        frames.mkdir(parents=True)
        labels.mkdir(parents=True)
        for t in range(7):
            Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(frames / f'{t:05d}.jpg')
        for t in (0, 5):
            image = np.zeros((20, 30), np.uint8)
            image[4:8, 3:9] = 1
            if (video, t) == ('a1', 5):
                image[12:14, 20:25] = 3
            write_labels(labels / f'{t:05d}.png', image)
    (tmp_path / 'meta.json').write_text(json.dumps(META))
    return tmp_path


def build(root, **kwargs):
    return DATASETS.build(
        dict(type='YouTubeVOSDataset', data_root=str(root), pipeline=[], **kwargs)
    )


def records(dataset):
    return [dataset.get_data_info(i) for i in range(dataset.num_videos)]


def test_each_object_is_an_item_with_its_category(root):
    found = [(record['name'], record['category']) for record in records(build(root))]
    assert found == [('a1_1', 'person'), ('a1_3', 'surfboard'), ('b2_1', 'cat')]


def test_an_object_is_seen_where_its_frame_is_labeled_only(root):
    track, _ = build(root)[1]  # the surfboard
    assert np.flatnonzero(track['visible']).tolist() == [5]
    assert track['bboxes'][5].tolist() == [20, 12, 25, 14]
    assert [mask is not None for mask in track['masks']] == [t in (0, 5) for t in range(7)]
    assert coco_mask.area(track['masks'][0]) == 0  # labeled, and not there
    assert coco_mask.area(track['masks'][5]) == 2 * 5


def test_without_meta_every_folder_of_labels_is_taken(root):
    (root / 'meta.json').unlink()
    with pytest.raises(FileNotFoundError, match=r"no meta.json at .*; ann_file=''"):
        build(root)
    found = [(r['name'], r['category']) for r in records(build(root, ann_file=''))]
    assert found == [('a1_1', None), ('a1_3', None), ('b2_1', None)]


def test_meta_and_lists_choose_the_videos(root):
    (root / 'few.txt').write_text('b2\n')
    assert [r['name'] for r in records(build(root, ann_file='few.txt'))] == ['b2_1']
    few = {'videos': {'b2': META['videos']['b2']}}
    (root / 'meta.json').write_text(json.dumps(few))
    assert [r['name'] for r in records(build(root))] == ['b2_1']


def test_small_objects_are_left_out(root):
    assert [r['name'] for r in records(build(root, min_area=11))] == ['a1_1', 'b2_1']
    with pytest.raises(ValueError, match=r'at least 25 square pixels expected, got none'):
        build(root, min_area=25)


def test_testing_gives_each_object_where_it_comes(root):
    dataset = build(root, test_mode=True)
    assert len(dataset) == 14
    given = {t: dataset[(0, t)]['instances'] for t in range(7)}
    assert [i['instance_id'] for i in given[0]] == [1, 3]
    assert [[i['given'] for i in given[t]] for t in (0, 4, 5, 6)] == [
        [True, False],
        [False, False],
        [False, True],
        [False, False],
    ]
    early = build(root, test_mode=True, later_objects=False)
    assert [i['instance_id'] for i in early[(0, 0)]['instances']] == [1]


@pytest.mark.parametrize('content', ['[]', '{"videos": ["a1"]}', '{', '{"videos": {}}'])
def test_another_json_is_named(root, content):
    (root / 'meta.json').write_text(content)
    with pytest.raises(ValueError, match=r'video.* expected.* .*meta.json'):
        build(root)


def test_a_video_of_meta_that_is_not_there_is_named(root):
    meta = {'videos': {'c3': META['videos']['b2']}}
    (root / 'meta.json').write_text(json.dumps(meta))
    with pytest.raises(FileNotFoundError, match=r'no frame .* in .*JPEGImages/c3'):
        build(root)
