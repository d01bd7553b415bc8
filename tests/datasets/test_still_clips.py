"""What `siampolarmask_mm.datasets.still_clips` promises."""

import json

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

from siampolarmask_mm.datasets import MoveStill
from siampolarmask_mm.datasets.still_clips import StillClips
from siampolarmask_mm.datasets.synthetic import write_davis
from siampolarmask_mm.label_images import read_labels

SQUARE = [[10.0, 10.0, 40.0, 10.0, 40.0, 40.0, 10.0, 40.0]]


@pytest.fixture
def stills(tmp_path):
    """A white square on black, a square on grey; both of 30 x 30 pixels."""

    def build(number=2):
        images, annotations = [], []
        for i in range(number):
            picture = np.full((60, 80, 3), 90 * i, np.uint8)
            picture[10:40, 10:40] = 250
            Image.fromarray(picture).save(tmp_path / f'{i}.png')
            images.append(dict(id=i, file_name=f'{i}.png', height=60, width=80))
            square = dict(bbox=[10, 10, 30, 30], area=900, segmentation=SQUARE, iscrowd=0)
            annotations.append(dict(square, id=i, image_id=i, category_id=1))
        content = dict(images=images, annotations=annotations)
        (tmp_path / 'a.json').write_text(json.dumps(content))
        return DATASETS.build(
            dict(
                type='CocoPairDataset',
                ann_file=str(tmp_path / 'a.json'),
                data_prefix=dict(img_path=str(tmp_path)),
                pipeline=[],
            )
        )

    return build


def draw(stills, seed=0, **kwargs):
    clips = StillClips(stills, MoveStill(max_shadow=0, **kwargs))
    return list(clips(np.random.default_rng(seed), 8))


def test_the_object_moves_evenly_over_another_image(stills):
    middles = []
    for frame, labels in draw(stills()):
        assert frame.shape == (60, 80, 3)
        assert (
            frame[labels == 1] > 150
        ).mean() > 0.6  # blurred by its motion at its border
        middles.append(np.argwhere(labels).mean(0))
    steps = np.diff(middles, axis=0)
    assert np.hypot(*steps.T).max() > 0.2
    assert np.abs(steps - steps.mean(0)).max() < 0.6  # pixels; at the border more hides


def test_one_generator_draws_one_clip(stills):
    stills = stills()
    one, again, other = (draw(stills, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(one, other, strict=True))


def test_objects_of_one_image_cannot_move_over_another(stills):
    with pytest.raises(ValueError, match='at least two images expected, got one image'):
        draw(stills(number=1))


def test_clips_are_written_in_the_layout_of_davis(stills, tmp_path):
    write_davis(tmp_path / 'out', dict(train=2), num_frames=4, draw=StillClips(stills()))
    for name in ('train000', 'train001'):
        labels = read_labels(tmp_path / f'out/Annotations/480p/{name}/00003.png')
        assert set(np.unique(labels)) == {0, 1}
    names = (tmp_path / 'out/ImageSets/2017/train.txt').read_text().split()
    assert names == ['train000', 'train001']
