"""The documentation builds strictly, without the network, to pages that fetch nothing."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ('mkdocs', 'material', 'mkdocstrings_handlers')
MISSING = [name for name in NEEDED if find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f'needs {MISSING}, which make docs installs'),
]


def build(config, site):
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--config-file', config]
    return subprocess.run(
        [*command, '--site-dir', site],
        cwd=ROOT,
        env=dict(os.environ, NO_MKDOCS_2_WARNING='1'),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_site_builds(tmp_path):
    run = build(ROOT / 'mkdocs.yml', tmp_path / 'site')
    assert run.returncode == 0, run.stdout + run.stderr
    pages = {
        path.relative_to(tmp_path / 'site') for path in tmp_path.glob('site/**/*.html')
    }
    sources = {path.relative_to(ROOT / 'docs') for path in (ROOT / 'docs').glob('**/*.md')}
    assert pages == {Path('404.html')} | {
        path.with_name(path.stem.replace('README', 'index') + '.html') for path in sources
    }
    reference = (tmp_path / 'site/api/models.html').read_text()
    assert 'id="siampolarmask_mm.models.siamese_head.SiameseHead.forward"' in reference
    for path in tmp_path.glob('site/**/*.html'):
        fetched = re.findall(
            r'<(?:script|img|link)[^>]*(?:src|href)="(https?:[^"]*)"', path.read_text()
        )
        assert not fetched, path


@pytest.mark.parametrize(
    'fault',
    ['[x](gone.md)', '[x](faq.md#gone)', '::: siampolarmask_mm.gone', '![](gone.png)'],
)
def test_a_fault_ends_the_build(fault, tmp_path):
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'docs/faq.md').write_text(f'# Questions\n\n{fault}\n')
    text = (ROOT / 'mkdocs.yml').read_text()
    text = re.sub(r'nav:\n  - index.*', 'nav: [faq.md]', text, flags=re.S)
    text = text.replace('paths: [.]', f'paths: [{ROOT}]').replace(
        '[pictures/site.css]', '[]'
    )
    (tmp_path / 'mkdocs.yml').write_text(text)
    run = build(tmp_path / 'mkdocs.yml', tmp_path / 'site')
    assert run.returncode != 0
    assert 'gone' in run.stdout + run.stderr
