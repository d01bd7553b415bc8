"""What PolarTracker promises of growing, lost and later objects, seen by a true head."""

import copy
import math

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.registry import MODELS
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample
from torch.testing import assert_close
from true_world import SURE, TrueWorld, disk_box

from siampolarmask_mm.crops import Crop, crop_around
from siampolarmask_mm.models import PolarDecoder
from siampolarmask_mm.models.decoded import Choice, Decoded, Star
from siampolarmask_mm.models.given_objects import given_objects
from siampolarmask_mm.models.running_network import RunningNetwork
from siampolarmask_mm.models.tracked_object import Look, TrackedObject

SIZE = 200, 240  # height and width of the frames
FRAME = torch.full((1, 3, *SIZE), 100, dtype=torch.uint8)


@pytest.fixture
def make(model_config, monkeypatch):
    """Builds a model in a world of these disks."""

    def make(*disks, decoder=None, **kwargs):
        model_config['head']['num_rays'] = 36
        config = dict(copy.deepcopy(model_config), **kwargs)
        config['decoder'].update(window_influence=0.1, **(decoder or {}))
        model = MODELS.build(config)
        model.init_weights()
        return model.eval(), TrueWorld(model, monkeypatch, list(disks))

    return make


def sample(frame_id, boxes=(), given=None):
    data_sample = TrackDataSample(metainfo=dict(frame_id=frame_id))
    if given is not None:
        data_sample.set_metainfo(dict(instances=[dict(given=flag) for flag in given]))
    data_sample.gt_instances = InstanceData(bboxes=torch.tensor(boxes).reshape(-1, 4))
    return data_sample


def step(model, frame_id, boxes=(), given=None, frame=FRAME):
    batch = dict(inputs=dict(img=[frame]), data_samples=[sample(frame_id, boxes, given)])
    with torch.no_grad():
        return model.test_step(batch)[0].pred_track_instances


def width(result):
    return (result.bboxes[0, 2] - result.bboxes[0, 0]).item()


def disk_mask(x, y, radius):
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).astype(np.uint8)


# Growth and shrinkage


def follow(model, world, radii):
    """Logarithms of found over true widths."""
    world.disks = [(119.5, 99.5, radii[0])]
    step(model, 0, [disk_box(*world.disks[0])])
    ratios = []
    for t, radius in enumerate(radii[1:], start=1):
        world.disks = [(119.5, 99.5, radius)]
        ratios.append(math.log(width(step(model, t)) / (2 * radius)))
    return ratios


@pytest.mark.parametrize('decoding', ['one_star', 'visible_union'])
@pytest.mark.parametrize('first', [1.1, 1 / 1.1])
def test_ten_frames_of_growth_and_ten_of_shrinkage_are_followed(make, decoding, first):
    radii = [24 * first**k for k in [*range(11), *range(9, -1, -1)]]
    model, world = make(decoder=dict(decoding=decoding))
    ratios = follow(model, world, radii)
    # A rate of 0.3 lags at most log(1.1) (1 - 0.3) / 0.3 = 0.22 behind, where rates are
    # ratios, and 0.27 where they are differences; centerness and a crop's pixels add some.
    assert all(abs(ratio) < 0.4 for ratio in ratios)
    assert ratios[9] * ratios[-1] < 0  # behind in both directions


def test_a_union_grows_and_shrinks_alike(make):
    """Sizes are averaged as ratios: by one factor, up and down lag by the same ratio."""
    lags = []
    for factor in (1.1, 1 / 1.1):
        decoder = dict(decoding='visible_union', update_rate=0.5)
        # Finer crops, since the box of a mask of few pixels is half a pixel too small.
        model, world = make(decoder=decoder, template_size=97, search_size=193)
        lags.append(follow(model, world, [24 * factor**k for k in range(11)])[-1])
    assert lags[0] < -0.05
    assert lags[0] + lags[1] == pytest.approx(0, abs=0.02)


def test_a_union_s_box_moves_by_rate_times_score_times_penalty():
    """By hand, in a crop of the image's scale: from 20 x 20 to 40 x 10 pixels."""
    confidence = torch.zeros(65, 65)
    confidence[27:37, 12:52] = 0.9
    seen = Star(torch.tensor([32.0, 32.0]), torch.full((12,), 6.0))
    choice = Choice(seen, score=0.8, penalty=0.5)
    look = Look(Crop((82.0, 72.0), 1.0, 65), Decoded(choice, lambda: confidence))
    item = TrackedObject([()], seen, torch.tensor([40.0, 40.0, 60.0, 60.0]))
    decoder = PolarDecoder(update_rate=0.5, decoding='visible_union')
    item.update(look, decoder, SIZE)
    width, height = 20 * 2**0.2, 20 * 0.5**0.2  # 0.5 * 0.8 * 0.5 of the way
    # The mask's middle, as edges, is (32, 32) in the crop, whose corner is at (50, 40).
    middle = torch.tensor([82.0, 72.0])
    half = torch.tensor([width, height]) / 2
    assert_close(item.box, torch.cat([middle - half, middle + half]))


def test_a_small_object_is_not_magnified_beyond_the_largest_scale(make, monkeypatch):
    scales, cut = [], RunningNetwork.cut
    templates = []

    def record(running, frame, crops):
        if crops[0].size == model.template_size:
            templates.append(crops[0].scale)
        return cut(running, frame, crops)

    monkeypatch.setattr(RunningNetwork, 'cut', record)
    for largest in (None, 0.8, 0.2):
        model, world = make((119.5, 99.5, 24), largest_scale=largest)
        step(model, 0, [disk_box(119.5, 99.5, 24)])
        step(model, 1)
        scales.append(world.crops[0].scale)
        box = model.tracker.objects[0].box
        assert_close(box, torch.tensor(disk_box(119.5, 99.5, 24)), atol=3, rtol=0)
    free = model.template_size / 96  # of a box of 48 x 48 with its context
    assert scales == pytest.approx([free, free, 0.2], rel=0.1)
    assert templates == pytest.approx([free, free, 0.2], rel=0.1)


def test_a_largest_scale_is_above_0(make):
    with pytest.raises(ValueError, match='largest_scale above 0 expected, got 0'):
        make(largest_scale=0)


@pytest.mark.parametrize('decoding', ['one_star', 'visible_union'])
def test_the_next_search_is_around_the_middle_of_what_was_found(make, decoding):
    """Not half a pixel off it, as the middle of a box's edges is."""
    decoder = dict(decoding=decoding, update_rate=None)
    model, world = make(
        (119.5, 99.5, 24), decoder=decoder, template_size=97, search_size=193
    )
    step(model, 0, [disk_box(119.5, 99.5, 24)])
    world.disks = [(124.0, 96.0, 24)]
    step(model, 1)
    step(model, 2)
    assert world.crops[0].center == pytest.approx((124.0, 96.0), abs=0.3)


def test_one_star_grows_and_shrinks_alike(make):
    """Rays are averaged as lengths: by one length, up and down lag by the same length."""
    lags = []
    for start, pixels in ((20, 2), (40, -2)):
        model, world = make(decoder=dict(penalty_k=0.0, update_rate=0.5))
        radii = [start + pixels * k for k in range(11)]
        ratio = follow(model, world, radii)[-1]
        lags.append(2 * radii[-1] * (math.exp(ratio) - 1))
    assert lags[0] < -3
    assert lags[0] + lags[1] == pytest.approx(0, abs=0.5)


# Lost and found


LOST = dict(type='LostAndFound', lost_below=0.3, found_above=0.5, widen=1.3, widest=2.0)


def test_a_lost_object_keeps_its_state_until_it_is_found(make):
    decoder = dict(update_rate=None)
    model, world = make((60, 60, 10), lost_and_found=LOST, decoder=decoder)
    step(model, 0, [disk_box(60, 60, 10)])
    before = step(model, 1)
    assert before.lost.tolist() == [False]
    assert before.confidences.item() == pytest.approx(1, abs=0.05)
    assert before.masks.sum().item() == pytest.approx(math.pi * 100, rel=0.1)

    world.disks = [None]
    for t in (2, 3):
        lost = step(model, t)
        assert lost.lost.tolist() == [True]
        assert lost.confidences.item() < 0.01
        assert not lost.masks.any()
        for field in ('bboxes', 'centers', 'rays'):
            assert torch.equal(lost[field], before[field])

    # At the last location of a window that is twice as wide, outside the usual one.
    x = 60 + 24 * 2 * 40 / 33
    world.disks = [(x, 60, 10)]
    found = step(model, 4)
    assert found.lost.tolist() == [False]
    assert_close(found.centers, torch.tensor([[x, 60.0]]), atol=1.0, rtol=0)
    assert found.masks[0, 60, int(x)]


def test_the_window_widens_while_an_object_is_lost_and_then_no_more(make):
    model, world = make((60, 60, 10), lost_and_found=LOST)
    step(model, 0, [disk_box(60, 60, 10)])
    world.disks = [None]
    widths = []
    for t in range(1, 6):
        step(model, t)
        widths.append(1 / world.crops[0].scale)
    usual = 40 / 33  # the context of a box of 20 x 20, on a template of 33 pixels
    # Sure, then a confidence of 0 after 1, 2, ... frames; 1.3**3 is above the limit.
    expected = [1, 1.3**2, 2.0, 2.0, 2.0]
    assert widths == pytest.approx([usual * times for times in expected], rel=1e-3)

    world.disks = [(60, 60, 10)]
    assert step(model, 6).lost.tolist() == [False]
    step(model, 7)
    assert 1 / world.crops[0].scale == pytest.approx(usual, rel=0.1)


def test_the_window_widens_with_doubt_and_sizes_are_still_right(make):
    model, world = make((60, 60, 20), lost_and_found=LOST)
    step(model, 0, [disk_box(60, 60, 20)])
    world.logits = 0.0  # a score of one half: half of the first frame's confidence
    first = step(model, 1)
    confidence = first.confidences.item()
    assert confidence == pytest.approx(0.5, abs=0.05)
    assert width(first) == pytest.approx(40, rel=0.06)
    second = step(model, 2)
    expected = width(first) * 2 / 33 * 1.3 ** (1 - confidence)
    assert 1 / world.crops[0].scale == pytest.approx(expected, rel=0.02)
    assert width(second) == pytest.approx(40, rel=0.06)


def test_a_window_is_never_wider_than_what_shows_all_of_the_frame(make):
    model, world = make((120, 100, 40), lost_and_found=dict(LOST, widest=50.0))
    step(model, 0, [disk_box(120, 100, 40)])
    world.disks = [None]
    for t in range(1, 12):
        step(model, t)
    assert 65 / world.crops[0].scale == pytest.approx(2 * 240)


def test_a_window_that_shows_more_than_the_frame_is_not_made_narrower(make):
    model, world = make((120, 100, 95), lost_and_found=LOST)
    step(model, 0, [disk_box(120, 100, 95)])
    step(model, 1)
    usual = 380 / 33  # the context of a box of 190 x 190; 65 such pixels are 748 of 240
    assert 1 / world.crops[0].scale == pytest.approx(usual, rel=1e-3)


def test_it_takes_more_to_be_found_than_to_stay(make):
    """With a score of 0.4 an object is followed on, but not found again."""
    model, world = make((60, 60, 10), lost_and_found=LOST)
    step(model, 0, [disk_box(60, 60, 10)])
    world.logits = math.log(0.4 / 0.6)
    assert step(model, 1).lost.tolist() == [False]
    world.disks = [None]
    assert step(model, 2).lost.tolist() == [True]
    world.disks = [(60, 60, 10)]
    assert step(model, 3).lost.tolist() == [True]
    world.logits = SURE
    assert step(model, 4).lost.tolist() == [False]


def test_confidence_is_relative_to_the_first_frame(make):
    """A network that never says more than 0.3 is as sure as can be at 0.3."""
    model, world = make((60, 60, 10), lost_and_found=LOST)
    world.logits = math.log(0.3 / 0.7)
    step(model, 0, [disk_box(60, 60, 10)])
    result = step(model, 1)
    assert result.scores.item() < 0.31
    assert result.confidences.item() == pytest.approx(1, abs=0.05)


def test_a_union_s_threshold_is_sought_among_confidences_as_they_come(make):
    """A network that never says more than 0.3: of 0.2 to 0.3, all as good, the middle."""
    decoder = dict(decoding='visible_union', fusion='capped')
    model, world = make((60, 60, 10), decoder=decoder)
    world.logits = math.log(0.3 / 0.7)
    data_sample = sample(0, [disk_box(60, 60, 10)])
    data_sample.gt_instances.masks = BitmapMasks(disk_mask(60, 60, 10)[None], *SIZE)
    model.test_step(dict(inputs=dict(img=[FRAME]), data_samples=[data_sample]))
    assert model.tracker.objects[0].threshold == pytest.approx(0.25, abs=0.01)


def test_each_object_is_drawn_with_its_own_threshold(make):
    decoder = dict(decoding='visible_union', fusion='capped')
    model, _ = make((60, 60, 10), (150, 100, 15), decoder=decoder)
    step(model, 0, [disk_box(60, 60, 10), disk_box(150, 100, 15)])
    thresholds, settle = [], model.decoder.settle

    def remember(*args):
        thresholds.append(args[3])
        return settle(*args)

    model.decoder.settle = remember
    for item, threshold in zip(model.tracker.objects, (0.3, 0.6), strict=True):
        item.threshold = threshold
    step(model, 1)
    assert thresholds == [0.3, 0.6]


def test_a_box_is_not_taken_for_the_mask_that_a_union_should_be(make):
    model, _ = make((60, 60, 10), decoder=dict(decoding='visible_union'))
    step(model, 0, [disk_box(60, 60, 10)])
    assert model.tracker.objects[0].threshold is None  # one half, then


def test_nothing_is_ever_lost_as_in_the_paper(make):
    model, world = make((60, 60, 10))
    step(model, 0, [disk_box(60, 60, 10)])
    world.disks = [None]
    for t in (1, 2, 3):
        assert step(model, t).lost.tolist() == [False]


# mmtrack's VOT mode


def test_vot_starts_anew_five_frames_after_a_failure(make, monkeypatch):
    """The overlap is vot-toolkit's, which is replaced by that of two boxes here."""
    from mmtrack.models.sot import base

    def overlap(one, other, bounds):
        assert bounds == (SIZE[1], SIZE[0])
        top_left, bottom_right = np.maximum(one, other)[:2], np.minimum(one, other)[2:]
        return (bottom_right - top_left).clip(0).prod()

    monkeypatch.setattr(base, 'bbox2region', lambda box: box)
    monkeypatch.setattr(base, 'calculate_region_overlap', overlap)
    model, world = make((60, 60, 10), test_mode='VOT', decoder=dict(update_rate=None))
    before, jumped = [(60, 60, 10), (64, 62, 10)], (150, 120, 10)
    places = [*before, *[jumped] * 6, (153, 118, 10)]
    results = []
    for t, true in enumerate(places):
        # The head sees the jump once the tracker has started anew there.
        world.disks = [before[1] if 2 <= t < 7 else true]
        data_sample = sample(t, [disk_box(*true)])
        data_sample.set_metainfo(dict(img_shape=SIZE))
        batch = dict(inputs=dict(img=FRAME[None]), data_samples=[data_sample])
        results.append(model.test_step(batch)[0].pred_track_instances)
    states = [tuple(result.bboxes.flatten().tolist()) for result in results]
    assert states[0] == (1.0,)  # VOT's codes: started, failed, skipped
    assert states[2] == (2.0,)
    assert states[3:7] == [(0.0,)] * 4
    assert states[7] == (1.0,)
    for t in (1, 8):
        assert np.abs(np.array(states[t]) - disk_box(*places[t])).max() < 1


def test_another_test_mode_is_refused(model_config):
    with pytest.raises(ValueError, match="test_mode must be 'OPE' or 'VOT', got 'LT'"):
        MODELS.build(dict(model_config, test_mode='LT'))


# Later objects


def test_an_object_starts_in_the_frame_where_it_is_given(make):
    model, world = make((60, 60, 10), 'to come')
    boxes = [disk_box(60, 60, 10), [0.0] * 4]
    results = [step(model, 0, boxes, [True, False])]
    results.append(step(model, 1, boxes, [False, False]))
    boxes[1] = disk_box(150, 100, 15)
    results.append(step(model, 2, boxes, [False, True]))
    world.disks[1] = (154, 100, 15)
    results.append(step(model, 3, boxes, [False, False]))

    for t in (0, 1):
        for field in ('bboxes', 'scores', 'confidences', 'lost', 'rays'):
            assert not results[t][field][1].any()
        assert not results[t].masks[1].any()
    assert results[2].bboxes[1].tolist() == boxes[1]
    assert results[2].scores[1] == -1
    assert_close(results[3].centers[1], torch.tensor([154.0, 100.0]), atol=1.0, rtol=0)

    alone, world = make((60, 60, 10))
    for t, together in enumerate(results):
        result = step(alone, t, [disk_box(60, 60, 10)])
        for field in ('bboxes', 'centers', 'rays', 'scores', 'masks'):
            assert torch.equal(together[field][0], result[field][0])


def test_an_object_may_start_while_another_is_lost(make):
    """The lost one stays lost, its search goes on widening, and it is found again."""
    model, world = make((60, 60, 10), 'to come', lost_and_found=LOST)
    boxes = [disk_box(60, 60, 10), [0.0] * 4]
    step(model, 0, boxes, [True, False])
    world.disks[0] = None
    step(model, 1, boxes, [False, False])
    boxes[1] = disk_box(150, 100, 15)
    world.disks[1] = (150, 100, 15)
    find, shown = world.predict, list(world.disks)

    def predict(template, search, previous=None):
        if len(world.crops) == 1:  # each is looked for alone when the other starts
            started = len(model.tracker.objects) > 1 and model.tracker.objects[1]
            world.disks = [shown[1] if started else shown[0]]
        else:
            world.disks = list(shown)
        return find(template, search, previous)

    model.head.forward = predict
    reference = model.tracker.objects[0].reference
    started = step(model, 2, boxes, [False, True])
    assert model.tracker.objects[0].reference == reference  # of its own first frame
    assert started.lost.tolist() == [True, False]
    assert started.bboxes.tolist() == boxes
    third = step(model, 3, boxes, [False, False])
    assert third.lost.tolist() == [True, False]
    usual = 40 / 33
    assert 1 / world.crops[0].scale == pytest.approx(usual * 2.0, rel=1e-3)  # the limit
    assert third.masks[1].sum() > 600
    shown[0] = (64, 60, 10)
    found = step(model, 4, boxes, [False, False])
    assert found.lost.tolist() == [False, False]
    assert found.masks[0, 60, 64]


def test_what_is_to_come_in_a_new_video_is_not_what_was_in_the_last_one(make):
    model, world = make((60, 60, 10), (150, 100, 15))
    step(model, 0, [disk_box(60, 60, 10), disk_box(150, 100, 15)])
    step(model, 1)
    world.disks = [(100, 90, 20), 'to come']
    boxes = [disk_box(100, 90, 20), [0.0] * 4]
    for result in (
        step(model, 0, boxes, [True, False]),
        step(model, 1, boxes, [False, False]),
    ):
        assert result.masks[0, 90, 100]
        for field in ('bboxes', 'scores', 'centers', 'masks'):
            assert not result[field][1].any()


def test_a_video_may_begin_without_an_object(make):
    model, world = make('to come')
    boxes = [[0.0] * 4]
    assert not step(model, 0, boxes, [False]).masks.any()
    assert not step(model, 1, boxes, [False]).masks.any()
    step(model, 2, [disk_box(60, 60, 10)], [True])
    world.disks = [(63, 60, 10)]
    result = step(model, 3, boxes, [False])
    assert_close(result.centers, torch.tensor([[63.0, 60.0]]), atol=1.0, rtol=0)


def test_flags_without_a_box_for_each_are_refused(make):
    model, _ = make((60, 60, 10))
    with pytest.raises(ValueError, match='one box per instance expected, got 1 for 2'):
        step(model, 0, [disk_box(60, 60, 10)], [True, True])


def test_an_object_may_be_given_as_a_point(make):
    decoder = dict(decoding='visible_union', threshold=0.5)
    model, world = make((118, 102, 22), decoder=decoder)
    data_sample = TrackDataSample(metainfo=dict(frame_id=0))
    data_sample.gt_instances = InstanceData(points=torch.tensor([[110.0, 108.0]]))
    batch = dict(inputs=dict(img=[FRAME]), data_samples=[data_sample])
    first = model.test_step(batch)[0].pred_track_instances
    disk = torch.from_numpy(disk_mask(118, 102, 22)).bool()
    found = first.masks[0]
    assert (found & disk).sum() > 0.85 * (found | disk).sum()
    assert first.scores.tolist() == [-1.0]
    world.disks = [(124, 102, 22)]
    assert step(model, 1).masks[0, 102, 140]


RED_DISK = FRAME.clone()
RED_DISK[0, 2, torch.from_numpy(disk_mask(118, 102, 22)).bool()] = 220


def test_a_mask_is_found_in_a_box_where_that_is_wanted(make):
    decoder = dict(decoding='visible_union', threshold=0.5)
    box = disk_box(118, 102, 22)
    model, _ = make((118, 102, 22), decoder=decoder)
    whole = step(model, 0, [box], frame=RED_DISK).masks[0]
    assert whole[102 - 20, 118 - 20]  # a corner of the box
    model, _ = make((118, 102, 22), decoder=decoder, segment_boxes=True)
    first = step(model, 0, [box], frame=RED_DISK)
    disk = torch.from_numpy(disk_mask(118, 102, 22)).bool()
    assert (first.masks[0] & disk).sum() > 0.85 * (first.masks[0] | disk).sum()
    assert first.bboxes.tolist() == [box]
    assert first.scores.tolist() == [-1.0]


def test_a_box_with_nothing_around_it_is_the_object_as_a_whole(make):
    model, _ = make((118, 102, 22), segment_boxes=True)
    box = [0.0, 0.0, float(SIZE[1]), float(SIZE[0])]
    assert step(model, 0, [box]).masks.float().mean() > 0.9


def test_a_box_of_one_color_is_the_object_as_a_whole(make):
    model, _ = make((118, 102, 22), segment_boxes=True)
    assert step(model, 0, [disk_box(118, 102, 22)]).masks[0, 102 - 20, 118 - 20]


def test_gray_frames_are_segmented_too(make):
    model, _ = make((118, 102, 22), segment_boxes=True)
    first = step(model, 0, [disk_box(118, 102, 22)], frame=RED_DISK[:, 2:])
    assert 0 < first.masks.sum() < 0.9 * 45 * 45


def test_a_mask_is_not_given_where_the_prompt_is_the_box():
    data_sample = sample(0, [[5.0, 5.0, 15.0, 15.0]] * 3)
    data_sample.gt_instances.masks = BitmapMasks(np.ones((3, *SIZE), np.uint8), *SIZE)
    prompts = 'mask', 'box', 'mask'
    entries = [dict(given=i > 0, prompt=prompt) for i, prompt in enumerate(prompts)]
    data_sample.set_metainfo(dict(instances=entries))
    given = given_objects(data_sample)
    assert given.rows == [1, 2]
    assert [mask is None for mask in given.masks] == [True, False]


# Several objects


def test_what_is_given_is_reported_in_that_frame_whatever_others_say(make):
    model, _ = make((60, 60, 12), 'to come')
    boxes = [disk_box(60, 60, 12), [0.0] * 4]
    step(model, 0, boxes, [True, False])
    mask = np.zeros((2, *SIZE), np.uint8)
    mask[1, 55:65, 55:65] = 1
    data_sample = sample(1, [[0.0] * 4, [55.0, 55.0, 65.0, 65.0]], [False, True])
    data_sample.gt_instances.masks = BitmapMasks(mask, *SIZE)
    batch = dict(inputs=dict(img=[FRAME]), data_samples=[data_sample])
    result = model.test_step(batch)[0].pred_track_instances
    assert np.array_equal(result.masks[1].numpy(), mask[1].astype(bool))
    assert not result.masks[0, 55:65, 55:65].any()
    assert result.masks[0, 60, 50]


def test_edges_are_those_of_each_object_s_own_crop(make):
    """As read, with one template or two; in the frame that gives them and in later ones."""
    disks = [(60, 60, 10), (150, 100, 15)]
    model, world = make(*disks, decoder=dict(decoding='visible_union'))
    seen = []

    def edges(confidence, image):
        seen.append(image)
        return confidence

    model.decoder.edges = edges
    boxes = [disk_box(*disk) for disk in disks]
    frame = torch.randint(0, 256, FRAME.shape, dtype=torch.uint8)
    picture = np.ascontiguousarray(frame[0].permute(1, 2, 0).numpy())
    step(model, 0, boxes, frame=frame)
    for item in model.tracker.objects:
        item.templates *= 2
    step(model, 1, frame=frame)
    shown = [crop_around(torch.tensor(box), 65, 33) for box in boxes]
    assert [crop.center for crop in world.crops] == [crop.center for crop in shown]
    expected = [crop.cut(picture) for crop in shown] * 2
    assert len(seen) == 4
    for image, own in zip(seen, expected, strict=True):
        assert np.array_equal(image, own)


class Watched(torch.Tensor):
    """Keeps a list of how its values are brought to Python or to the CPU."""

    transfers = []  # noqa: RUF012
    waits = ('cpu', 'numpy', 'item', 'tolist', 'to', '__bool__', '__int__', '__float__')

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        result = super().__torch_function__(function, types, args, kwargs or {})
        name = function.__name__
        if name not in cls.waits:
            return result
        cls.transfers.append(name)
        return result.as_subclass(torch.Tensor) if name == 'cpu' else result


@pytest.mark.parametrize('decoding', ['one_star', 'visible_union'])
def test_a_prediction_leaves_the_device_once_for_all_objects(make, monkeypatch, decoding):
    """Its three maps, not those of each object."""
    disks = [(60, 60, 10), (150, 100, 15), (100, 150, 12)]
    memory = dict(type='TemplateMemory', above=0.5, every=1, most=2)
    decoder = dict(decoding=decoding, threshold=0.5)
    model, world = make(*disks, decoder=decoder, memory=memory, lost_and_found=LOST)
    step(model, 0, [disk_box(*disk) for disk in disks])

    def forward(*args):
        maps = world.predict(*args)
        return type(maps)(*(part.as_subclass(Watched) for part in maps))

    monkeypatch.setattr(model.head, 'forward', forward)
    monkeypatch.setattr(Watched, 'transfers', [])
    for t in (1, 2):  # with one template each, then with two
        Watched.transfers.clear()
        assert step(model, t).masks.flatten(1).any(1).all()
        assert Watched.transfers == ['cpu'] * 3


def test_two_trackers_in_one_process_share_nothing(make, monkeypatch):
    model, _ = make((60, 60, 10), lost_and_found=LOST)
    alone = [step(model, 0, [disk_box(60, 60, 10)]), step(model, 1), step(model, 2)]

    other = copy.deepcopy(model)
    other_world = TrueWorld(other, monkeypatch, [(150, 120, 30)])
    assert other.tracker is not model.tracker
    assert other.tracker.network is other
    turns = []
    for t in range(3):
        turns.append(step(model, t, [disk_box(60, 60, 10)] if t == 0 else ()))
        step(other, t, [disk_box(150, 120, 30)] if t == 0 else ())
        other_world.disks = [None] if t == 1 else [(155, 122, 30)]
    for result, expected in zip(turns, alone, strict=True):
        for field, _ in expected.items():
            if field != 'searches':
                assert torch.equal(result[field], expected[field]), field
        assert (result.searches[0] is None) == (expected.searches[0] is None)
        if expected.searches[0] is not None:
            for part in ('window', 'cells', 'scores'):
                one, other_one = (getattr(r.searches[0], part) for r in (result, expected))
                assert torch.equal(one, other_one), part


# Memory


def test_confident_frames_are_remembered_and_the_first_is_kept(make):
    memory = dict(type='TemplateMemory', above=0.8, every=2, most=3)
    model, world = make((60, 60, 10), memory=memory)
    step(model, 0, [disk_box(60, 60, 10)])
    item = model.tracker.objects[0]
    first, counts = item.templates[0], []
    for t in range(1, 8):
        world.logits = -1.0 if t in (2, 3) else SURE  # too doubtful in these
        frame = torch.full_like(FRAME, 20 * t)
        frame[..., 55:65, 55:65] = 255
        step(model, t, frame=frame)
        counts.append(len(item.templates))
    # Frame 2 would be the first that is old enough; 4 and 6 are taken.
    assert counts == [1, 1, 1, 2, 2, 3, 3]
    step(model, 8, frame=torch.full_like(FRAME, 7))
    assert len(item.templates) == 3
    assert all(torch.equal(a, b) for a, b in zip(item.templates[0], first, strict=True))
    assert not torch.equal(item.templates[1][0], item.templates[2][0])


def test_what_is_remembered_is_each_object_s_own(make):
    """Of two that are remembered in one frame, as of each alone."""
    memory = dict(type='TemplateMemory', above=0.5, every=1, most=2)
    frame = torch.randint(0, 256, FRAME.shape, dtype=torch.uint8)
    disks = [(60, 60, 10), (150, 100, 15)]

    def remembered(*disks):
        model, _ = make(*disks, memory=memory)
        model.load_state_dict(weights)
        step(model, 0, [disk_box(*disk) for disk in disks], frame=frame)
        step(model, 1, frame=frame)
        return [item.templates[1][0] for item in model.tracker.objects]

    weights = make()[0].state_dict()
    together = remembered(*disks)
    assert (together[0] - together[1]).abs().max() > 0.1
    for one, disk in zip(together, disks, strict=True):
        assert_close(one, remembered(disk)[0], atol=1e-4, rtol=1e-4)


def test_how_sure_a_memory_is_to_be_is_relative_to_the_first_frame(make):
    """A network that never says more than 0.3 is sure enough for a memory at 0.3."""
    memory = dict(type='TemplateMemory', above=0.9, every=1, most=2)
    model, world = make((60, 60, 10), memory=memory)
    world.logits = math.log(0.3 / 0.7)
    step(model, 0, [disk_box(60, 60, 10)])
    step(model, 1)
    assert len(model.tracker.objects[0].templates) == 2


def test_of_an_object_outside_the_frame_nothing_is_remembered(make):
    memory = dict(type='TemplateMemory', above=0.5, every=1, most=9)
    decoder = dict(decoding='visible_union', threshold=0.5)
    model, world = make((12, 60, 10), memory=memory, decoder=decoder)
    step(model, 0, [disk_box(12, 60, 10)])
    world.disks = [(-12, 60, 10)]  # in the search crop, and surely seen
    result = step(model, 1)
    assert result.confidences.item() > 0.5
    assert not result.masks.any()
    assert len(model.tracker.objects[0].templates) == 1


def test_of_a_frame_where_an_object_is_lost_nothing_is_remembered(make):
    """Not even by a memory that takes any confidence."""
    memory = dict(type='TemplateMemory', above=0.0, every=1, most=9)
    model, world = make((60, 60, 10), memory=memory, lost_and_found=LOST)
    step(model, 0, [disk_box(60, 60, 10)])
    item = model.tracker.objects[0]
    counts = []
    for t, disk in enumerate([(60, 60, 10), None, None, (60, 60, 10)], start=1):
        world.disks = [disk]
        step(model, t)
        counts.append(len(item.templates))
    assert counts == [2, 2, 2, 3]


@pytest.mark.parametrize(
    ('rows', 'expected'), [([0, 1, 1], [20, 30 * 1.25]), ([0, 0, 1], [20 * 1.25, 30])]
)
def test_predictions_of_all_templates_are_averaged(make, monkeypatch, rows, expected):
    """Whichever of two objects has two templates; ``rows`` are their objects."""
    model, world = make((60, 60, 10), (150, 100, 15))
    frame = torch.randint(0, 256, FRAME.shape, dtype=torch.uint8)
    step(model, 0, [disk_box(60, 60, 10), disk_box(150, 100, 15)], frame=frame)
    twice = rows[1]
    model.tracker.objects[twice].templates *= 2

    def forward(template, search, previous):  # noqa: ARG001
        assert len(template[0]) == len(search[0]) == 3
        shared = [[torch.equal(one, other) for one in search[0]] for other in search[0]]
        assert shared == [[i == j for i in rows] for j in rows]  # each object's own crop
        maps = world.predict([template[0][:2]], search)
        maps = type(maps)(*(part[rows].clone() for part in maps))
        maps.rays[1] *= 1.5  # of one template only: 1.25 times as long on average
        return maps

    monkeypatch.setattr(model.head, 'forward', forward)
    model.decoder.update_rate = None
    model.decoder.penalty_k = 0
    result = step(model, 1, frame=frame)
    sizes = result.bboxes[:, 2] - result.bboxes[:, 0]
    assert_close(sizes, torch.tensor(expected), rtol=0.03, atol=0, check_dtype=False)


def test_memory_has_an_object_s_own_mask_whatever_others_take_of_it(make):
    memory = dict(type='TemplateMemory', above=0.5, every=1, most=2)
    first, second = (60, 60, 12), (66, 60, 14)
    remembered = []
    for disks in ((first,), (second, first), (first, second)):
        model, _ = make(*disks, memory=memory, decoder=dict(update_rate=None))
        seen = []
        make_templates = model.tracker._templates

        def templates(frame, boxes, masks, make=make_templates, seen=seen):
            edges = [round(box[2].item()) for box in boxes]
            seen.append(dict(zip(edges, masks, strict=True)))
            return make(frame, boxes, masks)

        model.tracker._templates = templates
        step(model, 0, [disk_box(*disk) for disk in disks])
        result = step(model, 1)
        remembered.append(seen[1][72])  # the first disk's right edge
        if len(disks) > 1:
            assert not (result.masks[0] & result.masks[1]).any()
            assert result.masks[disks.index(first)].sum() < remembered[0].sum()
    assert remembered[0].sum() == pytest.approx(math.pi * 12**2, rel=0.1)
    for mask in remembered[1:]:
        assert np.array_equal(mask, remembered[0])
