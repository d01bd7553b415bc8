"""A folder that two test files check."""

import pytest
from findings import write_videos


@pytest.fixture
def davis(tmp_path):
    write_videos(tmp_path, 'JPEGImages/480p', 'Annotations/480p')
    (tmp_path / 'ImageSets/2017').mkdir(parents=True)
    (tmp_path / 'ImageSets/2017/train.txt').write_text('cat\ndog\n')
    return tmp_path
