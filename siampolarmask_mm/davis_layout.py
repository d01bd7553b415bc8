"""Where a folder in the layout of DAVIS has what.

::

    JPEGImages/480p/<sequence>/00000.jpg ...
    Annotations/480p/<sequence>/00000.png ...   label images, 0 is background
    ImageSets/<year>/<split>.txt                the sequences of a split
"""

from __future__ import annotations

from pathlib import Path


def label_files(root: Path, sequence: str) -> list[Path]:
    """The label images of a sequence, in order; YouTube-VOS has them without ``480p``.

    Raises:
        FileNotFoundError: if there is none.
    """
    folders = [root / 'Annotations' / '480p' / sequence, root / 'Annotations' / sequence]
    for folder in folders:
        files = sorted(folder.glob('*.png'))
        if files:
            return files
    raise FileNotFoundError(f'no label image (.png) in {folders[0]} or {folders[1]}')


def read_split(path: str | Path) -> list[str]:
    """Names of the sequences that a DAVIS list gives, in its order.

    A line is a name (DAVIS-2017), or the paths of an image and its label image
    (DAVIS-2016), whose folder is the name.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is empty.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'no list of sequences at {path}')
    lines = [line.split() for line in Path(path).read_text().splitlines() if line.strip()]
    names = [Path(line[0]).parent.name if '/' in line[0] else line[0] for line in lines]
    if not names:
        raise ValueError(f'a list of sequences expected, {path} is empty')
    return list(dict.fromkeys(names))
