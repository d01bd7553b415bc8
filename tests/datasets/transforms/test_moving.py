"""What MoveStill and Occlude promise."""

import math

import numpy as np
import pytest
from PIL import Image

from siampolarmask_mm.datasets import CropPair, MoveStill, Occlude
from siampolarmask_mm.datasets.transforms.moving import Motion

SQUARE = [[40.0, 30.0, 60.0, 30.0, 60.0, 50.0, 40.0, 50.0]]


@pytest.fixture
def still(tmp_path):
    """A white square on grey, and a black image with an object of its own."""
    image = np.full((80, 100, 3), 100, np.uint8)
    image[30:50, 40:60] = 250
    path = tmp_path / 'other.png'
    Image.fromarray(np.zeros((100, 120, 3), np.uint8)).save(path)

    def make():
        instance = dict(bbox=np.array([40.0, 30, 60, 50]), bbox_label=1, mask=SQUARE)
        other = dict(bbox=np.array([10.0, 10, 30, 50]), bbox_label=0)
        other['mask'] = [[10.0, 10.0, 30.0, 10.0, 30.0, 50.0, 10.0, 50.0]]
        return dict(
            img=[image, image],
            img_path=['a.png', 'a.png'],
            instances=[[dict(instance)], [dict(instance)]],
            other=dict(img_path=str(path), instance=other),
        )

    return make


def apply(matrix, points):
    return np.asarray(points) @ matrix[:2, :2].T + matrix[:2, 2]


def test_a_motion_puts_the_objects_middle_on_its_path():
    motion = Motion(
        middle=np.array([50.0, 40.0]),
        start=np.array([10.0, 20.0]),
        velocity=np.array([3.0, -1.0]),
        scale=2.0,
        growth=math.log(1.1),
        turn=math.pi / 20,
    )
    assert np.allclose(apply(motion.pose(0), [50, 40]), [10, 20])
    assert np.allclose(apply(motion.pose(10), [50, 40]), [40, 10])
    # Scale 2 and growth of 10% ten times over; a quarter turn, clockwise: right is down.
    size = 2 * 1.1**10
    assert np.allclose(apply(motion.pose(10), [51, 40]), [40, 10 + size])


def test_stretching_keeps_the_area():
    motion = Motion(np.zeros(2), np.zeros(2), np.zeros(2), 1.0, stretch=math.log(1.21))
    assert np.allclose(motion.pose(1)[:2, :2], np.diag([1.1, 1 / 1.1]))


def test_the_object_moves_over_the_other_image(still):
    np.random.seed(1)
    results = MoveStill(prob=1, max_shadow=0)(still())
    assert [image.shape for image in results['img']] == [(100, 120, 3)] * 2
    results = CropPair(33, 65, max_shift=(0, 0), max_scale=(0, 0), flip_prob=0)(results)
    for which in range(2):
        mask = results['gt_masks'][which].masks[0].astype(bool)
        assert mask.sum() > 100
        bright = results['img'][which][..., 0] > 125
        assert (bright ^ mask).sum() <= 0.25 * mask.sum()  # its motion blurs its border
        rows, columns = np.nonzero(mask)
        tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(results['gt_bboxes'][which][0] - tight).max() < 1


def test_the_object_is_at_two_places_of_one_path(still):
    places = []
    for _ in range(40):
        results = MoveStill(prob=1)(still())
        layers = [frame[0] for frame in results['layers']]
        places.append([apply(layer.matrix, [49.5, 39.5]) for layer in layers])
    places = np.array(places)
    assert (places >= 0).all()
    assert (places <= [119, 99]).all()
    steps = np.hypot(*(places[:, 1] - places[:, 0]).T)
    assert steps.max() > 10  # it really moves
    assert steps.max() <= 20 * 0.1 * 20 * 1.3 * 1.3  # frames, speed, size, scale


def test_the_object_grows_turns_and_stretches(still):
    """Up to the given amounts per frame, from one of the two frames to the other."""
    results = still()
    ratios, turns, stretches, motions, shadows = [], [], [], [], []
    for _ in range(60):
        layers = MoveStill(max_growth=0.02, max_turn=2).draw_layers(
            results['instances'][0][0], results['img'][0], results['img'][1], [0, 10]
        )
        first_layer, last_layer = layers
        first, last = first_layer.matrix[:2, :2], last_layer.matrix[:2, :2]
        change = last @ np.linalg.inv(first)
        ratios.append(np.sqrt(np.linalg.det(change)))
        turns.append(np.degrees(np.arctan2(change[1, 0] - change[0, 1], np.trace(change))))
        singular = np.linalg.svd(change, compute_uv=False)
        stretches.append(np.log(singular[0] / singular[1]))
        # While the shutter is open, at most as far as from one frame to the next.
        step = (
            np.hypot(
                *(
                    apply(last_layer.matrix, [49.5, 39.5])
                    - apply(first_layer.matrix, [49.5, 39.5])
                )
            )
            / 10
        )
        motions.append(np.hypot(*last_layer.motion) / step)
        shadows.append(last_layer.shadow)
    assert 0.1 < max(stretches) <= 0.2 + 1e-6
    assert 0.5 < max(motions) <= 1 + 1e-6
    assert min(motions) < 0.5
    assert 0.2 < max(shadows) <= 0.4
    assert 1.1 < max(ratios) <= np.exp(0.2) + 1e-6
    assert np.exp(-0.2) - 1e-6 <= min(ratios) < 0.9
    assert 12 < max(turns) < 21
    assert -21 < min(turns) < -12


@pytest.mark.parametrize('change', ['two frames', 'no mask', 'no other', 'prob'])
def test_only_still_images_with_masks_move(still, change):
    results = still()
    if change == 'two frames':
        results['img_path'] = ['a.png', 'b.png']
    if change == 'no mask':
        del results['instances'][0][0]['mask']
    if change == 'no other':
        del results['other']
    results = MoveStill(prob=0 if change == 'prob' else 1)(results)
    assert 'layers' not in results
    assert results['img'][0].shape == (80, 100, 3)


def test_another_object_hides_part_of_the_search_frames_object(still):
    shares = []
    for seed in range(30):
        np.random.seed(seed)
        results = Occlude(prob=1, max_cover=0.6)(still())
        crop = CropPair(33, 65, max_shift=(0, 0), max_scale=(0, 0), flip_prob=0)(results)
        template, search = (masks.masks[0].sum() for masks in crop['gt_masks'])
        shares.append(search / template)
    assert min(shares) >= 0.38  # at most 60% is hidden
    assert min(shares) < 0.7
    dark = crop['img'][1][..., 0] < 20
    assert not (dark & crop['gt_masks'][1].masks[0].astype(bool)).any()


def test_hiding_objects_have_the_size_that_is_asked_for(still):
    """Of 20 x 40 pixels in its image, of 1 / 2 the size of one of 20 x 20 in the frame."""
    results = Occlude(prob=1, size=(0.5, 0.5))(still())
    (layer,) = results['layers'][1]
    area = abs(np.linalg.det(layer.matrix[:2, :2])) * 20 * 40
    assert area == pytest.approx(0.5**2 * 20 * 20)


def test_only_objects_with_masks_hide(still):
    results = still()
    del results['other']['instance']['mask']
    assert 'layers' not in Occlude(prob=1)(results)
    results = still()
    del results['other']
    assert 'layers' not in Occlude(prob=1)(results)


@pytest.mark.parametrize(
    ('transform', 'arguments'),
    [
        (MoveStill, dict(prob=2)),
        (MoveStill, dict(max_shadow=-1)),
        (MoveStill, dict(max_gap=-1)),
        (MoveStill, dict(max_speed=-0.1)),
        (Occlude, dict(prob=-1)),
        (Occlude, dict(max_cover=1.1)),
        (Occlude, dict(size=(1, 0.5))),
    ],
)
def test_arguments_out_of_range_are_refused(transform, arguments):
    with pytest.raises(ValueError, match='expected, got'):
        transform(**arguments)


def test_what_hides_cannot_come_before_what_moves(still):
    with pytest.raises(ValueError, match='MoveStill before Occlude expected'):
        MoveStill(prob=1)(Occlude(prob=1)(still()))


def test_the_other_image_is_read_once(still, monkeypatch):
    import siampolarmask_mm.datasets.transforms.moving as module

    reads, read = [], module.read_frame
    monkeypatch.setattr(
        module,
        'read_frame',
        lambda path, **kwargs: reads.append(path) or read(path, **kwargs),
    )
    results = Occlude(prob=1)(MoveStill(prob=1)(still()))
    assert [len(frame) for frame in results['layers']] == [1, 2]
    assert len(reads) == 1
