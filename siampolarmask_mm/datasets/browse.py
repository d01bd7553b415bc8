"""A config's training pairs, as its network gets them, drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DATA_SAMPLERS, DATASETS, MODELS
from mmtrack.structures import TrackDataSample
from torch import Tensor

from siampolarmask_mm.datasets.reproducible import NumberedSampler, seeded
from siampolarmask_mm.models.siam_polarmask import SiamPolarMask
from siampolarmask_mm.visualization.pairs import draw_pair


def draw_samples(config: Config, number: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Pictures of training pairs (`siampolarmask_mm.visualization.pairs.draw_pair`).

    Args:
        config: with ``train_dataloader`` and ``model``, a SiamPolarMask.
        number: of pairs; fewer if an epoch has fewer.
        seed: of the samples.
    """
    dataset = DATASETS.build(config.train_dataloader.dataset)
    dataset.full_init()
    sampler = DATA_SAMPLERS.build(
        config.train_dataloader.sampler, default_args=dict(dataset=dataset, seed=seed)
    )
    numbered = isinstance(sampler, NumberedSampler)
    model = MODELS.build(config.model).eval()
    points = None
    for position, index in zip(range(number), sampler, strict=False):
        if numbered:
            packed = dataset[index]
        else:
            with seeded((seed, position)):
                packed = dataset[index]
        if points is None:
            points = locations(model, packed['inputs'])
        yield _draw(model, packed, points)


def locations(model: SiamPolarMask, inputs: dict[str, Tensor]) -> Tensor:
    """(H, W, 2) where a model looks at in a search crop, by asking it once."""
    with torch.no_grad():
        masks = torch.ones(1, model.template_size, model.template_size)
        template = model.extract_template(inputs['img'].float(), masks)
        prediction = model.head(template, model.extract(inputs['search_img'].float()))
    return model.location_points(prediction)


def _draw(model: SiamPolarMask, packed: dict, points: Tensor) -> np.ndarray:
    sample: TrackDataSample = packed['data_samples']
    images = [
        packed['inputs'][key][0].permute(1, 2, 0).numpy()[..., ::-1]
        for key in ('img', 'search_img')
    ]
    targets = model.find_targets([sample], points)
    return draw_pair(
        [np.ascontiguousarray(image) for image in images], sample, targets, points
    )
