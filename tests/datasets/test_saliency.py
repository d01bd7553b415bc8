"""What SaliencyPairDataset promises."""

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image
from pycocotools import mask as coco_mask


def write(folder, name, mask=None, size=(20, 30)):
    folder.mkdir(exist_ok=True)
    array = np.zeros((*size, 3), np.uint8) if mask is None else mask
    Image.fromarray(array).save(folder / name)


def grey(level=255):
    mask = np.zeros((20, 30), np.uint8)
    mask[4:8, 3:9] = level
    mask[8, 3:9] = 127  # a soft edge
    return mask


@pytest.fixture
def root(tmp_path):
    for name in ('b', 'a'):
        write(tmp_path / 'DUTS-TR-Image', f'{name}.jpg')
        write(tmp_path / 'DUTS-TR-Mask', f'{name}.png', grey())
    return tmp_path


def build(root, **kwargs):
    return DATASETS.build(
        dict(type='SaliencyPairDataset', data_root=str(root), pipeline=[], **kwargs)
    )


def test_an_image_is_a_video_of_one_frame_and_object(root):
    dataset = build(root)
    record = dataset.get_data_info(0)
    assert (len(dataset), record['name'], record['category']) == (2, 'a', None)
    video, other = dataset[0]
    assert video['bboxes'].tolist() == [[3, 4, 9, 8]]
    assert np.array_equal(coco_mask.decode(video['masks'][0]), grey() > 127)
    assert video['img_paths'][0].endswith('DUTS-TR-Image/a.jpg')
    assert other['img_paths'][0].endswith('DUTS-TR-Image/b.jpg')


def test_the_threshold_is_free(root):
    assert build(root, threshold=126)[0][0]['bboxes'].tolist() == [[3, 4, 9, 9]]


def test_images_and_masks_may_share_a_folder(tmp_path):  # MSRA10K
    write(tmp_path, 'a.jpg')
    write(tmp_path, 'a.png', grey())
    video, _ = build(tmp_path, data_prefix=dict(img_path='', mask_path=''))[0]
    assert video['img_paths'][0].endswith('a.jpg')
    assert video['bboxes'].tolist() == [[3, 4, 9, 8]]


def test_small_objects_are_left_out(root):
    write(root / 'DUTS-TR-Mask', 'a.png', np.pad(grey()[:5, :7], ((0, 15), (0, 23))))
    assert len(build(root)) == 2
    assert len(build(root, min_area=5)) == 1  # 1 x 4 pixels
    with pytest.raises(
        ValueError, match=r'at least 25 square pixels .* got none in .*Mask'
    ):
        build(root, min_area=25)


def test_an_empty_mask_is_named_or_left_out(root):
    write(root / 'DUTS-TR-Mask', 'a.png', grey(127))
    with pytest.raises(
        ValueError, match=r'a pixel above 127 expected, got none in .*a.png'
    ):
        build(root)
    assert len(build(root, skip_invalid=True)) == 1


def test_a_missing_half_of_a_pair_is_named(root):
    write(root / 'DUTS-TR-Image', 'c.jpg')
    with pytest.raises(FileNotFoundError, match=r'no mask for .*c.jpg in .*DUTS-TR-Mask'):
        build(root)
    (root / 'DUTS-TR-Image/c.jpg').unlink()
    (root / 'DUTS-TR-Image/b.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'no image for .*b.png in .*Image'):
        build(root)
    with pytest.raises(FileNotFoundError, match=r'no folder .*nowhere'):
        build(root / 'nowhere')


def test_a_mask_of_another_size_is_named(root):
    write(root / 'DUTS-TR-Image', 'a.jpg', size=(20, 31))
    with pytest.raises(ValueError, match=r'\(20, 31\) expected, got \(20, 30\) in .*a.png'):
        build(root)


def test_it_is_for_training_only(root):
    with pytest.raises(ValueError, match='for training, got test_mode=True'):
        build(root, test_mode=True)
