"""What data_check promises of COCO's json."""

import json
import shutil

import pytest
from findings import counts, cut, found, write_image

TRIANGLE = [[4, 4, 20, 4, 4, 16]]


def instance(number, **kwargs):
    defaults = dict(
        id=number, image_id=7, category_id=18, bbox=[4, 4, 16, 12], segmentation=TRIANGLE
    )
    return dict(defaults, **kwargs)


@pytest.fixture
def coco(tmp_path):
    write_image(tmp_path / 'train2017/a.jpg')
    (tmp_path / 'annotations').mkdir()

    def write(annotations, **kwargs):
        image = dict(id=7, file_name='a.jpg', height=20, width=30)
        content = dict(
            images=[image], annotations=annotations, categories=[dict(id=18, name='dog')]
        )
        path = tmp_path / 'annotations/instances_train2017.json'
        path.write_text(json.dumps(dict(content, **kwargs)))
        return path

    return write


def test_sound_instances_are_counted(coco):
    path = coco([instance(1), instance(2, iscrowd=1, segmentation=None)])
    assert found(path) == []
    assert counts(path) == dict(objects=1, frames=1, masks=1)
    assert counts(path.parent.parent) == counts(path)


def test_all_that_is_wrong_with_instances_is_found_at_once(coco):
    path = coco(
        [
            instance(1),
            instance(1),
            instance(2, image_id=8),
            instance(3, bbox=[]),
            instance(4, segmentation=[['a', 'b', 'c', 'd', 'e', 'f']]),
            instance(5, segmentation=[[10, 10, 15, 15, 20, 20]], bbox=[10, 10, 10, 10]),
            instance(6, bbox=[20, 4, 16, 12]),
            instance(7, category_id=19),
        ]
    )
    here = path.name
    findings = [finding.split('annotations/')[-1] for finding in found(path)]
    assert findings[:5] == [
        f'{here}: error: id 1 stands for 2 annotations',
        f'{here}: error: category 19 of 1 annotation not in categories',
        f'{here}: error: annotation 2: an image_id among images expected, got 8',
        f'{here}: error: annotation 3: '
        'a bbox (x, y, width, height) with extent expected, got []',
        findings[4],
    ]
    assert findings[4].startswith(f'{here}: error: annotation 4: cannot be read')
    assert findings[5:] == [
        f'{here}: error: annotation 5: a mask with at least one pixel expected, got none',
        f'{here}: warning: annotation 6: '
        'bbox [20, 4, 16, 12] lies outside the image (20, 30)',
        f'{here}: warning: annotation 6: bbox is 16 pixels off the mask',
    ]


def test_images_of_a_json_are_read(coco):
    path = coco([instance(1)])
    image = path.parent.parent / 'train2017/a.jpg'
    write_image(image, (20, 31))
    assert found(path) == [
        f'{image}: error: size (20, 30) in the json file, (20, 31) in the image'
    ]
    shutil.move(image.parent, image.parent.parent / 'elsewhere')
    (finding,) = found(path)
    assert finding.endswith('its images were not found; name their folder with --images')
    elsewhere = image.parent.parent / 'elsewhere'
    assert found(path, images=elsewhere)[0].startswith(f'{elsewhere}/a.jpg: error: size')
    (elsewhere / 'a.jpg').unlink()
    assert found(path, images=elsewhere) == [f'{elsewhere}/a.jpg: error: missing']


def test_an_image_that_is_named_twice_or_not_used_is_found(coco):
    image = dict(id=7, file_name='a.jpg', height=20, width=30)
    path = coco([instance(1)], images=[image, dict(image, id=8), dict(id=9)])
    assert [finding.split('.json: ')[1] for finding in found(path)] == [
        'error: image 9: file_name, height, width expected',
        'warning: 1 image without annotation',
        'error: 1 image with the file name of another',
    ]


def test_a_json_that_breaks_off_is_found(coco):
    path = coco([instance(1)])
    cut(path)
    (finding,) = found(path)
    assert finding.startswith(f'{path}: error: no json')
