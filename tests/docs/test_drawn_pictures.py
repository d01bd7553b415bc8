"""The pictures of the documentation can be drawn anew."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import cv2
import numpy as np
import pytest

PICTURES = Path(__file__).parents[2] / 'docs/pictures'


@pytest.fixture(scope='module')
def draw():
    spec = spec_from_file_location('draw_pictures', PICTURES / 'draw.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_of_stars_is_the_one_that_is_shown(draw, tmp_path):
    draw.draw_stars(tmp_path / 'stars.png')
    drawn, shown = (
        cv2.imread(str(folder / 'stars.png')) for folder in (tmp_path, PICTURES)
    )
    assert drawn.shape == shown.shape
    assert np.abs(drawn.astype(int) - shown).mean() < 2  # fonts may differ
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 100


def test_no_picture_is_large():
    assert all(path.stat().st_size < 250_000 for path in PICTURES.iterdir())
