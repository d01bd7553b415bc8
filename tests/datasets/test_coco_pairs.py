"""What CocoPairDataset promises."""

import json

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

from siampolarmask_mm.datasets.mask_tracks import encode_mask

TRIANGLE = [[10.0, 10.0, 40.0, 10.0, 10.0, 50.0]]


@pytest.fixture
def root(tmp_path):
    Image.fromarray(np.full((60, 80, 3), 99, np.uint8)).save(tmp_path / 'a.jpg')
    return tmp_path


def annotation(number, mask, area=600, **kwargs):
    return dict(
        id=number, image_id=7, bbox=[10, 10, 30, 40], area=area, segmentation=mask, **kwargs
    )


def build(root, annotations, pipeline=(), **kwargs):
    images = [dict(id=7, file_name='a.jpg', height=60, width=80)]
    (root / 'a.json').write_text(json.dumps(dict(images=images, annotations=annotations)))
    config = dict(
        type='CocoPairDataset',
        data_root=str(root),
        ann_file='a.json',
        data_prefix=dict(img_path=''),
        pipeline=list(pipeline),
        **kwargs,
    )
    return DATASETS.build(config)


def test_polygons_and_rle_become_crops(root, train_pipeline):
    mask = np.zeros((60, 80), np.uint8)
    mask[10:50, 10:40] = 1
    annotations = [annotation(1, TRIANGLE), annotation(2, encode_mask(mask))]
    dataset = build(root, annotations, train_pipeline)
    areas = []
    for i in range(2):
        sample = dataset[i]
        assert sample['inputs']['img'].shape == (1, 3, 33, 33)
        assert sample['inputs']['search_img'].shape == (1, 3, 65, 65)
        areas.append(sample['data_samples'].gt_instances.masks.masks.sum())
    assert areas[0] == pytest.approx(
        areas[1] / 2, rel=0.15
    )  # half of the box is the triangle


def test_crowds_and_small_instances_are_left_out(root):
    annotations = [
        annotation(1, TRIANGLE),
        annotation(2, TRIANGLE, area=50),
        annotation(3, encode_mask(np.ones((60, 80))), iscrowd=1),
    ]
    assert len(build(root, annotations, min_area=100)) == 1


@pytest.mark.parametrize(
    'mask',
    [
        [],
        [[]],
        [[1.0, 2.0, 3.0, 4.0]],  # two points, which pycocotools would take for a box
        [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]],
        None,
        dict(size=[60, 80], counts=''),
    ],
)
def test_an_empty_polygon_is_named_or_left_out(root, mask):
    annotations = [annotation(1, TRIANGLE), annotation(41, mask)]
    with pytest.raises(ValueError, match=r'at least 3 points.* annotation 41 in .*a.json'):
        build(root, annotations)
    assert len(build(root, annotations, skip_invalid=True)) == 1


def test_no_instance_left_is_named(root):
    with pytest.raises(ValueError, match=r'at least 700 square pixels expected, .*a.json'):
        build(root, [annotation(1, TRIANGLE)], min_area=700)


def test_a_missing_file_is_named(root):
    config = dict(type='CocoPairDataset', data_root=str(root), ann_file='b.json')
    with pytest.raises(
        FileNotFoundError, match=r"no annotations in COCO's format at .*b.json"
    ):
        DATASETS.build(config)


def test_another_json_is_named(root):
    (root / 'b.json').write_text('[1, 2]')
    config = dict(type='CocoPairDataset', data_root=str(root), ann_file='b.json')
    with pytest.raises(ValueError, match=r'images and annotations .* expected in .*b.json'):
        DATASETS.build(config)


def test_a_missing_image_is_named(root):
    (root / 'a.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'a.jpg'):
        build(root, [annotation(1, TRIANGLE)])


def test_an_image_of_another_size_is_named(root):
    Image.fromarray(np.zeros((60, 81, 3), np.uint8)).save(root / 'a.jpg')
    with pytest.raises(ValueError, match=r'\(60, 80\).* got \(60, 81\) in .*a.jpg'):
        build(root, [annotation(1, TRIANGLE)])


def test_it_is_for_training_only(root):
    with pytest.raises(ValueError, match='for training, got test_mode=True'):
        build(root, [annotation(1, TRIANGLE)], test_mode=True)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(image_id=8), 'an image_id among images expected, got 8'),
        (dict(bbox=[10, 10, 0, 40]), 'a bbox .* with extent expected, got .10, 10, 0, 40.'),
        (dict(segmentation=TRIANGLE[0]), 'polygons of at least 3 points'),
        (dict(segmentation=[[10, 10, 20, 20, 30, 30]]), 'at least one pixel expected'),
        (dict(segmentation=[[90, 70, 99, 70, 99, 80]]), 'at least one pixel expected'),
        (dict(segmentation=dict(size=[60, 80], counts=[4800])), 'at least one pixel'),
        (
            dict(segmentation=encode_mask(np.ones((40, 100)))),
            r'RLE of size \(60, 80\) expected, got \[40, 100\]',
        ),
    ],
)
def test_an_invalid_instance_is_named_before_training(root, change, message):
    annotations = [annotation(1, TRIANGLE), dict(annotation(41, TRIANGLE), **change)]
    with pytest.raises(ValueError, match=f'{message}.* for annotation 41 in .*a.json'):
        build(root, annotations)
    assert len(build(root, annotations, skip_invalid=True)) == 1


def test_a_missing_key_is_named(root):
    incomplete = annotation(41, TRIANGLE)
    del incomplete['bbox']
    with pytest.raises(ValueError, match='bbox expected for annotation 41'):
        build(root, [annotation(1, TRIANGLE), incomplete])


def test_a_record_has_the_category_of_its_instance(root):
    annotations = [annotation(1, TRIANGLE, category_id=18), annotation(2, TRIANGLE)]
    dataset = build(root, annotations)
    assert [dataset.get_data_info(i)['category'] for i in range(2)] == [18, None]


def test_names_alone_can_be_checked(root):
    (root / 'a.jpg').write_text('not an image')
    assert len(build(root, [annotation(1, TRIANGLE)], check='names')) == 1
    (root / 'a.jpg').unlink()
    with pytest.raises(
        FileNotFoundError, match=r'expected by .*a.json, got none at .*a.jpg'
    ):
        build(root, [annotation(1, TRIANGLE)], check='names')
    with pytest.raises(ValueError, match=r"check must be one of .*, got 'all'"):
        build(root, [annotation(1, TRIANGLE)], check='all')


def test_of_an_instance_without_area_the_masks_counts(root):
    annotations = [annotation(1, TRIANGLE), annotation(2, TRIANGLE)]
    del annotations[0]['area']  # of 600 square pixels
    assert len(build(root, annotations, min_area=500)) == 2
    with pytest.raises(ValueError, match='at least 700 square pixels expected'):
        build(root, annotations, min_area=700)


def test_an_image_that_is_shown_turned_does_not_fit_its_masks(root):
    image = Image.fromarray(np.zeros((60, 80, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6  # a quarter turn
    image.save(root / 'a.jpg', exif=exif)
    with pytest.raises(ValueError, match=r'\(60, 80\).* got \(80, 60\) in .*a.jpg'):
        build(root, [annotation(1, TRIANGLE)])
