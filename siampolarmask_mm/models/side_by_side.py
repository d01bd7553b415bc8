"""SideBySide: several trackers that learn from the same pairs at the same time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from siampolarmask_mm.registry import MODELS

SHARED = 'backbone', 'data_preprocessor', 'template_size', 'search_size'


@MODELS.register_module()
class SideBySide(BaseModel):
    """Trains several trackers on one frozen backbone, which sees each pair only once.

    Each tracker has its own losses, optimizer and random numbers, and becomes the same
    whatever is trained beside it. Reading pairs and computing the backbone's features take
    half of the time of a light tracker's training; here, all share that.

    Only for training, in one process; a tracker's own config tests it. It needs an
    optimizer wrapper for each, which `SideBySideConstructor` makes.

    Args:
        trackers: configs of SiamPolarMask by name. Backbone, preprocessor and sizes of the
            crops are the same in all.
        init_cfg: of mmengine's BaseModule.

    Raises:
        ValueError: if there is no tracker, if they differ in what they share, or if the
            backbone is not frozen.
    """

    def __init__(self, trackers: dict[str, dict], init_cfg: dict | None = None) -> None:
        if not trackers:
            raise ValueError('one tracker at least expected, got none')
        _check_same(trackers)
        (_, first), *_ = trackers.items()
        super().__init__(MODELS.build(first['data_preprocessor']), init_cfg)
        self._random_numbers = {}
        self.trackers = nn.ModuleDict()
        for name, config in trackers.items():
            with self._drawing_its_own(name):
                self.trackers[name] = MODELS.build(config)
        self.backbone = self.trackers[next(iter(trackers))].backbone
        self.backbone.train()  # mmdet's freeze their stages here
        if any(weight.requires_grad for weight in self.backbone.parameters()):
            raise ValueError('a frozen backbone expected: a shared one cannot learn')
        for tracker in self.trackers.values():
            tracker.backbone = self.backbone

    def init_weights(self) -> None:
        """As each tracker does, from the random numbers that are next here."""
        self._random_numbers.clear()
        self.backbone.init_weights()
        for name, tracker in self.trackers.items():
            with self._drawing_its_own(name):
                tracker.init_weights()

    def forward(self, *_: object, **__: object) -> None:
        """Nothing but `train_step` makes sense of several trackers."""
        raise RuntimeError('SideBySide only trains, in one process')

    def train_step(
        self, data: dict, optim_wrapper: OptimWrapperDict
    ) -> dict[str, torch.Tensor]:
        """One step of every tracker, one after the other.

        Args:
            data: a batch, as the dataloader gives it.
            optim_wrapper: that of each tracker, by name.

        Returns:
            What to log: every loss, its name behind the tracker's.
        """
        data = self.data_preprocessor(data, training=True)
        samples, features = data['data_samples'], None
        logs = {}
        for name, tracker in self.trackers.items():
            wrapper = optim_wrapper[name]
            with wrapper.optim_context(tracker):
                if features is None:
                    features = self._extract(data['inputs'])
                with self._drawing_its_own(name):
                    losses = tracker.loss_of_features(*features, samples)
            total, parts = self.parse_losses(losses)
            wrapper.update_params(total)
            logs.update({f'{name}.{part}': value for part, value in parts.items()})
        return logs

    def _extract(self, inputs: dict) -> tuple[tuple[Tensor, ...], ...]:
        """The backbone's features of templates and of search crops."""
        with torch.no_grad():
            return tuple(self.backbone(inputs[k][:, 0]) for k in ('img', 'search_img'))

    @contextlib.contextmanager
    def _drawing_its_own(self, name: str) -> Iterator[None]:
        """Let a tracker go on with its own random numbers, as if there were no other."""
        devices = range(torch.cuda.device_count())  # of more than one it warns otherwise
        with torch.random.fork_rng(devices):
            if name in self._random_numbers:
                numbers, of_devices = self._random_numbers[name]
                torch.set_rng_state(numbers)
                torch.cuda.set_rng_state_all(of_devices)
            yield
            of_devices = torch.cuda.get_rng_state_all()
            self._random_numbers[name] = torch.get_rng_state(), of_devices


def _check_same(trackers: dict[str, dict]) -> None:
    (first_name, first), *others = trackers.items()
    for name, config in others:
        for part in SHARED:
            if config.get(part) != first.get(part):
                raise ValueError(
                    f'the same {part} in all trackers expected, got {first.get(part)} in '
                    f'{first_name} and {config.get(part)} in {name}'
                )
