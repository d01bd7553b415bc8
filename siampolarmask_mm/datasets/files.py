"""Looking at the files of images before they are needed, with errors that name the file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from PIL import Image, UnidentifiedImageError

CHECKS = ('headers', 'names')
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png')
ENDS = {'JPEG': b'\xff\xd9', 'PNG': b'IEND'}
ORIENTATION = 0x0112  # the EXIF tag
LYING = (5, 6, 7, 8)  # of images that are shown turned by a quarter, and read so
CHUNK = 64  # files that a thread takes at once


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of an image as it is read, from its header; it must have its end.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no image, or one that breaks off.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            if image.getexif().get(ORIENTATION) in LYING:
                width, height = height, width
            kind = image.format
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f'an image expected, got something else in {path}') from error
    if kind in ENDS and not _has_end(path, ENDS[kind]):
        raise ValueError(f'a whole {kind} expected, but {path} breaks off')
    return height, width


def _has_end(path: str | Path, end: bytes) -> bool:
    with open(path, 'rb') as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 2**16))  # some writers append to it
        return end in file.read()


def find_images(folder: str | Path) -> list[Path]:
    """The images of a folder, by name."""
    return sorted(
        path for path in Path(folder).glob('*') if path.suffix.lower() in IMAGE_SUFFIXES
    )


def check_images(sizes: Mapping[str, tuple[int, int]], source: str, check: str) -> None:
    """Make sure that images are there, and are what a file of annotations says.

    Args:
        sizes: (height, width) that each image must have, by its path.
        source: what says so.
        check: ``headers`` reads each image's header and end (0.1 ms each where the disk is
            fast); ``names`` only lists the folders.

    Raises:
        FileNotFoundError: if an image is missing.
        ValueError: if it cannot be read or has another size, or ``check`` is another.
    """
    if check not in CHECKS:
        raise ValueError(f'check must be one of {CHECKS}, got {check!r}')
    if check == 'names':
        missing = next(_missing(sizes), None)
        if missing:
            raise FileNotFoundError(f'an image expected by {source}, got none at {missing}')
        return
    paths = list(sizes)
    chunks = [paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        found = workers.map(lambda chunk: [image_size(path) for path in chunk], chunks)
        for chunk, found_sizes in zip(chunks, found, strict=True):
            for path, found_size in zip(chunk, found_sizes, strict=True):
                if sizes[path] != found_size:
                    raise ValueError(
                        f'an image of {sizes[path]} pixels (height, width) expected by '
                        f'{source}, got {found_size} in {path}'
                    )


def _missing(paths: Iterable[str]) -> Iterator[str]:
    by_folder = groupby(sorted(paths, key=os.path.dirname), key=os.path.dirname)
    for folder, inside in by_folder:
        names = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        yield from (path for path in inside if os.path.basename(path) not in names)
