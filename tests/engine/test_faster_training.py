"""What the optimizer wrapper and the hook promise."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import HOOKS, OPTIM_WRAPPERS
from torch import nn
from torch.testing import assert_close


@pytest.fixture
def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 1))


def test_layers_compute_in_bfloat16_and_learn_in_float32(network):
    images, twin = torch.rand(2, 3, 8, 8), copy.deepcopy(network)
    twin(images).sum().backward()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    wrapper = OPTIM_WRAPPERS.build(dict(type='AutocastOptimWrapper', optimizer=optimizer))
    with wrapper.optim_context(network):
        output = network(images)
    assert output.dtype == torch.bfloat16
    assert network(images).dtype == torch.float32
    wrapper.update_params(output.float().sum())
    for learned, weight in zip(network.parameters(), twin.parameters(), strict=True):
        assert learned.dtype == torch.float32
        expected = weight - 0.1 * weight.grad
        assert_close(learned, expected, rtol=0, atol=0.02 * weight.grad.abs().max().item())


def test_pixels_last_changes_the_layout_alone(network):
    images = torch.randn(2, 3, 8, 8)
    before = network(images)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    HOOKS.build(dict(type='ChannelsLastHook')).before_train(SimpleNamespace(model=network))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert network[0](images).is_contiguous(memory_format=torch.channels_last)
    assert_close(network(images), before)
    assert optimizer.param_groups[0]['params'][0] is network[0].weight


def test_a_wrapped_network_is_laid_out_as_well(network):
    wrapped = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    nn.Module.__init__(wrapped)
    wrapped.module = network
    HOOKS.build(dict(type='ChannelsLastHook')).before_train(SimpleNamespace(model=wrapped))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_frozen_parts_get_no_gradients(network):
    HOOKS.build(dict(type='FreezeHook', parts=['0'])).before_train(
        SimpleNamespace(model=network)
    )
    network(torch.rand(2, 3, 8, 8)).sum().backward()
    assert all(p.grad is None for p in network[0].parameters())
    assert all(p.grad is not None for p in network[2].parameters())


def test_statistics_of_frozen_parts_stay():
    network = nn.ModuleDict(dict(frozen=nn.BatchNorm1d(2), free=nn.BatchNorm1d(2)))
    runner = SimpleNamespace(model=network)
    hook = HOOKS.build(dict(type='FreezeHook', parts=['frozen']))
    hook.before_train(runner)
    before = copy.deepcopy(network.state_dict())
    for _ in range(2):
        network.train()  # as mmengine's loops do
        hook.before_train_iter(runner, batch_idx=0, data_batch=None)
        network['free'](network['frozen'](torch.rand(9, 2)))
    changed = {
        name
        for name, value in network.state_dict().items()
        if (value != before[name]).any()
    }
    assert {name.split('.')[0] for name in changed} == {'free'}


def test_one_name_is_not_a_list_of_parts():
    with pytest.raises(TypeError, match="a list of names of parts expected, got 'neck'"):
        HOOKS.build(dict(type='FreezeHook', parts='neck'))


def test_processes_that_wait_for_all_gradients_cannot_freeze(network):
    wrapped = SimpleNamespace(module=network, find_unused_parameters=False)
    hook = HOOKS.build(dict(type='FreezeHook', parts=['0']))
    with pytest.raises(ValueError, match='find_unused_parameters=True expected'):
        hook.before_train(SimpleNamespace(model=wrapped))


def test_a_part_that_is_not_there_cannot_be_frozen(network):
    hook = HOOKS.build(dict(type='FreezeHook', parts=['neck']))
    with pytest.raises(AttributeError, match='neck'):
        hook.before_train(SimpleNamespace(model=network))
