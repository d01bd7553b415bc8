"""What siampolarmask_mm.datasets.data_check and tools/data_check.py promise."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siampolarmask_mm.datasets.data_check import check_data
from siampolarmask_mm.datasets.mask_tracks import encode_mask
from siampolarmask_mm.label_images import write_labels

ROOT = Path(__file__).parents[2]
SIZE = (20, 30)  # height, width


def write_image(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*size, 3), np.uint8)).save(path)


def labels(*ids):
    image = np.zeros(SIZE, np.uint8)
    for i in ids:
        image[i % 20, 3:9] = i
    return image


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def found(root, **kwargs):
    """All findings, without the folder's name."""
    reports = check_data(root, **kwargs)
    return [str(f).replace(f'{root}/', '') for report in reports for f in report.findings]


def counts(root):
    (report,) = check_data(root)
    return dict(report.counts)


# Videos with labels


def write_videos(root, images, annotations, step=1):
    for video in ('cat', 'dog'):
        for t in range(0, 6 * step, step):
            write_image(root / images / video / f'{t:05d}.jpg')
            path = root / annotations / video / f'{t:05d}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            write_labels(path, labels(1, 2))


@pytest.fixture
def davis(tmp_path):
    write_videos(tmp_path, 'JPEGImages/480p', 'Annotations/480p')
    (tmp_path / 'ImageSets/2017').mkdir(parents=True)
    (tmp_path / 'ImageSets/2017/train.txt').write_text('cat\ndog\n')
    return tmp_path


@pytest.fixture
def youtube_vos(tmp_path):
    write_videos(tmp_path, 'JPEGImages', 'Annotations', step=5)
    objects = {str(i): dict(category='pet', frames=['00000']) for i in (1, 2)}
    videos = {video: dict(objects=objects) for video in ('cat', 'dog')}
    (tmp_path / 'meta.json').write_text(json.dumps(dict(videos=videos)))
    return tmp_path


def test_sound_videos_are_counted(davis):
    assert found(davis) == []
    assert counts(davis) == dict(videos=2, objects=4, frames=12, masks=24)


def test_all_that_is_wrong_with_videos_is_found_at_once(davis):
    frames, annotations = davis / 'JPEGImages/480p', davis / 'Annotations/480p'
    cut(frames / 'cat/00000.jpg')
    (frames / 'cat/00001.jpg').write_text('no image')
    write_image(frames / 'cat/00003.jpg', (20, 31))
    (annotations / 'cat/00002.png').unlink()
    (frames / 'dog/00001.jpg').unlink()
    broken = annotations / 'dog/00003.png'
    broken.write_bytes(broken.read_bytes()[:60])
    write_labels(annotations / 'dog/00002.png', labels())
    write_labels(annotations / 'dog/00000.png', labels(1)[:, :-1])
    (davis / 'ImageSets/2017/train.txt').write_text('cat\ncow\n')
    folder = 'Annotations/480p'
    assert found(davis) == [
        'JPEGImages/480p/cat/00002.jpg: error: no label image for this frame',
        'JPEGImages/480p/cat/00000.jpg: error: a whole JPEG expected, but it breaks off',
        'JPEGImages/480p/cat/00001.jpg: error: an image expected, got something else in it',
        'JPEGImages/480p/cat/00003.jpg: error: '
        'size (20, 30) of the other frames expected, got (20, 31)',
        f'{folder}/cat/00003.png: error: size (20, 31) of its frame expected, got (20, 30)',
        f'{folder}/dog/00001.png: error: no frame of that name',
        'JPEGImages/480p/dog/00000.jpg: error: the next frame is 00002.jpg',
        f'{folder}/dog/00000.png: error: size (20, 30) of its frame expected, got (20, 29)',
        f'{folder}/dog/00003.png: error: a PNG of labels expected, it cannot be read',
        f'{folder}/dog: warning: no object in 1 label image: 00002',
        'ImageSets/2017/train.txt: error: no folder for cow',
    ]


def test_a_video_without_frames_labels_or_objects_is_found(davis):
    shutil.rmtree(davis / 'JPEGImages/480p/cat')
    shutil.rmtree(davis / 'Annotations/480p/dog')
    assert found(davis) == [
        'JPEGImages/480p/cat: error: no frame (.jpg or .png)',
        'Annotations/480p/dog: error: no label image (.png)',
    ]
    for path in (davis / 'Annotations/480p/cat').iterdir():
        write_labels(path, labels())
    assert 'Annotations/480p/cat: error: no object in any label image' in found(davis)


def test_one_label_of_255_is_an_object_and_beside_others_is_none(davis):
    folder = davis / 'Annotations/480p/cat'
    for path in folder.iterdir():
        write_labels(path, labels(255))
    assert found(davis) == []
    write_labels(folder / '00001.png', labels(1, 255))
    (finding,) = found(davis)
    assert finding.startswith(
        'Annotations/480p/cat: error: label 255 beside 1 in 00000, 00001, 00002 and 3 more'
    )


def test_every_fifth_frame_may_have_labels_alone(youtube_vos):
    assert found(youtube_vos) == []
    for t in range(30):
        write_image(youtube_vos / f'JPEGImages/cat/{t:05d}.jpg')
    assert found(youtube_vos) == []
    (youtube_vos / 'Annotations/cat/00010.png').unlink()
    assert found(youtube_vos) == [
        'JPEGImages/cat/00010.jpg: error: no label image for this frame'
    ]


def test_a_test_set_has_the_first_masks_alone(youtube_vos):
    for t in (5, 15, 20):
        (youtube_vos / f'Annotations/cat/{t:05d}.png').unlink()
    assert found(youtube_vos) == []


def test_labels_are_compared_with_meta(youtube_vos):
    meta = json.loads((youtube_vos / 'meta.json').read_text())
    meta['videos']['cat']['objects'] = {'1': dict(category=''), '9': dict(category='pet')}
    meta['videos']['cow'] = meta['videos'].pop('dog')
    (youtube_vos / 'meta.json').write_text(json.dumps(meta))
    assert found(youtube_vos) == [
        'Annotations/cat: error: label 2 not in meta.json',
        'Annotations/cat: error: object 9 of meta.json in no label image',
        'Annotations/cat: warning: object 1 without category in meta.json',
        'Annotations/dog: warning: not in meta.json, so it is not trained on',
        'meta.json: error: video cow has no folder',
    ]
    (youtube_vos / 'meta.json').write_text('{')
    assert found(youtube_vos) == [
        'meta.json: error: videos with their objects expected in it'
    ]


# The json of COCO

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


# The json of YouTube-VIS


@pytest.fixture
def youtube_vis(tmp_path):
    for t in range(2):
        write_image(tmp_path / f'train/JPEGImages/v1/{5 * t:05d}.jpg')

    def write(annotations):
        names = [f'v1/{5 * t:05d}.jpg' for t in range(2)]
        videos = [
            dict(id=1, file_names=names, height=20, width=30),
            dict(id=2, file_names=[], height=20, width=30),
            dict(id=3),
        ]
        path = tmp_path / 'train/instances.json'
        categories = [dict(id=26, name='dog')]
        content = dict(videos=videos, annotations=annotations, categories=categories)
        path.write_text(json.dumps(content))
        return path

    return write


def test_all_that_is_wrong_with_tracks_is_found_at_once(youtube_vis, tmp_path):
    mask = encode_mask(labels(1))
    track = dict(id=1, video_id=1, category_id=26, segmentations=[mask, None])
    cut(tmp_path / 'train/JPEGImages/v1/00005.jpg')
    path = youtube_vis(
        [
            dict(track, bboxes=[[3, 1, 6, 1], None]),
            dict(track, id=2, segmentations=[mask]),
            dict(track, id=3, bboxes=[None, [3, 1, 6, 1]], category_id=27),
        ]
    )
    assert [finding.replace(f'{path}: ', '') for finding in found(path)] == [
        'error: video 3: file_names, height, width expected',
        'error: category 27 of 1 annotation not in categories',
        'error: annotation 2: 2 segmentations expected, got 1',
        'warning: annotation 3: bboxes where there is no mask, or none',
        'warning: video 2 without annotation',
        f'{tmp_path}/train/JPEGImages/v1/00005.jpg: error: '
        'a whole JPEG expected, but it breaks off',
    ]
    assert counts(path) == dict(videos=2, objects=3, frames=2, masks=2)


# Images with masks


def test_all_that_is_wrong_with_images_and_masks_is_found_at_once(tmp_path):
    for name in 'abcdef':
        write_image(tmp_path / f'Image/{name}.jpg')
        (tmp_path / 'Mask').mkdir(exist_ok=True)
        Image.fromarray(labels(200)).save(tmp_path / f'Mask/{name}.png')
    assert found(tmp_path) == []
    assert counts(tmp_path) == dict(objects=6, frames=6, masks=6)
    Image.fromarray(labels(127)).save(tmp_path / 'Mask/a.png')
    write_image(tmp_path / 'Mask/b.png')
    Image.fromarray(np.full((20, 31), 255, np.uint8)).save(tmp_path / 'Mask/c.png')
    (tmp_path / 'Mask/d.png').unlink()
    (tmp_path / 'Image/e.jpg').unlink()
    assert found(tmp_path) == [
        'Image/d.jpg: error: no mask in Mask',
        'Mask/e.png: error: no image in Image',
        'Mask/a.png: error: no pixel above 127',
        'Mask/b.png: error: an indexed or grey PNG of labels expected, got mode RGB in it',
        'Mask/c.png: error: size (20, 30) of its image expected, got (20, 31)',
        'Mask/c.png: warning: the object fills the image',
    ]


def test_images_and_masks_may_share_a_folder(tmp_path):
    for name in 'ab':
        write_image(tmp_path / f'{name}.jpg')
        Image.fromarray(labels(200)).save(tmp_path / f'{name}.png')
    assert counts(tmp_path) == dict(objects=2, frames=2, masks=2)


# Videos with boxes


def write_boxed(folder, boxes, inner=''):
    for t in range(3):
        write_image(folder / inner / f'{t + 1:08d}.jpg')
    (folder / 'groundtruth.txt').write_text('\n'.join(boxes) + '\n')


def test_all_that_is_wrong_with_boxes_is_found_at_once(tmp_path):
    sound = ['3,4,5,6'] * 3
    write_boxed(tmp_path / 'train/GOT-10k_Train_000001', sound)
    write_boxed(tmp_path / 'train/GOT-10k_Train_000002', [*sound[:2], '30,4,5,6'])
    write_boxed(tmp_path / 'train/GOT-10k_Train_000003', ['3,4,5,6', 'nan', '3,4,5'])
    write_boxed(tmp_path / 'train/GOT-10k_Train_000004', ['3,4,0,0', '27,4,5,6', sound[0]])
    (tmp_path / 'train/GOT-10k_Train_000001/absence.label').write_text('0\n0\n')
    write_boxed(tmp_path / 'train/GOT-10k_Train_000005', sound[:2])
    prefix = 'train/GOT-10k_Train_00000'
    assert found(tmp_path) == [
        f'{prefix}1/cover.label: error: missing',
        f'{prefix}1/absence.label: error: 3 numbers expected, got 2',
        f'{prefix}2/groundtruth.txt: error: 1 box outside the frame (20, 30), in line 3',
        f"{prefix}3/groundtruth.txt:2: error: a box (x, y, w, h) expected, got 'nan'",
        f'{prefix}4/groundtruth.txt: warning: 1 box without extent, in line 1',
        f'{prefix}5/groundtruth.txt: error: a box for each of 3 frames expected, got 2',
    ]
    assert counts(tmp_path) == dict(videos=5, objects=5, frames=15, boxes=11)


def test_boxes_of_a_hidden_object_may_be_anything(tmp_path):
    write_boxed(tmp_path / 'cat/cat-1', ['3,4,5,6', '0,0,0,0', '90,4,5,6'], 'img')
    assert len(found(tmp_path)) == 2
    (tmp_path / 'cat/cat-1/full_occlusion.txt').write_text('0,1,0')
    (tmp_path / 'cat/cat-1/out_of_view.txt').write_text('0,0,1')
    assert found(tmp_path) == []


def test_frames_of_trackingnet_lie_beside_the_boxes(tmp_path):
    for t in range(2):
        write_image(tmp_path / f'TRAIN_0/frames/v_0/{t}.jpg')
    (tmp_path / 'TRAIN_0/anno').mkdir()
    (tmp_path / 'TRAIN_0/anno/v_0.txt').write_text('1,2,3,4\n1,2,3,4\n')
    assert found(tmp_path) == []
    assert counts(tmp_path) == dict(videos=1, objects=1, frames=2, boxes=2)


# Whatever lies there


def test_a_folder_of_datasets_is_checked_one_after_another(tmp_path):
    write_videos(tmp_path / 'DAVIS', 'JPEGImages/480p', 'Annotations/480p')
    write_boxed(tmp_path / 'sot/OTB/cat', ['3,4,5,6'] * 3, 'img')
    titles = [report.title.split(' in ')[0] for report in check_data(tmp_path)]
    assert titles == ['boxed videos', 'labeled videos']


def test_another_layout_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'JPEGImages and Annotations .* expected at'):
        list(check_data(tmp_path))
    with pytest.raises(FileNotFoundError, match=r'nothing at .*nowhere'):
        list(check_data(tmp_path / 'nowhere'))


def test_the_tool_prints_a_line_each_and_fails_on_errors(davis):
    command = [sys.executable, '-W', 'ignore', ROOT / 'tools/data_check.py', davis]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    summary = f'labeled videos in {davis}: 2 videos, 4 objects, 12 frames, 24 masks, '
    assert run.stdout.splitlines() == [f'{summary}0 errors, 0 warnings'], run.stderr
    assert run.returncode == 0
    path = davis / 'JPEGImages/480p/cat/00000.jpg'
    cut(path)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.splitlines() == [
        f'{path}: error: a whole JPEG expected, but it breaks off',
        f'{summary}1 error, 0 warnings',
    ]
    assert run.returncode == 1
