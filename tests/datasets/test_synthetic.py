"""What the synthetic clips promise."""

import numpy as np
import pytest
from PIL import Image

from siampolarmask_mm.datasets.synthetic import clip_frames, write_davis


def clip(seed, num_frames=12):
    frames = list(clip_frames(np.random.default_rng(seed), num_frames, (90, 160)))
    return np.stack([f for f, _ in frames]), np.stack([labels for _, labels in frames])


def test_a_seed_decides_everything():
    for one, other in zip(clip(3), clip(3), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(clip(3)[1], clip(4)[1])


@pytest.mark.parametrize('seed', range(8))
def test_both_objects_are_to_be_seen_at_first_and_move(seed):
    _, labels = clip(seed)
    for label in (1, 2):
        first = labels[0] == label
        assert first.sum() > 100
        last = labels[-1] == label
        assert (first & last).sum() < 0.9 * (first | last).sum()


def test_labels_lie_where_the_texture_is():
    """Inside and outside of an object the colors differ, frame by frame."""
    frames, labels = clip(0)
    for frame, label in zip(frames, labels, strict=True):
        inside = frame[label == 1].mean(0)
        assert np.abs(inside - frame[label == 0].mean(0)).max() > 20


def test_files_are_in_the_layout_of_davis_and_the_same_again(tmp_path):
    for name in ('a', 'b'):
        write_davis(
            tmp_path / name, dict(train=1, val=1), num_frames=3, size=(48, 64), seed=5
        )
    files = sorted(p.relative_to(tmp_path / 'a') for p in (tmp_path / 'a').rglob('*.*'))
    assert len(files) == 2 * 3 * 2 + 4
    for file in files:
        assert (tmp_path / 'a' / file).read_bytes() == (tmp_path / 'b' / file).read_bytes()
    labels = np.array(Image.open(tmp_path / 'a/Annotations/480p/val000/00000.png'))
    assert np.unique(labels).tolist() == [0, 1, 2]


def test_clips_are_never_overwritten(tmp_path):
    write_davis(tmp_path, dict(val=1), num_frames=3, size=(48, 64))
    with pytest.raises(FileExistsError, match='holds clips already'):
        write_davis(tmp_path, dict(val=1), num_frames=3, size=(48, 64))


@pytest.mark.parametrize('arguments', [dict(num_frames=2), dict(size=(16, 64))])
def test_clips_that_cannot_be_scored_are_refused(tmp_path, arguments):
    with pytest.raises(ValueError, match='at least 3 frames of 32 pixels expected'):
        write_davis(tmp_path, dict(val=1), **arguments)
