"""Say what is installed, what fits, and what to do: python -m siampolarmask_mm.check.

Works in any environment, however broken: it imports what it checks in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import NamedTuple

from packaging.specifiers import SpecifierSet


class Requirement(NamedTuple):
    """A package that the tracker stands on.

    Attributes:
        name: as pip knows it; forks that install the same modules after it.
        fits: versions that can work.
        tested: the version that the tests run on.
        why: what goes wrong with other versions.
    """

    name: tuple[str, ...]
    fits: str
    tested: str
    why: str = ''


REQUIREMENTS = (
    Requirement(('torch',), '>=2.0', '2.13.0'),
    Requirement(('numpy',), '>=1.21', '2.2.6'),
    Requirement(('setuptools',), '<81', '80.10.2', 'mmengine imports pkg_resources'),
    Requirement(('mmengine', 'onedl-mmengine'), '>=0.8', '0.10.7'),
    Requirement(
        ('mmcv', 'onedl-mmcv'), '>=2.0.0,<2.2', '2.1.0', 'mmdet 3.3.0 refuses mmcv 2.2'
    ),
    Requirement(('mmdet', 'onedl-mmdetection'), '>=3.0.0rc5,<4', '3.3.0'),
    Requirement(
        ('mmtrack',), '>=1.0.0rc1', '1.0.0rc1', 'earlier ones have no SOT datasets'
    ),
    Requirement(('mmcls',), '>=1.0.0rc0', '1.0.0rc6', 'mmtrack imports it'),
    Requirement(('pycocotools',), '>=2.0', '2.0.11'),
)
OPENCV = (
    'opencv-python',
    'opencv-python-headless',
    'opencv-contrib-python',
    'opencv-contrib-python-headless',
)
# It needs torch, setuptools below 81, wheel, ninja and psutil first.
BUILD_MMCV = 'MMCV_WITH_OPS=1 pip install --no-build-isolation --no-deps mmcv==2.1.0'
IMPORTS = (
    ('cv2', 'on a machine without libGL install opencv-python-headless instead'),
    ('mmcv.ops', f'build mmcv with its operators: {BUILD_MMCV}'),
    ('mmtrack.models', "install what it misses (requirements/runtime.txt has all)"),
    ('siampolarmask_mm.models', 'report it with this output'),
)  # fmt: skip


class Finding(NamedTuple):
    """A line of the report; ``advice`` is empty if nothing is to be done."""

    name: str
    installed: str
    fits: str
    tested: str
    advice: str


def installed_version(names: tuple[str, ...]) -> tuple[str, str] | None:
    """The first of several packages that is installed, and its version."""
    for name in names:
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def judge(requirement: Requirement, found: tuple[str, str] | None) -> Finding:
    """Compare what is installed with what is required."""
    name, version = found or (requirement.name[0], '-')
    wanted = f'pip install {requirement.name[0]}=={requirement.tested}'
    if requirement.name[0] == 'mmcv':
        wanted = BUILD_MMCV
    elif requirement.name[0] in ('mmtrack', 'mmcls'):
        wanted += ' --no-deps'
    advice = ''
    if found is None:
        advice = wanted
    elif not SpecifierSet(requirement.fits).contains(version, prereleases=True):
        advice = f'{wanted}  ({requirement.why})' if requirement.why else wanted
    return Finding(name, version, requirement.fits, requirement.tested, advice)


def judge_opencv(installed: list[str]) -> Finding:
    """One build of OpenCV is right; a second one overwrites its files."""
    advice = ''
    if not installed:
        advice = f'pip install {OPENCV[1]}'
    elif len(installed) > 1:
        advice = f'pip uninstall -y {" ".join(installed)}; pip install {installed[-1]}'
    return Finding(
        ' and '.join(installed) or 'opencv', '', 'exactly one', OPENCV[1], advice
    )


def judge_import(module: str, hint: str) -> Finding:
    """Import a module in a process of its own, with our patches."""
    code = f'import siampolarmask_mm, {module}'
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        capture_output=True,
        text=True,
        check=False,
    )
    error = result.stderr.strip().splitlines()[-1:] if result.returncode else []
    advice = f'{error[0] if error else "it ends without a message"}: {hint}'
    return Finding(f'import {module}', '', '', '', advice if result.returncode else '')


def examine() -> list[Finding]:
    """All findings, in the order in which they are worth mending."""
    version = '.'.join(map(str, sys.version_info[:3]))
    python = Requirement(('Python',), '>=3.10,<3.13', '3.11.7')
    return [
        judge(python, ('Python', version)),
        *(judge(item, installed_version(item.name)) for item in REQUIREMENTS),
        judge_opencv([name for name in OPENCV if installed_version((name,))]),
        *(judge_import(module, hint) for module, hint in IMPORTS),
    ]


def main() -> int:
    """Print the report; 0 if everything fits, else 1."""
    findings = examine()
    widths = [max(len(str(f[column])) for f in findings) for column in range(4)]
    header = Finding('package', 'installed', 'fits', 'tested', '')
    widths = [max(width, len(header[column])) for column, width in enumerate(widths)]
    lines = []
    for finding in (header, *findings):
        cells = [cell.ljust(width) for cell, width in zip(finding, widths, strict=False)]
        mark = '' if finding is header else ('<-- see below' if finding.advice else 'ok')
        lines.append('  '.join([*cells, mark]).rstrip())
    todo = [finding for finding in findings if finding.advice]
    if todo:
        lines += ['', 'What to do:', *(f'- {item.name}: {item.advice}' for item in todo)]
    else:
        lines += ['', 'Everything fits.']
    sys.stdout.write('\n'.join(lines) + '\n')
    return 1 if todo else 0


if __name__ == '__main__':
    sys.exit(main())
