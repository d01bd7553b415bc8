"""Shapes to look at, and both ways of computing."""

import numpy as np
import pytest
import torch

from siampolarmask_mm.polar import compiled


@pytest.fixture(params=['plain', 'compiled'])
def _both_ways(request, monkeypatch):
    """Run a test with tensor code, and with compiled code where numba is installed."""
    if request.param == 'plain':
        monkeypatch.setattr(compiled, 'fits', lambda *_: False)
    elif compiled.numba is None:
        pytest.skip('numba is not installed')


def disk(center, radius, size):
    y, x = np.mgrid[: size[0], : size[1]]
    return torch.from_numpy((x - center[0]) ** 2 + (y - center[1]) ** 2 <= radius**2)


@pytest.fixture
def disk_with_arm():
    """(60, 80) mask and the point (30, 30) inside it."""
    mask = disk((30, 30), 14, (60, 80))
    mask[28:33, 40:70] = True
    return mask, torch.tensor([30.0, 30.0])
