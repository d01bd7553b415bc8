"""What PreviousMask promises, in training and in tracking."""

import copy

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.registry import MODELS
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample
from torch.nn.functional import interpolate
from torch.testing import assert_close
from true_world import TrueWorld, disk_box

from siampolarmask_mm.crops import Crop, sample
from siampolarmask_mm.models import LostAndFound, PreviousMask, TemplateMemory
from siampolarmask_mm.models.confidence import star_confidence
from siampolarmask_mm.models.mask_matching import mask_shares
from siampolarmask_mm.models.previous_mask import (
    confidence_shares,
    crop_to_cells,
    star_shares,
    tell,
)

STRIDE = 8
STILL = dict(unknown=0, motion=0, far=0, growth=0, roughness=0)


def squares(num, low=88, high=169, size=257):
    masks = torch.zeros(num, size, size, dtype=torch.bool)
    masks[:, low:high, low:high] = True
    return masks


def make_up(num, **kwargs):
    made = PreviousMask(**(STILL | kwargs))
    known = torch.ones(num, dtype=torch.bool)
    return made.make_up(squares(num), known, (27, 27), STRIDE)


def centers(maps):
    """(N, 2) x and y of the object's middle, in pixels off the crop's middle."""
    shares, places = (maps[:, 0] > 0.5).float(), (torch.arange(27) - 13) * STRIDE
    mass = shares.sum((1, 2))
    x, y = shares.sum(1) @ places.float() / mass, shares.sum(2) @ places.float() / mass
    return torch.stack([x, y], dim=1)


def test_what_is_known_is_told_as_object_and_as_not_object():
    shares = torch.tensor([[[0.2]], [[0.7]]])
    told = tell(shares, torch.tensor([True, False]))
    assert_close(told.flatten(1), torch.tensor([[0.2, 0.8], [0.0, 0.0]]))


def test_an_object_that_does_not_change_is_where_it_was():
    (maps,) = make_up(1)
    # Locations lie at 24 + 8 i; the square's outermost are 8 and 18, half covered cells.
    assert (maps[0][9:18, 9:18] > 0.8).all()
    inside = torch.zeros(27, 27, dtype=torch.bool)
    inside[7:20, 7:20] = True
    assert (maps[0][~inside] < 0.05).all()
    assert_close(maps[0] + maps[1], torch.ones(27, 27))


def test_objects_move_as_far_as_told():
    moved = centers(make_up(400, motion=10))
    assert moved.mean(0).abs().max() < 2
    assert_close(moved.std(0), torch.full((2,), 10.0), atol=1.2, rtol=0)


def test_a_share_of_the_objects_moves_anywhere():
    moved = centers(make_up(400, far=0.5, farthest=32)).abs()
    far = moved.amax(1) > 1
    assert far.float().mean() == pytest.approx(0.5, abs=0.1)
    assert 28 < moved.max() <= 32.5
    assert_close(moved[far].mean(0), torch.full((2,), 16.0), atol=2, rtol=0)


def test_sizes_change_by_a_factor():
    areas = make_up(400, growth=0.1)[:, 0].sum((1, 2))
    assert areas.log().std() == pytest.approx(0.2, abs=0.04)  # of both sides


def test_outlines_are_rough_and_middles_stay():
    smooth, rough = make_up(50), make_up(50, roughness=0.25)
    differs = ((smooth[:, 0] > 0.5) != (rough[:, 0] > 0.5)).float().mean(0)
    assert differs[7:20, 7:20].mean() > 5 * differs[11:16, 11:16].mean()
    assert 0.02 < differs.mean() < 0.15


def test_some_are_not_told_and_boxes_never():
    made = PreviousMask(**(STILL | dict(unknown=0.4)))
    is_outline = torch.arange(400) < 300
    told = made.make_up(squares(400), is_outline, (27, 27), STRIDE).flatten(1).any(1)
    assert told[:300].float().mean() == pytest.approx(0.6, abs=0.08)
    assert not told[300:].any()


def test_an_empty_mask_is_no_object_anywhere():
    maps = PreviousMask(**STILL).make_up(
        torch.zeros(1, 257, 257, dtype=torch.bool), torch.tensor([True]), (27, 27), STRIDE
    )
    assert maps.isfinite().all()
    assert (maps[0, 0] < 0.05).all()


@pytest.mark.parametrize('argument', [dict(unknown=1.5), dict(far=-0.1), dict(partial=2)])
def test_shares_are_from_0_to_1(argument):
    with pytest.raises(ValueError, match=r'(unknown|far|partial) from 0 to 1 expected'):
        PreviousMask(**argument)


def test_of_some_objects_only_a_part_was_found():
    torch.manual_seed(2)
    (whole,) = make_up(1)[:, 0]
    maps = make_up(400, partial=0.3)[:, 0]
    assert (maps <= whole + 1e-3).all()
    found = maps.sum((1, 2)) / whole.sum()
    assert 0.2 < (found < 0.95).float().mean() < 0.4
    assert found.min() > 0.25
    left = centers(make_up(400, partial=1.0))
    assert (left.mean(0).abs() < 4).all()  # parts on all sides
    assert (left.abs().amax(1) > 8).float().mean() > 0.5


def test_half_precision_around_it_changes_nothing():
    torch.manual_seed(3)
    expected = make_up(4, motion=10, roughness=0.2)
    torch.manual_seed(3)
    with torch.autocast('cpu', torch.bfloat16):
        assert_close(make_up(4, motion=10, roughness=0.2), expected, rtol=0, atol=0)


SEEN = Crop((100.0, 80.0), 1.5, 257)


def carried_and_sampled(crop):
    """What cells get of a confidence, and the same by sampling all of it."""
    blobs = torch.randn(1, 1, 12, 12).sigmoid()
    confidence = interpolate(blobs, (257, 257), mode='bicubic')[0, 0].clamp(0, 1)
    between = crop.matrix @ np.linalg.inv(SEEN.matrix)
    sampled = sample(confidence.numpy(), between, (257, 257), outside=0)
    shares = mask_shares(torch.from_numpy(sampled)[None], (27, 27), STRIDE)[0]
    to_cells = crop_to_cells(SEEN, crop, (27, 27), STRIDE)
    return confidence_shares(confidence, to_cells, (27, 27)), shares


def test_a_mask_in_its_own_crop_is_shared_out_to_cells():
    assert_close(*carried_and_sampled(SEEN))


@pytest.mark.parametrize(
    ('center', 'scale'),
    [
        ((100, 80), 1.5),
        ((131, 66), 1.5),
        ((96, 83), 1.1),
        ((105, 84), 2.2),
        ((101, 79), 0.7),
    ],
)
def test_a_mask_is_carried_into_another_crop(center, scale):
    carried, sampled = carried_and_sampled(Crop(tuple(map(float, center)), scale, 257))
    assert sampled.std() > 0.1
    difference = (carried - sampled).abs()
    assert difference.mean() < 0.01
    assert difference.quantile(0.95) < 0.03  # cells at the edge of the crop may differ


def test_a_star_gives_cells_what_its_confidence_does():
    angles = torch.arange(36) * torch.pi / 18
    center, rays = torch.tensor([120.0, 141.0]), 30 + 14 * (3 * angles).cos()
    to_cells = crop_to_cells(SEEN, Crop((104.0, 77.0), 1.3, 257), (27, 27), STRIDE)
    of_star = star_shares(center, rays, to_cells, (27, 27))
    confidence = star_confidence(center, rays, 257)
    of_confidence = confidence_shares(confidence, to_cells, (27, 27))
    with torch.autocast('cpu', torch.bfloat16):  # whose products would be off by cells
        assert_close(star_shares(center, rays, to_cells, (27, 27)), of_star)
    assert of_star.max() > 0.95
    assert (of_star - of_confidence).abs().max() < 0.12
    assert (of_star - of_confidence).abs().mean() < 0.005


# In tracking

SIZE = 200, 240
FRAME = torch.full((1, 3, *SIZE), 100, dtype=torch.uint8)


@pytest.fixture
def network(model_config):
    config = copy.deepcopy(model_config)
    config['head']['matching'] = dict(type='MaskMatching', use_previous=True)
    config['previous_mask'] = dict(type='PreviousMask')
    model = MODELS.build(config)
    model.init_weights()
    return model.eval()


@pytest.fixture
def seen(network, monkeypatch):
    """A world of disks, and what the head is told of the frames before."""
    world = TrueWorld(network, monkeypatch, [])
    world.told = []

    def forward(template, search, previous):
        world.told.append((world.crops, previous))
        return world.predict(template, search)

    monkeypatch.setattr(network.head, 'forward', forward)
    return world


def disk_mask(x, y, radius):
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).astype(np.uint8)


def step(model, frame_id, disks=(), with_masks=True):
    sample = TrackDataSample(metainfo=dict(frame_id=frame_id))
    boxes = torch.tensor([disk_box(*disk) for disk in disks]).reshape(-1, 4)
    sample.gt_instances = InstanceData(bboxes=boxes)
    if disks and with_masks:
        masks = np.stack([disk_mask(*disk) for disk in disks])
        sample.gt_instances.masks = BitmapMasks(masks, *SIZE)
    with torch.no_grad():
        model.test_step(dict(inputs=dict(img=[FRAME]), data_samples=[sample]))


def told_place(world, row=0):
    """Where in the image, and how wide, the object was told to have been."""
    crops, previous = world.told[-1]
    shares = previous[row, 0]
    places = (torch.arange(len(shares)) - (len(shares) - 1) / 2) * STRIDE
    middle = places + crops[row].middle
    x, y = (shares.sum(axis) @ middle / shares.sum() for axis in (0, 1))
    area = shares.sum() * STRIDE**2 / crops[row].scale ** 2
    return *crops[row].to_image(torch.stack([x, y])).tolist(), (area / torch.pi).sqrt()


def test_the_given_mask_is_told_in_the_next_frame(network, seen):
    disks = [(60.0, 70.0, 14.0), (150.0, 90.0, 20.0)]
    seen.disks = disks
    step(network, 0, disks)
    step(network, 1)
    for row, disk in enumerate(disks):
        assert told_place(seen, row) == pytest.approx(disk, rel=0.06)


@pytest.mark.parametrize('decoding', ['one_star', 'visible_union'])
def test_the_last_mask_is_told_where_it_lies_in_the_new_crop(network, seen, decoding):
    network.decoder.decoding = decoding
    network.decoder.update_rate = None
    seen.disks = [(100.0, 80.0, 20.0)]
    step(network, 0, seen.disks)
    seen.disks = [(112.0, 84.0, 24.0)]
    step(network, 1)
    seen.disks = [(130.0, 90.0, 24.0)]
    step(network, 2)
    x, y, radius = told_place(seen)
    assert (x, y) == pytest.approx((112, 84), abs=1.5)
    assert radius == pytest.approx(24, rel=0.12)


def test_of_a_box_nothing_is_told(network, seen):
    seen.disks = [(100.0, 80.0, 20.0)]
    step(network, 0, seen.disks, with_masks=False)
    step(network, 1)
    assert not seen.told[-1][1].any()
    step(network, 2)
    assert seen.told[-1][1].any()


def test_of_a_lost_object_nothing_is_told_and_of_others_their_own(network, seen):
    network.tracker.lost_and_found = LostAndFound(lost_below=0.3, found_above=0.5)
    disks = [(60.0, 70.0, 14.0), (150.0, 90.0, 20.0)]
    seen.disks = list(disks)
    step(network, 0, disks)
    step(network, 1)
    seen.disks[0] = None
    step(network, 2)  # told of frame 1; lost here
    assert seen.told[-1][1].flatten(1).any(1).tolist() == [True, True]
    seen.disks[0] = disks[0]
    step(network, 3)  # found again
    assert seen.told[-1][1].flatten(1).any(1).tolist() == [False, True]
    assert told_place(seen, 1) == pytest.approx(disks[1], rel=0.13)
    step(network, 4)
    assert seen.told[-1][1].flatten(1).any(1).tolist() == [True, True]
    assert told_place(seen, 0)[:2] == pytest.approx(disks[0][:2], abs=1.5)


def test_a_frame_that_gives_an_object_is_not_told_the_answer(network, seen):
    network.tracker.calibrate_size = True
    seen.disks = [(100.0, 80.0, 20.0)]
    step(network, 0, seen.disks)
    assert [previous for _, previous in seen.told] == [None]


def test_what_is_told_makes_a_difference(network):
    crops = torch.rand(1, 3, 255, 255)
    mask = torch.zeros(1, 127, 127)
    mask[:, 40:90, 40:90] = 1
    with torch.no_grad():
        template = network.extract_template(crops[..., 64:191, 64:191], mask)
        search = network.extract(crops)
        size = network.head.num_locations(template, search)
        scores = [
            network.head(template, search, previous).scores
            for previous in (None, torch.zeros(1, 2, *size), torch.rand(1, 2, *size))
        ]
    assert scores[0].shape[1:] == size
    assert_close(scores[0], scores[1])
    assert (scores[0] - scores[2]).abs().max() > 1e-4


@pytest.mark.parametrize('previous_mask', [None, dict(type='PreviousMask')])
def test_head_and_tracker_must_agree(model_config, previous_mask):
    matching = dict(type='MaskMatching', use_previous=previous_mask is None)
    model_config['head']['matching'] = matching
    with pytest.raises(ValueError, match='or neither, got previous_mask'):
        MODELS.build(dict(model_config, previous_mask=previous_mask))


def test_each_template_of_an_object_is_told_its_own_mask(network, seen):
    """Two objects with two templates each: rows 0 and 1 are the first's, 2 and 3 not."""
    network.tracker.memory = TemplateMemory(above=0, every=1, most=2)
    disks = [(60.0, 70.0, 14.0), (150.0, 90.0, 20.0)]
    seen.disks = disks
    step(network, 0, disks)
    step(network, 1)
    step(network, 2)
    crops, previous = seen.told[-1]
    assert len(previous) == 4
    assert torch.equal(previous[0], previous[1])
    assert torch.equal(previous[2], previous[3])
    seen.told[-1] = crops, previous[[0, 2]]
    for row, disk in enumerate(disks):
        assert told_place(seen, row) == pytest.approx(disk, rel=0.15)


def test_what_grows_from_a_point_is_not_told_the_answer(network, seen):
    seen.disks = [(100.0, 80.0, 20.0)]
    sample = TrackDataSample(metainfo=dict(frame_id=0))
    sample.gt_instances = InstanceData(points=torch.tensor([[100.0, 80.0]]))
    with torch.no_grad():
        network.test_step(dict(inputs=dict(img=[FRAME]), data_samples=[sample]))
    assert seen.told
    assert all(previous is None for _, previous in seen.told)
