"""What data_check promises of YouTube-VIS's json."""

import json

import pytest
from findings import counts, cut, found, labels, write_image

from siampolarmask_mm.datasets.mask_tracks import encode_mask


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
