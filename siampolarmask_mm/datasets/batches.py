"""stack_pairs: batches of training pairs that a worker process hands over quickly.

Each tensor that goes from one process to another costs a file of shared memory, and a pair
has eight small ones. Here a batch's images are one tensor per kind of crop, and all else
goes as plain bytes.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset.utils import COLLATE_FUNCTIONS
from torch import Tensor


class _Samples(list):
    """Data samples, a plain list of the same after the way to another process."""

    def __reduce__(self) -> tuple:
        content = io.BytesIO()
        pickler = pickle.Pickler(content, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {Tensor: _reduce_tensor, BitmapMasks: _reduce_masks}
        pickler.dump(list(self))
        return pickle.loads, (content.getvalue(),)


def _reduce_tensor(tensor: Tensor) -> tuple:
    return torch.from_numpy, (tensor.numpy(),)


def _reduce_masks(masks: BitmapMasks) -> tuple:
    if masks.masks.max(initial=0) > 1:
        return BitmapMasks, (masks.masks, masks.height, masks.width)
    return _unpack_masks, (np.packbits(masks.masks), masks.masks.shape)


def _unpack_masks(bits: np.ndarray, shape: tuple[int, int, int]) -> BitmapMasks:
    masks = np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape)
    return BitmapMasks(masks, *shape[1:])


@COLLATE_FUNCTIONS.register_module()
def stack_pairs(samples: Sequence[dict], _scope_: str = '') -> dict:  # noqa: ARG001
    """N packed training pairs as one batch.

    Args:
        samples: as mmtrack's PackTrackInputs gives them: ``inputs``, a dict of (T, 3, h, w)
            images of one size in all samples, and ``data_samples``.
        _scope_: not used. mmengine writes it into configs that are inherited through
            ``siampolarmask_mm::``, and passes it on.

    Returns:
        ``inputs``, a dict of (N, T, 3, h, w) images, and ``data_samples``, a list of N.

    Raises:
        ValueError: if crops differ in size.
    """
    inputs = {
        name: _stack([sample['inputs'][name] for sample in samples], name)
        for name in samples[0]['inputs']
    }
    return dict(
        inputs=inputs, data_samples=_Samples(sample['data_samples'] for sample in samples)
    )


def _stack(images: list[Tensor], name: str) -> Tensor:
    sizes = sorted({tuple(image.shape) for image in images})
    if len(sizes) > 1:
        raise ValueError(f'{name} of one size in a batch expected, got {sizes}')
    # In the order in which they lie in memory: pixel by pixel.
    pixels = torch.stack([image.permute(0, 2, 3, 1) for image in images])
    return pixels.permute(0, 1, 4, 2, 3)
