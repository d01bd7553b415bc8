"""What the wheel holds: the package, and what MIM and `siampolarmask_mm::` look for."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ('siampolarmask_mm', 'configs', 'tools', 'model-index.yml', 'README.md', 'LICENSE')


@pytest.fixture(scope='module')
def wheel_names(tmp_path_factory):
    """Names in a wheel that was built from a copy, so that no build folder is left."""
    source = tmp_path_factory.mktemp('source')
    for part in (*PARTS, 'setup.cfg', 'pyproject.toml'):
        path = ROOT / part
        if path.is_dir():
            shutil.copytree(path, source / part, symlinks=True)
        else:
            shutil.copy(path, source / part)
    command = [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps']
    command += ['--no-build-isolation', '--wheel-dir', source / 'dist', source]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (wheel,) = (source / 'dist').glob('*.whl')
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_module_is_in_the_wheel(wheel_names):
    modules = {
        str(p.relative_to(ROOT)) for p in (ROOT / 'siampolarmask_mm').glob('**/*.py')
    }
    modules = {name for name in modules if '/.mim/' not in name}
    assert modules <= wheel_names


def test_the_parts_of_the_reports_page_are_in_the_wheel(wheel_names):
    parts = {f'siampolarmask_mm/report/page.{kind}' for kind in ('html', 'css', 'js')}
    assert parts <= wheel_names


def test_configs_tools_and_index_are_where_mim_looks(wheel_names):
    expected = [*ROOT.glob('configs/**/*.py'), *ROOT.glob('configs/**/*.yml')]
    expected += [*ROOT.glob('tools/*.py'), ROOT / 'model-index.yml']
    names = {f'siampolarmask_mm/.mim/{path.relative_to(ROOT)}' for path in expected}
    assert len(names) > 15
    assert names <= wheel_names


def test_tests_are_not_installed(wheel_names):
    assert not any(name.startswith(('tests/', 'benchmarks/')) for name in wheel_names)
