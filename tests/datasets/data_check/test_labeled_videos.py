"""What data_check promises of folders of frames beside folders of label images."""

import json
import shutil

import pytest
from findings import counts, cut, found, labels, write_image, write_videos

from siampolarmask_mm.label_images import write_labels


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


def test_two_frames_may_be_far_from_each_other(youtube_vos):
    for t in (5, 10, 15, 20):
        (youtube_vos / f'JPEGImages/cat/{t:05d}.jpg').unlink()
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
