"""What `Inference` promises: a network that runs faster and says the same."""

import copy

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn
from torch.testing import assert_close

from siampolarmask_mm.models.inference import Inference


@pytest.fixture
def model(model_config):
    model = MODELS.build(model_config).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # as if trained
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model


def predict(inference, network, crops):
    with inference.context(torch.device('cpu')):
        template = network.extract_template(inference.layout(crops[..., :33, :33]))
        prediction = network.head(template, network.extract(inference.layout(crops)))
    return [part.float() for part in prediction]


def test_with_no_argument_nothing_is_changed_or_copied(model):
    assert Inference().prepare(model) is model
    assert Inference(amp='bfloat16').prepare(model) is model


@pytest.mark.parametrize('amp', [None, 'bfloat16'])
def test_a_fused_network_predicts_the_same(model, amp):
    crops = torch.randn(2, 3, 65, 65)
    before = copy.deepcopy(model.state_dict())
    expected = predict(Inference(), model, crops)
    fast = Inference(amp, channels_last=True, fuse_conv_bn=True)
    running = fast.prepare(model)
    tolerance = dict(atol=1e-3, rtol=1e-3) if amp is None else dict(atol=0.1, rtol=0.05)
    for part, truth in zip(predict(fast, running, crops), expected, strict=True):
        assert_close(part, truth, **tolerance)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in running.backbone.modules())
    weight = running.backbone.conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    # The network that goes on learning is left as it was.
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert running.tracker is model.tracker


def test_convolutions_run_in_the_type_that_was_asked_for(model):
    types = []
    model.backbone.register_forward_hook(lambda _, __, out: types.append(out[0].dtype))
    predict(Inference('bfloat16'), model, torch.randn(1, 3, 65, 65))
    predict(Inference(), model, torch.randn(1, 3, 65, 65))
    assert types == [torch.bfloat16] * 2 + [torch.float32] * 2


def test_parts_can_be_left_exact(model):
    types = []
    for layer in (model.backbone.conv1, model.backbone.layer1):
        layer.register_forward_hook(lambda _, __, out: types.append(out.dtype))
    fast = Inference('bfloat16', exact=['backbone.conv1'])
    predict(fast, fast.prepare(model), torch.randn(1, 3, 65, 65))
    assert types == [torch.float32, torch.bfloat16] * 2
    types.clear()
    predict(Inference('bfloat16'), model, torch.randn(1, 3, 65, 65))
    assert types == [torch.bfloat16] * 4


def test_another_type_is_refused():
    with pytest.raises(ValueError, match="got 'float64'"):
        Inference('float64')


def test_each_video_is_tracked_with_the_weights_of_its_time(model_config):
    model = MODELS.build(dict(model_config, inference=dict(fuse_conv_bn=True))).eval()
    model.tracker.forget(1)
    first = model.tracker.running.model.backbone.conv1.weight
    model.backbone.conv1.weight.data *= 2
    assert not torch.equal(model.tracker.running.model.backbone.conv1.weight, 2 * first)
    model.tracker.forget(1)
    assert_close(model.tracker.running.model.backbone.conv1.weight, 2 * first)
