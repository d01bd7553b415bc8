"""What a user has after ``pip install .``: the package, its command, configs and tools.

The wheel goes into an environment of its own, which borrows the running one's packages but
not its copy of this one.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import torch

import siampolarmask_mm

ROOT = Path(__file__).parents[1]
PARTS = ('siampolarmask_mm', 'configs', 'tools', 'model-index.yml', 'README.md', 'LICENSE')
BUILT_OF = (*PARTS, 'setup.cfg', 'pyproject.toml')
pytestmark = pytest.mark.slow
# As `mim train` and `mim test` do: the config and the tool are found by their names below
# .mim, and the tool is run.
FIND = """
import sys
from importlib.resources import files
root = files('siampolarmask_mm') / '.mim'
(config,) = root.glob(f'configs/**/{sys.argv[1]}')
print(config, root / 'tools' / sys.argv[2])
"""


def run(*command, cwd):
    """The output of a command that must succeed, without this checkout on its path."""
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    # Compiling rays would take longer than two iterations without.
    environment.update(PYTHONWARNINGS='ignore', NUMBA_DISABLE_JIT='1')
    result = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


@pytest.fixture(scope='module')
def home(tmp_path_factory):
    """A folder of its own, with ``env/bin``: where the wheel is installed."""
    home = tmp_path_factory.mktemp('home')
    source = home / 'source'  # copied, so that no build folder is left in the checkout
    source.mkdir()
    for part in BUILT_OF:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(
            ROOT / part,
            source / part,
            **({} if copy is shutil.copy else dict(symlinks=True)),
        )
    pip = (sys.executable, '-m', 'pip')
    flags = ('--quiet', '--no-deps', '--no-build-isolation')
    run(*pip, 'wheel', *flags, '--wheel-dir', home, source, cwd=home)
    shutil.rmtree(source)
    (wheel,) = home.glob('*.whl')
    venv.create(home / 'env', symlinks=True)
    python = home / 'env/bin/python'
    # Before the borrowed packages can be seen, so that nothing of theirs is replaced.
    run(*pip, '--python', python, 'install', *flags, '--no-index', wheel, cwd=home)
    (packages,) = home.glob('env/lib/python*/site-packages')
    borrowed = [path for path in sys.path if path.endswith('-packages')]
    (packages / 'borrowed.pth').write_text('\n'.join(borrowed))
    return home


@pytest.fixture(scope='module')
def python(home):
    return home / 'env/bin/python'


def test_the_installed_package_is_this_version(home, python):
    code = 'import siampolarmask_mm as s; print(s.__version__, s.__file__)'
    version, path = run(python, '-c', code, cwd=home).split()
    assert version == siampolarmask_mm.__version__
    assert Path(path).is_relative_to(home / 'env')


def test_the_command_is_there(home):
    text = run(home / 'env/bin/siampolarmask', '--help', cwd=home)
    assert text.startswith('usage: siampolarmask')
    assert 'track' in text


def test_a_config_is_inherited_by_name_and_trained_by_the_installed_tool(
    home, python, clips
):
    """The block of docs/configs.md, in a folder that has nothing else of ours."""
    blocks = re.findall(
        r'```python\n(.*?)```', (ROOT / 'docs/configs.md').read_text(), re.S
    )
    (block,) = [block for block in blocks if "'siampolarmask_mm::" in block]
    place = home / 'elsewhere'
    place.mkdir()
    (place / 'mine.py').write_text(block)
    name = 'siampolarmask_tiny_1xb8-1500i_synthetic.py'
    config, train = run(python, '-c', FIND, name, 'train.py', cwd=place).split()
    assert Path(config).is_relative_to(home / 'env')
    options = [
        'train_cfg.max_iters=2',
        'train_dataloader.batch_size=2',
        f'train_dataloader.dataset.data_root={clips}',
        'default_hooks.checkpoint.interval=2',
    ]
    launcher = ('--launcher', 'none')  # as MIM has it
    run(python, train, 'mine.py', *launcher, '--cfg-options', *options, cwd=place)
    weights = torch.load(place / 'work_dirs/mine/iter_2.pth', weights_only=False)
    assert weights['state_dict']['head.rays.bias'].shape == (72,)  # as the config says


def test_mim_itself_runs_where_it_is_installed(home, python, clips):
    pytest.importorskip('mim', reason='needs openmim')
    options = [
        'train_cfg.max_iters=1',
        'train_dataloader.batch_size=2',
        f'train_dataloader.dataset.data_root={clips}',
    ]
    run(
        *(python, '-m', 'mim', 'train', 'siampolarmask_mm'),
        *('siampolarmask_tiny_1xb8-1500i_synthetic.py', '--work-dir', 'by_mim'),
        *('--cfg-options', *options),
        cwd=home,
    )
    assert (home / 'by_mim').is_dir()
