"""What load, init and update promise."""

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from moving_square import SIZE, draw_frame

import siampolarmask_mm
from siampolarmask_mm.models.given_objects import GivenObjects
from siampolarmask_mm.video.tracking import VideoTracker


@pytest.fixture
def tracker(trained):
    return siampolarmask_mm.apis.load(*trained, device='cpu')


def assert_same(state, expected):
    for name, value in vars(expected).items():
        if name != 'searches':
            assert np.array_equal(getattr(state, name), value), name


def test_importing_the_package_leaves_the_api_for_later():
    code = 'import sys, siampolarmask_mm; print([m for m in sys.modules if m in names])'
    names = ('siampolarmask_mm.apis', 'siampolarmask_mm.models', 'matplotlib')
    code = f'names = {names}; {code}'
    run = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == '[]'
    with pytest.raises(AttributeError, match="no attribute 'apiz'"):
        siampolarmask_mm.apiz  # noqa: B018


def test_the_three_verbs_give_what_the_network_gives(tracker, first_mask):
    state = tracker.init(draw_frame(0), mask=first_mask)
    assert np.array_equal(state.masks[0], first_mask > 0)
    assert state.boxes.tolist() == [[10, 20, 30, 40]]
    assert (state.scores[0], state.confidences[0], state.lost[0]) == (-1, 1, False)
    assert state.searches == [None]
    state = tracker.update(draw_frame(1))

    network = tracker.network
    frames = [torch.from_numpy(draw_frame(t)).permute(2, 0, 1)[None] for t in (0, 1)]
    box = torch.tensor([[10.0, 20, 30, 40]])
    network.tracker.forget(1)
    network.tracker.start(frames[0], GivenObjects([0], box, [first_mask], 1))
    network.tracker.follow(frames[1])
    found = network.tracker.report(frames[1])
    assert np.array_equal(state.masks, found.masks)
    assert np.array_equal(state.boxes, found.bboxes)
    assert np.array_equal(state.rays, found.rays)
    assert state.scores[0] == found.scores[0] > 0
    # Ray 0 goes right, ray 3 of 12 down.
    x, y = state.centers[0]
    np.testing.assert_allclose(state.stars[0, 0], [x + state.rays[0, 0], y], rtol=1e-5)
    np.testing.assert_allclose(state.stars[0, 3], [x, y + state.rays[0, 3]], rtol=1e-5)


@pytest.mark.parametrize(
    'convert',
    [
        lambda frame: frame[..., ::-1][..., ::-1],
        torch.from_numpy,
        lambda frame: torch.from_numpy(frame).permute(2, 0, 1),
        lambda frame: np.asfortranarray(frame),
    ],
)
def test_arrays_and_tensors_give_the_same(tracker, first_mask, convert):
    tracker.init(draw_frame(0), mask=first_mask)
    expected = tracker.update(draw_frame(1))
    tracker.init(convert(draw_frame(0)), mask=torch.from_numpy(first_mask))
    assert_same(tracker.update(convert(draw_frame(1))), expected)


def test_colors_come_as_opencv_has_them_or_as_rgb(trained, first_mask):
    bgr = siampolarmask_mm.apis.load(*trained, device='cpu')
    rgb = siampolarmask_mm.apis.load(*trained, device='cpu', rgb=True)
    bgr.init(draw_frame(0), mask=first_mask)
    rgb.init(draw_frame(0)[..., ::-1], mask=first_mask)
    expected = bgr.update(draw_frame(1))
    assert_same(rgb.update(draw_frame(1)[..., ::-1]), expected)
    assert rgb.update(draw_frame(2)).scores[0] != bgr.update(draw_frame(2)).scores[0]


def test_objects_of_all_prompts_are_followed_with_their_labels(tracker, first_mask):
    state = tracker.init(
        draw_frame(0), mask=3 * first_mask, box=[50, 5, 70, 25], point=[80, 50]
    )
    assert state.labels.tolist() == [3, 1, 2]
    assert state.masks[2, 50, 80]  # grows around the point
    state = tracker.update(draw_frame(1))
    assert state.masks.shape == (3, *SIZE)
    for label, mask in zip(state.labels, state.masks, strict=True):
        assert np.array_equal(state.label_image == label, mask)


def test_a_new_init_forgets(tracker, first_mask):
    tracker.init(draw_frame(0), box=[[0, 0, 20, 20], [50, 5, 70, 25]])
    tracker.update(draw_frame(1))
    tracker.init(draw_frame(0), mask=first_mask)
    state = tracker.update(draw_frame(1))
    assert state.labels.tolist() == [1]


def test_what_was_remembered_goes_on_the_same(tracker, trained, first_mask, tmp_path):
    tracker.init(draw_frame(0), mask=first_mask, box=[50, 5, 70, 25])
    tracker.update(draw_frame(1))
    torch.save(tracker.remember(), tmp_path / 'memory.pth')
    expected = [tracker.update(draw_frame(t)) for t in (2, 3)]
    other = siampolarmask_mm.apis.load(*trained, device='cpu')
    other.recall(torch.load(tmp_path / 'memory.pth', weights_only=True))
    for t, state in zip((2, 3), expected, strict=True):
        assert_same(other.update(draw_frame(t)), state)


@pytest.mark.parametrize('num_frames', [1, 3])
@pytest.mark.parametrize('decoding', ['one_star', 'visible_union'])
def test_also_what_a_network_is_told_of_the_frame_before(
    model_config, first_mask, tmp_path, decoding, num_frames
):
    model_config['head']['matching'] = dict(type='MaskMatching', use_previous=True)
    model_config['previous_mask'] = dict(type='PreviousMask')
    model_config['decoder']['decoding'] = decoding
    torch.manual_seed(0)
    tracker = VideoTracker(MODELS.build(model_config).eval())
    other = copy.deepcopy(tracker)
    tracker.init(draw_frame(0), mask=first_mask)
    for number in range(1, num_frames):
        tracker.update(draw_frame(number))
    torch.save(tracker.remember(), tmp_path / 'memory.pth')
    other.recall(torch.load(tmp_path / 'memory.pth', weights_only=True))
    told = []
    for one in (tracker, other):
        one.network.head.register_forward_pre_hook(lambda _, inputs: told.append(inputs[2]))
        one.update(draw_frame(num_frames))
    assert told[0][0, 0].max() > 0.1
    assert torch.equal(*told)


def test_where_was_looked_is_told(tracker, first_mask):
    """The first search: 65 of 33 pixels around a square of 20, whose context is 40."""
    tracker.init(draw_frame(0), mask=first_mask)
    (view,) = tracker.update(draw_frame(1)).searches
    half = 40 * 65 / 33 / 2
    expected = [20 - half, 30 - half, 20 + half, 30 + half]
    np.testing.assert_allclose(view.window, expected, rtol=1e-5)
    # Around the same middle, a stride of 8 pixels of the crop for each location.
    rows, columns = view.scores.shape
    half = columns * 8 * 40 / 33 / 2
    assert rows == columns
    np.testing.assert_allclose(
        view.cells, [20 - half, 30 - half, 20 + half, 30 + half], rtol=1e-5
    )
    assert view.scores.min() >= 0
    assert view.scores.max() <= 1


def test_frames_that_do_not_fit_are_refused(tracker, first_mask):
    with pytest.raises(RuntimeError, match='init with the first frame expected'):
        tracker.update(draw_frame(0))
    with pytest.raises(TypeError, match='uint8, 0 to 255, expected, got float64'):
        tracker.init(draw_frame(0) / 255, mask=first_mask)
    with pytest.raises(ValueError, match=r'\(height, width, 3\) expected, got \(64, 96\)'):
        tracker.init(draw_frame(0)[..., 0], mask=first_mask)
    tracker.init(draw_frame(0), mask=first_mask)
    with pytest.raises(ValueError, match=r'frame of 64 x 96 .* expected, got 32 x 96'):
        tracker.update(draw_frame(1)[:32])
    with pytest.raises(ValueError, match='at least one object'):
        tracker.init(draw_frame(0))
    tracker.update(draw_frame(1))  # as before the wrong init
