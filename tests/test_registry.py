"""What the registries promise: the names are known in our scope and in mmtrack's."""

import subprocess
import sys

import pytest
from mmengine import registry
from mmengine.registry import init_default_scope

NAMES = [
    ('MODELS', 'SiamPolarMask'),
    ('MODELS', 'PolarHead'),
    ('MODELS', 'PolarIoULoss'),
    ('TASK_UTILS', 'PolarTargetAssigner'),
    ('DATASETS', 'DAVISDataset'),
    ('METRICS', 'DAVISMetric'),
    ('TRANSFORMS', 'CropPair'),
    ('VISUALIZERS', 'MaskVisualizer'),
    ('HOOKS', 'ChannelsLastHook'),
    ('OPTIM_WRAPPERS', 'AutocastOptimWrapper'),
]


@pytest.mark.parametrize('scope', ['siampolarmask_mm', 'mmtrack'])
@pytest.mark.parametrize(('kind', 'name'), NAMES)
def test_bare_names_are_found_in_both_scopes(scope, kind, name):
    init_default_scope(scope)
    with getattr(registry, kind).switch_scope_and_registry(None) as scoped:
        found = scoped.get(name)
    assert found.__module__.startswith('siampolarmask_mm.')


# Each in a new interpreter, since imports cannot be undone.
LOOK_UP = """
from mmengine.registry import MODELS, init_default_scope
{imports}
init_default_scope('{scope}')
with MODELS.switch_scope_and_registry(None) as models:
    print(models.get('PolarIoULoss').__module__)
"""


def run(code):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_default_scope_is_all_a_config_needs():
    result = run(LOOK_UP.format(imports='', scope='siampolarmask_mm'))
    assert result.stdout.strip() == 'siampolarmask_mm.models.polar_iou_loss', result.stderr


def test_a_custom_import_is_all_that_mmtracks_scope_needs():
    imports = (
        'from mmengine.config import Config\n'
        'cfg = Config(dict(custom_imports=dict(imports=["siampolarmask_mm"])))\n'
        'import importlib\n'
        '[importlib.import_module(name) for name in cfg.custom_imports.imports]'
    )
    result = run(LOOK_UP.format(imports=imports, scope='mmtrack'))
    assert result.stdout.strip() == 'siampolarmask_mm.models.polar_iou_loss', result.stderr


def test_importing_the_package_loads_nothing():
    code = 'import siampolarmask_mm, sys; print([m for m in sys.modules if m[:2] == "mm"])'
    result = run(code)
    assert result.stdout.strip() == '[]', result.stderr
