"""What docs/comparison.md promises: each row trains, and differs in the shape alone."""

import copy
import re
import runpy
from argparse import ArgumentParser
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.registry import MODELS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs/comparison.md').read_text()
NAME = re.search(r'NAME is\s+`(.*?)`', PAGE).group(1)
ROWS = {
    row: (config, options)
    for row, config, options in re.findall(
        r'^\| (.*?) \| `(.*?)_NAME\.py` \| (?:`(.*?)` )?\|$', PAGE, re.M
    )
}
WITHOUT_MATCHING = re.search(r'`(model.head.matching=.*?)`', PAGE).group(1)
SHAPES = {'mask vector': 'mask', 'box': 'box', 'pixels': 'pixels'}  # the losses' names


@cache
def read_config(name):
    return Config.fromfile(ROOT / f'configs/siampolarmask/{name}_{NAME}.py')


def read(row, more=''):
    config, options = ROWS[row]
    config = copy.deepcopy(read_config(config))
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    given = [*options.split(), *more.split()]
    args = parser.parse_args(['--cfg-options', *given] if given else [])
    config.merge_from_dict(args.cfg_options)
    return config.model


@pytest.fixture
def batch(training_pairs):
    return pseudo_collate([training_pairs[0], training_pairs[1]])


def test_the_page_has_all_rows():
    assert len(ROWS) == 2 + 2 * 3 + 3


def test_the_tool_trains_and_tests_what_the_page_says():
    tool = runpy.run_path(str(ROOT / 'tools/compare_shapes.py'))
    assert tool['NAME'] == NAME
    assert tool['ALONE'] == WITHOUT_MATCHING
    networks, fusions = tool['SHAPES'], tool['FUSIONS']
    for row, (config, options) in ROWS.items():
        name = re.sub(r',? rays|, vote', '', row).replace(', ', '_').replace(' ', '_')
        network, more = fusions.get(name, (name, ''))
        kind, own = networks[network]
        assert kind == config
        assert {*own.split(), *more.split()} == set(options.split()), row


@pytest.mark.parametrize('more', ['', WITHOUT_MATCHING], ids=['matching', 'without'])
@pytest.mark.parametrize('row', ROWS)
def test_each_row_learns_in_a_tiny_size(row, more, model_config, batch):
    config = read(row, more)
    for part in ('template_size', 'search_size', 'template_cells', 'backbone', 'neck'):
        config[part] = model_config[part]
    trunk = ('in_channels', 'num_levels', 'feat_channels', 'num_convs')
    config.head.update({name: model_config['head'][name] for name in trunk})
    model = MODELS.build(config)
    assert (model.head.matching is None) == bool(more)
    assert (model.previous_mask is None) == bool(more)
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert losses[f'loss_{SHAPES.get(row, "rays")}'] > 0
    assert all(loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.head.parameters())


@pytest.mark.parametrize('row', [row for row in ROWS if row not in SHAPES])
def test_each_star_is_what_its_name_says(row):
    config = read(row)
    kind, rays, *fusion = row.split(', ')
    representation = {'one star': 'one_star', 'union': 'visible_union'}[kind]
    assert config.assigner.representation == representation
    assert config.decoder.decoding == representation
    assert config.head.num_rays == int(rays.removesuffix(' rays'))
    if fusion:
        assert config.decoder.fusion == fusion[0]


CHOICE = ('window_influence', 'penalty_k', 'update_rate', 'use_centerness')


@pytest.mark.parametrize('row', SHAPES)
def test_a_control_differs_from_the_stars_in_its_shape_alone(row):
    stars, control = read('union, 72 rays, vote'), read(row)
    for part in set(stars) - {'head', 'decoder', 'losses'}:
        assert control[part] == stars[part], part
    for name in ('score', 'centerness'):
        assert control.losses[name] == stars.losses[name]
    for config in (stars, control):
        config.backbone.init_cfg = None  # no download
    built, other = MODELS.build(stars), MODELS.build(control)
    for name in CHOICE:
        assert getattr(built.decoder, name) == getattr(other.decoder, name), name
    shared = [
        name
        for name in built.state_dict()
        if not name.startswith(('head.ray_tower', 'head.rays', 'head.ray_scale'))
    ]
    assert {'head.score.weight', 'head.matching.gain.weight'} <= set(shared)
    sizes = {name: value.shape for name, value in other.state_dict().items()}
    assert {name: sizes[name] for name in shared} == {
        name: built.state_dict()[name].shape for name in shared
    }
    assert other.decoder.num_rays == built.head.num_rays
