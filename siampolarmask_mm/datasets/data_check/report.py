"""What a check of a dataset found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from siampolarmask_mm.datasets.files import image_size


class Finding(NamedTuple):
    """Something about a file.

    Attributes:
        path: of the file or folder.
        severity: ``error`` keeps it, or a part of it, from being trained on; ``warning``
            may be meant.
        message: what was expected and what is there.
    """

    path: str
    severity: str
    message: str

    def __str__(self) -> str:
        return f'{self.path}: {self.severity}: {self.message}'


@dataclass
class Report:
    """Findings and counts of a dataset, or of a part of it.

    Attributes:
        title: the layout, and where it was found.
        findings: in the order of the files.
        counts: of ``videos``, ``objects``, ``frames``, ``masks`` and ``boxes``.
    """

    title: str = ''
    findings: list[Finding] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)

    def error(self, path: str | Path, message: str) -> None:
        """Add an error."""
        self.findings.append(Finding(str(path), 'error', message))

    def warning(self, path: str | Path, message: str) -> None:
        """Add a warning."""
        self.findings.append(Finding(str(path), 'warning', message))

    def add(self, parts: Iterable[Report]) -> None:
        """Take over what parts found."""
        for part in parts:
            self.findings += part.findings
            self.counts += part.counts

    @property
    def num_errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.severity == 'error' for finding in self.findings)

    @property
    def summary(self) -> str:
        """One line: what there is, and how much of it is wrong."""
        kinds = ('videos', 'objects', 'frames', 'masks', 'boxes')
        counts = [count(self.counts[kind], kind) for kind in kinds if self.counts[kind]]
        num_warnings = len(self.findings) - self.num_errors
        counts += [count(self.num_errors, 'errors'), count(num_warnings, 'warnings')]
        return f'{self.title}: {", ".join(counts)}'

    def size_of(self, path: str | Path) -> tuple[int, int] | None:
        """(height, width) of an image; None, and an error, if it cannot be read."""
        try:
            size = image_size(path)
        except (OSError, SyntaxError, ValueError) as error:
            self.error(path, reason(error, path))
            return None
        return size


def reason(error: Exception, path: str | Path) -> str:
    """The message of an error about a file, without the file's name."""
    if isinstance(error, FileNotFoundError):
        return 'missing'
    return str(error).replace(str(path), 'it')


def count(number: int, things: str) -> str:
    """A number with what it counts: ``1 box``, ``2 boxes``."""
    if number == 1:
        things = 'box' if things == 'boxes' else things[:-1]
    return f'{number} {things}'


def some(names: Iterable[object], most: int = 3) -> str:
    """A few names of many: ``a, b, c and 4 more``."""
    names = [str(name) for name in names]
    shown = ', '.join(names[:most])
    return f'{shown} and {len(names) - most} more' if len(names) > most else shown
