"""The trained tracker that comes with the package, and how checkpoints are published."""

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from pycocotools import mask as coco_mask

from siampolarmask_mm.apis import load
from siampolarmask_mm.evaluation.region_contour import region_similarity
from siampolarmask_mm.model_zoo import CHECKPOINT, publish
from siampolarmask_mm.video.checkpoint import read_weights


@pytest.fixture
def trained(model_config, tmp_path):
    """A checkpoint as mmengine's runner writes it."""
    network = MODELS.build(model_config)
    content = dict(
        meta=dict(epoch=3, hook_msgs=dict()),
        state_dict=network.state_dict(),
        optimizer=torch.optim.AdamW(network.parameters()).state_dict(),
        message_hub=dict(log_scalars=dict()),
    )
    torch.save(content, tmp_path / 'epoch_3.pth')
    return tmp_path / 'epoch_3.pth'


def test_a_published_checkpoint_has_the_weights_alone(trained, tmp_path):
    publish(trained, tmp_path / 'published.pth')
    content = torch.load(tmp_path / 'published.pth', weights_only=True)
    assert list(content) == ['state_dict']
    weights = torch.load(trained, weights_only=True)['state_dict']
    assert content['state_dict'].keys() == weights.keys()
    assert all(torch.equal(content['state_dict'][key], weights[key]) for key in weights)


def test_in_half_precision_it_takes_half_the_room(trained, tmp_path, model_config):
    publish(trained, tmp_path / 'full.pth')
    publish(trained, tmp_path / 'half.pth', half=True)
    size = (tmp_path / 'half.pth').stat().st_size / (tmp_path / 'full.pth').stat().st_size
    assert size < 0.7  # of a network so small that names take room, too
    network = MODELS.build(model_config)
    network.load_state_dict(read_weights(tmp_path / 'half.pth'))
    for name, value in read_weights(trained).items():
        loaded = network.state_dict()[name]
        assert loaded.dtype == value.dtype
        assert torch.allclose(loaded, value, rtol=1e-3, atol=1e-6), name


def test_weights_too_large_for_it_are_refused(trained, tmp_path):
    content = torch.load(trained, weights_only=True)
    content['state_dict']['head.ray_scale'] = torch.tensor(1e6)
    torch.save(content, trained)
    with pytest.raises(ValueError, match=r'head\.ray_scale does not fit into half'):
        publish(trained, tmp_path / 'half.pth', half=True)
    assert not (tmp_path / 'half.pth').exists()


# What comes with the package

SIZE = 240, 320
# What it found in frame 5 below when it was published: COCO's RLE, 3,465 pixels.
FOUND = (
    'QTj0?m67K5K3N3M2M4M2N2N2N2O0O2N2N101N2O000O2O000O2O000000000000000000000000000'
    '1N10001N10001N2N2O0O2N101N2N2O101N1O2O001N3M?B00O10O100O0010O10O0010O10O010O10'
    'O010O010O010O10O010O10OO2N1N3M2N3M2NPjj0'
)


def frame_and_mask(time):
    """A wooden-looking disk with a handle, which moves over stripes and turns."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    x, y, angle = columns - 120 - 4 * time, rows - 110 - 2 * time, 0.1 * time
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    mask = (along**2 + across**2 < 30**2) | ((abs(across) < 8) & (along > 0) & (along < 70))
    image = np.stack(
        [
            90 + 40 * np.sin(columns / 9),
            130 + 30 * np.cos(rows / 13),
            100 + 20 * np.sin((rows + columns) / 7),
        ],
        axis=-1,
    )
    wood = np.stack(
        [40 + 15 * np.sin(along / 2), 70 + 20 * np.sin(along / 2), 150 + across]
    )
    image[mask] = np.moveaxis(wood, 0, -1)[mask]
    return image.clip(0, 255).astype(np.uint8), mask


def test_the_shipped_checkpoint_is_small_and_holds_weights_alone():
    content = torch.load(CHECKPOINT, weights_only=True)
    assert list(content) == ['state_dict']
    assert CHECKPOINT.stat().st_size < 20e6


def test_it_finds_the_mask_that_it_found_when_it_was_published():
    tracker = load(device='cpu')
    image, mask = frame_and_mask(0)
    tracker.init(image, mask=mask.astype(np.uint8))
    overlaps = []
    for time in range(1, 6):
        image, mask = frame_and_mask(time)
        found = tracker.update(image).masks[0]
        overlaps.append(region_similarity(found, mask))
    assert min(overlaps) > 0.9, overlaps  # though it has never seen such a thing
    known = coco_mask.decode(dict(size=SIZE, counts=FOUND))
    assert known.sum() == 3465
    assert region_similarity(found, known.astype(bool)) > 0.99


def test_a_config_without_a_checkpoint_is_refused():
    with pytest.raises(ValueError, match='a config and a checkpoint expected, or neither'):
        load('siampolarmask_tiny_1xb8-1500i_synthetic')
