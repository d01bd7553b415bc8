"""Reading the headers of images, with errors that name the file."""

from __future__ import annotations

from pathlib import Path

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
