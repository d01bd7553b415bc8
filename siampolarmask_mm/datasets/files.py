"""Reading frames' headers and label images, with errors that name the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of an image, from its header; a JPEG must also have its end.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no image, or a JPEG that breaks off.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            is_jpeg = image.format == 'JPEG'
    except UnidentifiedImageError as error:
        raise ValueError(f'an image expected, got something else in {path}') from error
    if is_jpeg and not _has_end_of_jpeg(path):
        raise ValueError(f'a whole JPEG expected, but {path} breaks off')
    return height, width


def _has_end_of_jpeg(path: str | Path) -> bool:
    with open(path, 'rb') as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 2**16))  # some writers append to it
        return b'\xff\xd9' in file.read()


def read_labels(path: str | Path) -> np.ndarray:
    """The label of each pixel: an indexed PNG's palette indices, or grey values.

    Returns:
        (H, W) uint8; 0 is background.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no image, or neither indexed nor grey.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ('P', 'L', '1'):
                raise ValueError(
                    f'an indexed or grey PNG of labels expected, got mode {image.mode} '
                    f'in {path}'
                )
            return np.array(image, dtype=np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f'a PNG of labels expected, {path} cannot be read') from error
