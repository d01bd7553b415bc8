"""The same training samples from the same seed, whatever process makes them.

A sampler numbers its samples, and a dataset draws each sample from its number: then neither
the number of workers nor their speed changes what a network is trained on.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sized

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS as ALL_SAMPLERS
from mmengine.registry import DATASETS as ALL_DATASETS
from torch.utils.data import Dataset, Sampler, get_worker_info

from siampolarmask_mm.registry import DATA_SAMPLERS, DATASETS


class NumberedIndex(int):
    """An index into a dataset that knows which sample of the training it is for.

    Attributes:
        key: the training's seed and the sample's number.
    """

    key: tuple[int, int]

    def __new__(cls, index: int, key: tuple[int, int]) -> NumberedIndex:
        """An index with its key."""
        numbered = super().__new__(cls, index)
        numbered.key = key
        return numbered

    def __getnewargs__(self) -> tuple[int, tuple[int, int]]:
        """What a worker process makes it again from."""
        return int(self), self.key


@DATA_SAMPLERS.register_module()
class NumberedSampler(Sampler):
    """Any sampler, its samples numbered from the training's start.

    The number goes on from epoch to epoch, and over the processes of a distributed
    training. A training that is resumed gets the numbers it would have got.

    Args:
        dataset: what is sampled.
        sampler: config of the sampler: mmengine's DefaultSampler or InfiniteSampler,
            mmtrack's QuotaSampler, ...
        seed: of the order and of the samples; the runner gives its own.

    Raises:
        TypeError: if the dataset would not draw its samples from their numbers, as wrappers
            such as mmengine's ConcatDataset do not.
    """

    def __init__(self, dataset: Sized, sampler: dict, seed: int | None = None) -> None:
        if not getattr(dataset, 'DRAWS_FROM_NUMBERS', False):
            raise TypeError(
                "a dataset of this package or dict(type='SeededDataset', dataset=...) "
                f'around it expected, got {type(dataset).__name__}'
            )
        self.seed = 0 if seed is None else seed
        self.sampler = ALL_SAMPLERS.build(
            sampler, default_args=dict(dataset=dataset, seed=self.seed)
        )
        self.rank, self.world_size = get_dist_info()
        self._epoch = 0

    def __iter__(self) -> Iterator[NumberedIndex]:
        """The sampler's indices, with keys."""
        first = self._epoch * len(self)
        for position, index in enumerate(self.sampler, start=first):
            number = position * self.world_size + self.rank
            yield NumberedIndex(index, (self.seed, number))

    def __len__(self) -> int:
        """Samples of an epoch, in this process."""
        return len(self.sampler)

    def set_epoch(self, epoch: int) -> None:
        """As the runner tells before each epoch."""
        self._epoch = epoch
        self.sampler.set_epoch(epoch)


@DATASETS.register_module()
class SeededDataset(Dataset):
    """Any dataset, each sample drawn from the number that NumberedSampler gives it.

    This package's datasets do so by themselves; this is for others, and for mixtures.
    Python's, numpy's and torch's generators are seeded for the sample and put back after
    it, so that the training's own chance is not touched.

    Args:
        dataset: config of the dataset, which may be a wrapper itself, such as mmtrack's
            RandomSampleConcatDataset.
    """

    DRAWS_FROM_NUMBERS = True

    def __init__(self, dataset: dict) -> None:
        self.dataset = ALL_DATASETS.build(dataset)
        self.metainfo = self.dataset.metainfo

    def full_init(self) -> None:
        """Read everything."""
        self.dataset.full_init()

    def __len__(self) -> int:
        """Samples of an epoch."""
        return len(self.dataset)

    def __getitem__(self, index: NumberedIndex) -> dict:
        """The sample.

        Raises:
            TypeError: if the index has no number.
        """
        if not isinstance(index, NumberedIndex):
            raise TypeError(
                'an index from NumberedSampler expected, got a plain one: set '
                "sampler=dict(type='NumberedSampler', sampler=...)"
            )
        with seeded(index.key):
            return self.dataset[int(index)]


@contextlib.contextmanager
def seeded(key: tuple[int, ...]) -> Iterator[None]:
    """Seed Python's, numpy's and torch's generators, and put them back afterwards.

    In a worker process, which draws samples and nothing else, they are not put back.

    Args:
        key: numbers from 0 on, of which every one counts.
    """
    if get_worker_info() is not None:
        _seed(key)
        yield
        return
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    _seed(key)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def _seed(key: tuple[int, ...]) -> None:
    seed, *numpy_seeds = np.random.SeedSequence(key).generate_state(5).tolist()
    random.seed(seed)
    np.random.seed(numpy_seeds)
    torch.default_generator.manual_seed(seed)  # not torch.manual_seed: it seeds GPUs too
