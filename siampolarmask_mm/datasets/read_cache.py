"""What was read of many small files, kept for the next start.

It lies in ``~/.cache/siampolarmask_mm`` (below ``$XDG_CACHE_HOME``, if that is set), or in
the folder that ``SIAMPOLARMASK_CACHE`` names; ``SIAMPOLARMASK_CACHE=0`` keeps nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import get_ident

VERSION = 1  # of what is kept; another one is read anew
# A file that was written a moment ago may be written again within one tick of its clock.
SETTLED = 2.0  # seconds


def cache_folder() -> Path | None:
    """Where readings are kept; None if they are not."""
    chosen = os.environ.get('SIAMPOLARMASK_CACHE')
    if chosen == '0':
        return None
    if chosen:
        return Path(chosen)
    home = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(home, 'siampolarmask_mm')


def read_or_recall(
    folder: str | Path, files: Iterable[str], read: Callable[[], dict]
) -> dict:
    """What ``read`` gives, or gave when the same files were as they are now.

    Args:
        folder: names what is read.
        files: every file that is read; known again by path, size and time of change.
        read: gives what JSON can hold.
    """
    cache = cache_folder()
    if cache is None:
        return read()
    folder = Path(os.path.abspath(folder))
    stats = [(str(file), os.stat(file)) for file in files]
    state = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    path = cache / f'{folder.name}-{digest}.json'
    kept = _load(path)
    if kept.get('version') == VERSION and kept.get('state') == state:
        return kept['reading']
    reading = read()
    if max(stat.st_mtime for _, stat in stats) < time.time() - SETTLED:
        _save(path, dict(version=VERSION, state=state, reading=reading))
    return reading


def _load(path: Path) -> dict:
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):  # none yet, or cut short: read anew
        return {}
    return kept if isinstance(kept, dict) else {}


def _save(path: Path, content: dict) -> None:
    part = path.with_name(f'{path.name}.{os.getpid()}.{get_ident()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(content))
        part.replace(path)  # whole or not at all, whoever else writes it
    except OSError as error:
        warnings.warn(f'readings cannot be kept: {error}', stacklevel=2)
