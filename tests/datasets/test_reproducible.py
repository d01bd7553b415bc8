"""What NumberedSampler and SeededDataset promise."""

import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.registry import DATA_SAMPLERS, DATASETS
from mmengine.runner import Runner
from torch.utils.data import Dataset

from siampolarmask_mm.datasets import NumberedSampler, SeededDataset
from siampolarmask_mm.datasets.reproducible import NumberedIndex, seeded


@DATASETS.register_module()
class DrawingDataset(Dataset):
    """Gives, for an index, what all three generators draw."""

    def __init__(self):
        self.metainfo = dict(classes=('object',))

    def full_init(self):
        pass

    def __len__(self):
        return 12

    def __getitem__(self, index):
        assert type(index) is int
        drawn = random.random(), np.random.random(), float(torch.rand(()))
        return torch.tensor([index, *drawn], dtype=torch.double)


def loader(num_workers, sampler=None, seed=0, **kwargs):
    config = dict(
        batch_size=3,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        sampler=dict(
            type='NumberedSampler',
            sampler=sampler or dict(type='DefaultSampler', shuffle=True),
        ),
        dataset=dict(type='SeededDataset', dataset=dict(type='DrawingDataset')),
        collate_fn=dict(type='default_collate'),
    )
    return Runner.build_dataloader(config | kwargs, seed=seed)


def epochs(data_loader, number=2):
    samples = []
    for epoch in range(number):
        data_loader.sampler.set_epoch(epoch)
        samples += list(data_loader)
    return torch.cat(samples)


@pytest.mark.parametrize(
    'sampler',
    [
        dict(type='DefaultSampler', shuffle=True),
        dict(type='mmtrack.QuotaSampler', samples_per_epoch=30),
    ],
)
def test_samples_are_the_same_in_any_number_of_workers(sampler):
    alone = epochs(loader(0, sampler))
    assert torch.equal(epochs(loader(1, sampler)), alone)
    assert torch.equal(epochs(loader(2, sampler)), alone)


def test_no_two_samples_of_a_training_are_drawn_alike():
    """Two epochs of 12, and an oversampled one of 30, which takes each index 2.5 times."""
    for samples in (
        epochs(loader(0)),
        epochs(loader(0, dict(type='mmtrack.QuotaSampler', samples_per_epoch=30))),
    ):
        for column in (1, 2, 3):
            assert len(samples[:, column].unique()) == len(samples)


def test_another_seed_gives_other_samples():
    one, other = (epochs(loader(0, seed=seed)) for seed in (1, 2))
    assert not np.isin(one[:, 1:], other[:, 1:]).any()


def test_a_resumed_training_gets_the_samples_it_would_have_got():
    whole = epochs(loader(0))
    resumed = loader(2)
    resumed.sampler.set_epoch(1)
    assert torch.equal(torch.cat(list(resumed)), whole[12:])


def test_infinite_samplers_are_numbered_without_end():
    dataset = SeededDataset(dict(type='DrawingDataset'))
    sampler = NumberedSampler(dataset, dict(type='InfiniteSampler', shuffle=False), seed=5)
    indices = [index for index, _ in zip(sampler, range(30), strict=False)]
    assert [int(index) for index in indices] == [*range(12), *range(12), *range(6)]
    assert [index.key for index in indices] == [(5, number) for number in range(30)]


def test_processes_share_the_numbers_out():
    numbers = []
    for rank in range(2):
        sampler = DATA_SAMPLERS.build(
            dict(
                type='NumberedSampler', sampler=dict(type='DefaultSampler', shuffle=False)
            ),
            default_args=dict(dataset=SeededDataset(dict(type='DrawingDataset')), seed=0),
        )
        sampler.rank, sampler.world_size = rank, 2
        numbers += [index.key[1] for index in sampler]
    assert len(set(numbers)) == len(numbers)


def test_an_index_reaches_a_worker_with_its_key():
    index = pickle.loads(pickle.dumps(NumberedIndex(7, (1, 9))))
    assert index == 7
    assert index.key == (1, 9)


def test_seeding_leaves_the_trainings_own_chance_alone():
    def draw():
        return random.random(), np.random.random(), float(torch.rand(()))

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    plain = [draw(), draw()]
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    interrupted = [draw()]
    with seeded((0, 1)):
        inside = draw()
    interrupted.append(draw())
    assert interrupted == plain
    with seeded((0, 1)):
        assert draw() == inside
    with seeded((1, 0)):
        assert draw() != inside


def test_a_plain_index_is_refused():
    dataset = SeededDataset(dict(type='DrawingDataset'))
    assert len(dataset) == 12
    with pytest.raises(TypeError, match='index from NumberedSampler expected, got a plain'):
        dataset[3]


def test_a_wrapper_that_loses_the_numbers_is_refused():
    """mmengine's ConcatDataset passes plain indices on."""
    part = dict(type='DrawingDataset')
    wrapped = DATASETS.build(dict(type='RepeatDataset', times=2, dataset=part))
    with pytest.raises(TypeError, match=r'SeededDataset.* expected, got RepeatDataset'):
        NumberedSampler(wrapped, dict(type='DefaultSampler'))
