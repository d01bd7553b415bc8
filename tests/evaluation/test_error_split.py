"""What splitting a tracker's errors promises."""

import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, MODELS
from mmengine.structures import InstanceData
from numpy.testing import assert_equal
from torch.testing import assert_close

from siampolarmask_mm.evaluation.error_split import (
    Errors,
    place_truly,
    read_frames,
    split_errors,
    true_prediction,
)
from siampolarmask_mm.visualization.error_curves import draw_errors, fill_panel


@pytest.fixture
def dataset(clips, test_pipeline):
    return DATASETS.build(
        dict(
            type='DAVISDataset',
            data_root=str(clips),
            ann_file='ImageSets/2017/val.txt',
            objects='all',
            pipeline=test_pipeline,
            test_mode=True,
        )
    )


@pytest.fixture
def frames(dataset):
    return read_frames(dataset, 0)


@pytest.fixture
def model(model_config):
    """Unions of an untrained network."""
    model_config['head']['num_rays'] = 36
    model_config['assigner']['representation'] = 'visible_union'
    model_config['decoder'].update(decoding='visible_union', fusion='vote', threshold=0.5)
    model = MODELS.build(model_config)
    model.init_weights()
    return model.eval()


def test_frames_have_the_truth_of_all_objects(frames):
    for frame in frames:
        assert frame.masks.dtype == bool
        for mask, box in zip(frame.masks, frame.boxes, strict=True):
            rows, columns = mask.nonzero()
            expected = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert box.tolist() == list(map(float, expected))


def test_the_ceiling_is_what_the_targets_hold_and_an_untrained_network_is_far_below(
    model, frames
):
    errors = split_errors(model, frames)
    assert all(len(values) == len(frames) - 2 for values in errors)
    assert errors.ceiling.mean() > 0.75  # of objects of some 20 pixels
    assert errors.placed.mean() < 0.6 * errors.ceiling.mean()


def test_a_network_that_is_right_loses_nothing(model, frames, monkeypatch):
    tracker = model.tracker
    follow = type(tracker).follow
    number = iter([1, 2, 3] * 3)

    def follow_rightly(self, frame, *args):
        masks = frames[next(number)].masks
        crops = [self.window(item, masks.shape[1:]) for item in self.objects]
        seen = [c.cut_mask(m.astype(np.uint8)) for c, m in zip(crops, masks, strict=True)]
        seen = torch.from_numpy(np.stack(seen)).bool()
        hook = model.head.register_forward_hook(
            lambda _, __, prediction: true_prediction(model, seen, prediction)
        )
        follow(self, frame, *args)
        hook.remove()

    monkeypatch.setattr(type(tracker), 'follow', follow_rightly)
    errors = split_errors(model, frames)
    assert_equal(errors.placed, errors.ceiling)
    assert abs(errors.place.mean()) < 0.2  # of tiny objects that jump


@pytest.mark.parametrize(
    'changes',
    [
        dict(),
        dict(memory=dict(type='TemplateMemory', above=0.0, every=1)),
        dict(lost_and_found=dict(type='LostAndFound'), calibrate_size=True),
    ],
    ids=['union', 'memory', 'lost'],
)
def test_the_ceiling_is_the_same_whatever_the_network_has_learned(
    model_config, frames, changes
):
    config = copy.deepcopy(model_config) | changes
    config['head']['num_rays'] = 36
    config['assigner']['representation'] = 'visible_union'
    config['decoder'].update(decoding='visible_union', fusion='vote')  # finds a threshold
    errors = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        errors.append(split_errors(MODELS.build(config).eval(), frames))
    assert_equal(errors[0].ceiling, errors[1].ceiling)
    assert errors[0].ceiling.mean() > 0.75
    assert (errors[0].tracked != errors[1].tracked).any()


def test_true_stars_are_not_mixed_into_what_is_seen(model_config, frames):
    """Of one star, whose mask is the smoothed one's, and a network of tiny stars."""
    model_config['decoder'].update(update_rate=0.01)
    model = MODELS.build(model_config).eval()
    torch.nn.init.constant_(model.head.rays.bias, -1)
    assert split_errors(model, frames).placed.mean() < 0.3
    assert model.decoder.update_rate == 0.01


def test_what_does_not_count_is_not_scored(model, frames):
    errors = split_errors(model, frames)
    last = frames[4]._replace(masks=~frames[4].masks)
    assert_equal(split_errors(model, [*frames[:4], last]), errors)
    unknown = frames[2]._replace(masks=frames[2].masks & False, annotated=False)
    some = split_errors(model, [*frames[:2], unknown, *frames[3:]])
    assert len(some.ceiling) == len(errors.ceiling) - 1
    assert some.ceiling.mean() > 0.75  # an empty truth would have counted as 0


def test_the_network_is_left_as_it_was(model, frames):
    before = split_errors(model, frames)
    assert 'predict' not in vars(model.tracker)
    assert_equal(split_errors(model, frames), before)


def test_an_object_that_is_nowhere_stays_where_it_was(model, frames):
    with torch.no_grad():
        model.test_step(frames[0].batch)
    item = model.tracker.objects[0]
    item.frames_lost = 4
    before = copy.copy(item)
    nowhere = frames[0]._replace(masks=np.zeros_like(frames[0].masks))
    with place_truly(model, nowhere, frames[1]):
        pass
    assert item.frames_lost == 4
    assert_close(item.box, before.box)
    with place_truly(model, frames[2], frames[3]):
        assert model.decoder.update_rate is None
    assert item.frames_lost == 0
    assert item.look is None
    assert item.box.tolist() == frames[2].boxes[0].tolist()


def test_other_heads_and_short_videos_are_refused(model, frames):
    with pytest.raises(ValueError, match='at least 3 frames expected, got 2'):
        split_errors(model, frames[:2])
    hidden = frames[0]._replace(masks=np.zeros_like(frames[0].masks))
    with pytest.raises(ValueError, match='all given in the first frame expected'):
        split_errors(model, [hidden, *frames[1:]])
    model.head.PREDICTION = InstanceData
    with pytest.raises(TypeError, match='a PolarHead expected'):
        split_errors(model, frames)


def test_parts_have_their_signs():
    errors = Errors(*np.array([[0.5, 0.6], [0.7, 0.5], [0.9, 0.8]]))
    parts = errors.place, errors.shape, errors.representation
    assert np.array(parts) == pytest.approx(np.array([[0.2, -0.1], [0.2, 0.3], [0.1, 0.2]]))


def test_the_picture_stacks_what_is_missing(tmp_path):
    errors = Errors(*np.array([[0.5, 0.4], [0.7, 0.3], [0.9, 0.8]]))
    drawn = []

    class Panel:
        def fill_between(self, _, low, high, **__):
            drawn.append([*low, *high])

        def plot(self, _, values, **__):
            assert_equal(values, errors.tracked)

    fill_panel(Panel(), errors)
    assert drawn == [
        [0, 0, 0.5, 0.4],
        [0.5, 0.4, 0.7, 0.4],
        [0.7, 0.4, 0.9, 0.8],
        [0.9, 0.8, 1, 1],
    ]
    picture = tmp_path / 'new/errors.png'
    draw_errors(picture, [('one', errors), ('two', errors)])
    assert cv2.imread(str(picture)) is not None
