"""What YouTubeVISPairDataset promises."""

import json

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image
from pycocotools import mask as coco_mask

from siampolarmask_mm.datasets.mask_tracks import encode_mask

SIZE = (20, 30)


def box_mask(left, right, top=5, bottom=9):
    mask = np.zeros(SIZE, np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def as_numbers(mask):
    """Uncompressed RLE, as YouTube-VIS has it; OVIS has text."""
    flat = mask.ravel(order='F')
    edges = np.flatnonzero(np.diff(flat)) + 1
    return dict(size=list(SIZE), counts=np.diff([0, *edges, flat.size]).tolist())


def track(number=41, **kwargs):
    masks = [as_numbers(box_mask(3, 9)), None, encode_mask(box_mask(5, 12))]
    defaults = dict(id=number, video_id=7, category_id=26, iscrowd=0, segmentations=masks)
    return dict(defaults, **kwargs)


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'train/0043f083b5').mkdir(parents=True)
    for t in range(3):
        image = Image.fromarray(np.zeros((*SIZE, 3), np.uint8))
        image.save(tmp_path / f'train/0043f083b5/{5 * t:05d}.jpg')
    return tmp_path


def build(root, annotations, **kwargs):
    names = [f'0043f083b5/{5 * t:05d}.jpg' for t in range(3)]
    video = dict(id=7, file_names=names, height=20, width=30, length=3)
    content = dict(videos=[video], annotations=annotations, categories=[])
    (root / 'train.json').write_text(json.dumps(content))
    config = dict(
        type='YouTubeVISPairDataset',
        data_root=str(root),
        ann_file='train.json',
        data_prefix=dict(img_path='train'),
        pipeline=[],
        **kwargs,
    )
    return DATASETS.build(config)


def test_an_object_is_a_track_of_masks_and_boxes_around_them(root):
    dataset = build(root, [track()])
    video, _ = dataset[0]
    assert video['bboxes'][[0, 2]].tolist() == [[3, 5, 9, 9], [5, 5, 12, 9]]
    assert video['visible'].tolist() == [True, False, True]
    for mask, expected in zip(video['masks'], [(3, 9), (0, 0), (5, 12)], strict=True):
        assert np.array_equal(coco_mask.decode(mask), box_mask(*expected))
    assert all(p.endswith(f'{5 * t:05d}.jpg') for t, p in enumerate(video['img_paths']))


def test_a_record_has_the_objects_name_and_category(root):
    record = build(root, [track()]).get_data_info(0)
    assert (record['name'], record['category']) == ('0043f083b5_41', 26)


def test_crowds_and_small_objects_are_left_out(root):
    annotations = [track(1), track(2, iscrowd=1)]
    small = [encode_mask(box_mask(0, 2)), None, None]
    annotations.append(track(3, segmentations=small))
    assert len(build(root, annotations)) == 2
    assert len(build(root, annotations, min_area=9)) == 1  # 2 x 4 pixels are 8
    with pytest.raises(ValueError, match=r'at least 999 square pixels .* got none'):
        build(root, annotations, min_area=999)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(video_id=8), 'a video_id among videos expected, got 8'),
        (dict(segmentations=[None, None]), '3 segmentations expected, got 2'),
        (dict(segmentations=[None] * 3), 'at least one pixel expected, got none'),
        (
            dict(segmentations=[None, encode_mask(np.ones((30, 20))), None]),
            r'RLE of size \(20, 30\) expected, got \[30, 20\]',
        ),
    ],
)
def test_an_invalid_object_is_named_or_left_out(root, change, message):
    annotations = [track(1), track(**change)]
    with pytest.raises(ValueError, match=f'{message} for annotation 41 in .*train.json'):
        build(root, annotations)
    assert len(build(root, annotations, skip_invalid=True)) == 1


def test_images_of_another_size_and_missing_ones_are_named(root):
    path = root / 'train/0043f083b5/00005.jpg'
    Image.fromarray(np.zeros((20, 31, 3), np.uint8)).save(path)
    with pytest.raises(ValueError, match=r'\(20, 30\).* got \(20, 31\) in .*00005.jpg'):
        build(root, [track()])
    assert len(build(root, [track()], check='names')) == 1  # does not look inside
    path.unlink()
    for check in ('headers', 'names'):
        with pytest.raises(FileNotFoundError, match=r'00005.jpg'):
            build(root, [track()], check=check)


def test_a_json_without_annotations_is_named(root):
    with pytest.raises(ValueError, match=r'videos and annotations in YouTube-VIS format'):
        build(root, None)


def test_it_is_for_training_only(root):
    with pytest.raises(ValueError, match='for training, got test_mode=True'):
        build(root, [track()], test_mode=True)
