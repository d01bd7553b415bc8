"""The documentation holds together: pages, links, commands, names. No docs tools needed."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / 'docs'
PAGES = sorted(DOCS.glob('**/*.md'))
TEXTS = [ROOT / 'README.md', *PAGES]
SITE = yaml.safe_load((ROOT / 'mkdocs.yml').read_text())
FENCE = re.compile(r'^```(\w*)\n(.*?)^```', re.S | re.M)
# Their functions repeat those of polar for a compiler.
NOT_SHOWN = {
    f'siampolarmask_mm.polar.{name}'
    for name in ('compiled', 'compiled_stars', 'compiled_unions')
}


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def navigation(entries):
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from navigation([below] if isinstance(below, str) else below)


def anchors(page):
    """What a heading is called in links, by mkdocs and on GitHub alike."""
    headings = re.findall(r'^#+ (.*)$', FENCE.sub('', page.read_text()), re.M)
    plain = [re.sub(r'[^\w\s-]', '', heading).strip().lower() for heading in headings]
    return {re.sub(r'[\s]+', '-', heading) for heading in plain}


def links(page):
    text = re.sub(r'`[^`\n]*`', '', FENCE.sub('', page.read_text()))
    return [
        target
        for target in re.findall(r'\]\(([^)\s]+)\)', text)
        if not target.startswith(('http://', 'https://'))
    ]


def test_every_page_is_in_the_navigation_once():
    listed = list(navigation(SITE['nav']))
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in PAGES)


@pytest.mark.parametrize('page', TEXTS, ids=names(TEXTS))
def test_links_lead_somewhere(page):
    for link in links(page):
        path, _, anchor = link.partition('#')
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if page != ROOT / 'README.md':
            assert target.is_relative_to(DOCS), f'{link} is not a part of the site'
        if anchor:
            assert anchor in anchors(target), link


def test_a_broken_link_would_be_seen(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('# A b, `c`\n[x](gone.md) `[y](code.md)`\n```\n[z](fence.md)\n```\n')
    assert links(page) == ['gone.md']
    assert anchors(page) == {'a-b-c'}


def commands(page):
    """The lines of blocks that are typed, each with the lines that continue it."""
    for language, block in FENCE.findall(page.read_text()):
        if not language:
            for line in block.replace('\\\n', ' ').splitlines():
                yield line.strip()


@pytest.mark.parametrize('page', TEXTS, ids=names(TEXTS))
def test_commands_name_files_and_targets_that_exist(page):
    targets = re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.M)
    for line in commands(page):
        for path in re.findall(r'\b(?:configs|tools|benchmarks)/[\w./-]+\.py', line):
            is_mmtracks = f'$TOOLS/{path}' in line or 'dataset_converters' in line
            assert is_mmtracks or (ROOT / path).is_file(), line
        for target in re.findall(r'^(?:\S+=\S+ )*make ([a-z-]+)', line):
            assert target in targets, line
        for name in re.findall(r'--config (siampolarmask_[\w-]+)', line):
            assert list(ROOT.glob(f'configs/*/{name}.py')), line


def test_all_our_configs_are_explained():
    text = (DOCS / 'configs.md').read_text()
    listed = re.findall(r'^\| `(\w[\w-]+)` \|', text.split('## Change')[0], re.M)
    stems = [path.stem for path in ROOT.glob('configs/siampolarmask/*.py')]
    assert sorted(listed) == sorted(stems)


def shown_modules():
    for page in (DOCS / 'api').glob('*.md'):
        yield from re.findall(r'^::: ([\w.]+)$', page.read_text(), re.M)


def public_modules():
    for path in (ROOT / 'siampolarmask_mm').glob('**/*.py'):
        parts = path.relative_to(ROOT).with_suffix('').parts
        body = ast.parse(path.read_text()).body
        kinds = (ast.ClassDef, ast.FunctionDef)
        if '.mim' not in parts and any(
            isinstance(part, kinds) and not part.name.startswith('_') for part in body
        ):
            yield '.'.join(part for part in parts if part != '__init__')


def test_the_reference_has_every_module_once():
    shown = sorted(set(shown_modules()) - {'siampolarmask_mm.polar'})
    assert shown == sorted((set(public_modules()) | {'siampolarmask_mm.apis'}) - NOT_SHOWN)
    assert len(list(shown_modules())) == len(shown) + 1
