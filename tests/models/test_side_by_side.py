"""What SideBySide promises: each tracker learns as if there were no other."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapperDict
from mmengine.registry import MODELS
from mmengine.runner import Runner
from torch.testing import assert_close

from siampolarmask_mm.engine.side_by_side import SideBySideConstructor, side_by_side

OPTIM_WRAPPER = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.01),
    clip_grad=dict(max_norm=0.1),  # such that it matters whose norm it is
)


@pytest.fixture
def config(model_config):
    """A tracker on a frozen backbone that draws random numbers when it learns."""
    model_config['backbone'].update(frozen_stages=2, norm_eval=True)
    model_config['head']['matching'] = dict(type='MaskMatching', use_previous=True)
    model_config['previous_mask'] = dict(type='PreviousMask')
    return model_config


@pytest.fixture
def union(config):
    config = copy.deepcopy(config)
    config['assigner']['representation'] = 'visible_union'
    config['head']['num_rays'] = 8
    return config


@pytest.fixture
def plain(config):
    config = copy.deepcopy(config)
    del config['head']['matching'], config['previous_mask']
    return config


@pytest.fixture
def batches(training_pairs):
    return [pseudo_collate([training_pairs[i], training_pairs[i + 1]]) for i in range(2)]


def train(trackers, batches):
    """The trackers' weights, by name, after a step for each batch."""
    torch.manual_seed(1)
    model = MODELS.build(dict(type='SideBySide', trackers=trackers))
    model.init_weights()
    model.train()
    wrappers = SideBySideConstructor(OPTIM_WRAPPER)(model)
    for batch in batches:
        logs = model.train_step(batch, wrappers)
        assert {f'{name}.loss_rays' for name in trackers} <= set(logs)
    return {name: part.state_dict() for name, part in model.trackers.items()}


def test_a_tracker_becomes_the_same_whatever_is_beside_it(config, union, plain, batches):
    alone = train(dict(stars=config), batches)['stars']
    last = train(dict(plain=plain, union=union, stars=config), batches)['stars']
    first = train(dict(stars=config, union=union), batches)['stars']
    for name, value in alone.items():
        assert_close(last[name], value, rtol=0, atol=0)
        assert_close(first[name], value, rtol=0, atol=0)
    untrained = train(dict(stars=config), [])['stars']
    changed = {name for name in alone if not alone[name].equal(untrained[name])}
    assert changed
    assert not any(name.startswith('backbone') for name in changed)


def test_each_learns_what_it_would_by_itself(plain, union, batches):
    """From the same weights, and without random numbers: to the last bit."""
    del union['head']['matching'], union['previous_mask']
    trackers = dict(plain=plain, union=union)
    before, after = train(trackers, []), train(trackers, batches)
    for name, config in trackers.items():
        tracker = MODELS.build(config).train()
        tracker.load_state_dict(before[name])
        build = Runner.build_optim_wrapper
        wrapper = build(_HasModel(tracker), copy.deepcopy(OPTIM_WRAPPER))
        for batch in batches:
            tracker.train_step(batch, wrapper)
        for key, value in tracker.state_dict().items():
            assert_close(after[name][key], value, rtol=0, atol=0)


class _HasModel:
    def __init__(self, model):
        self.model = model


def test_it_only_trains(config):
    model = MODELS.build(dict(type='SideBySide', trackers=dict(a=config)))
    with pytest.raises(RuntimeError, match='only trains, in one process'):
        model({}, [], mode='predict')


def test_the_backbone_is_one(config, union):
    model = MODELS.build(dict(type='SideBySide', trackers=dict(a=config, b=union)))
    assert model.trackers['a'].backbone is model.trackers['b'].backbone


@pytest.mark.parametrize(
    ('part', 'value'),
    [('search_size', 73), ('backbone', dict(type='mmdet.ResNet', depth=34))],
)
def test_what_is_shared_is_the_same(config, part, value):
    other = dict(config, **{part: value})
    with pytest.raises(ValueError, match=f'the same {part} in all trackers expected'):
        MODELS.build(dict(type='SideBySide', trackers=dict(a=config, b=other)))


def test_a_backbone_that_learns_is_refused(config):
    config['backbone']['frozen_stages'] = 1
    with pytest.raises(ValueError, match='a frozen backbone expected'):
        MODELS.build(dict(type='SideBySide', trackers=dict(a=config)))


def test_there_is_a_tracker():
    with pytest.raises(ValueError, match='one tracker at least expected'):
        MODELS.build(dict(type='SideBySide', trackers={}))
    with pytest.raises(ValueError, match='one config at least expected'):
        side_by_side({})


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(train_cfg=dict(max_iters=4)), 'got another train_cfg in b than in the first'),
        (dict(load_from='iter_9.pth'), 'without load_from expected, b has iter_9.pth'),
        (dict(optim_wrapper=dict(constructor='X')), 'got another optim_wrapper in b'),
    ],
)
def test_trainings_that_cannot_be_one_are_refused(change, message):
    first = Config(dict(model=dict(), train_cfg=dict(max_iters=3), optim_wrapper=dict()))
    with pytest.raises(ValueError, match=message):
        side_by_side(dict(a=first, b=Config(dict(first, **change))))
    own = Config(dict(first, optim_wrapper=dict(constructor='X')))
    with pytest.raises(ValueError, match='without constructor expected, a has X'):
        side_by_side(dict(a=own, b=own))


def test_a_wrapped_model_has_no_optimizers():
    with pytest.raises(TypeError, match='a SideBySide expected, got Linear'):
        SideBySideConstructor(OPTIM_WRAPPER)(torch.nn.Linear(2, 2))


def test_each_has_an_optimizer_of_its_own(config, union):
    model = MODELS.build(dict(type='SideBySide', trackers=dict(a=config, b=union)))
    wrappers = SideBySideConstructor(OPTIM_WRAPPER)(model)
    assert isinstance(wrappers, OptimWrapperDict)
    assert list(wrappers.keys()) == ['a', 'b']
    own = {id(p) for p in model.trackers['b'].head.parameters()}
    there = {id(p) for g in wrappers['b'].param_groups for p in g['params']}
    assert own <= there
    assert not own & {id(p) for g in wrappers['a'].param_groups for p in g['params']}
