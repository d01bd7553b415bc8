"""What the configs promise: each builds, is listed once, and says only what differs."""

from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import MODELS, TRANSFORMS
from torch.testing import assert_close

from siampolarmask_mm.locations import location_points

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted(
    path for path in (ROOT / 'configs').glob('*/*.py') if path.parent.name != '_base_'
)
OURS = [path for path in EXPERIMENTS if path.parent.name == 'siampolarmask']


def names(paths):
    return [path.stem for path in paths]


@pytest.fixture(params=OURS, ids=names(OURS))
def config(request):
    config = Config.fromfile(request.param)
    config.model.backbone.init_cfg = None  # no download
    return config


LATER = [path for path in OURS if Config.fromfile(path).get('load_from')]


@pytest.mark.parametrize('path', LATER, ids=names(LATER))
def test_a_later_stage_starts_from_what_an_earlier_one_keeps(path):
    start = Path(Config.fromfile(path).load_from)
    earlier = Config.fromfile(path.with_name(f'{start.parent.name}.py'))
    unit, number = start.stem.split('_')
    settings = earlier.default_hooks.checkpoint
    last = earlier.train_cfg.get('max_iters') or earlier.train_cfg.max_epochs
    interval = settings.get('interval', 1)
    saved = [*range(interval, last, interval), last]
    assert unit == ('epoch' if settings.get('by_epoch', True) else 'iter')
    kept = settings.get('max_keep_ckpts', -1)
    assert int(number) in (saved if kept < 0 else saved[-kept:])


def test_locations_look_where_the_mapping_says(config):
    """Eq. 10: with mirrored kernels, a mirrored crop gives mirrored features.

    So the middle pixel belongs to the middle cell, in template and search crop, from where
    locations go in steps of the stride.
    """
    model = MODELS.build(config.model).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data += module.weight.data.flip(-1)
    search = torch.rand(1, 3, *[model.search_size] * 2)
    with torch.no_grad():
        levels = model.extract(search)
        mirrored = model.extract(search.flip(-1))
        crop = search[..., : model.template_size, : model.template_size]
        masks = torch.ones(1, *[model.template_size] * 2)
        template = model.extract_template(crop, masks)
        mirrored_template = model.extract_template(crop.flip(-1), masks)
        prediction = model.head(template, levels)
    for level, mirrored_level in zip(levels, mirrored, strict=True):
        assert_close(mirrored_level.flip(-1), level, atol=1e-3, rtol=1e-3)
        assert level.shape[-1] % 2 == 1
    kernels, mirrored_kernels = (t[: len(levels)] for t in (template, mirrored_template))
    for level, mirrored_level in zip(kernels, mirrored_kernels, strict=True):
        assert_close(mirrored_level.flip(-1), level, atol=1e-3, rtol=1e-3)
    assert {level.shape[-1] for level in kernels} == {model.template_cells}
    points = location_points(prediction.scores.shape[-2:], 8, model.search_size, search)
    first = {255: 31, 257: 24, 321: 24, 129: 16}[model.search_size]
    assert points[0, 0].tolist() == [first, first]


def test_every_transform_builds_and_the_crops_are_the_models(config):
    sizes = (config.model.get('template_size', 127), config.model.get('search_size', 255))
    loaders = [config.test_dataloader]
    if 'train_cfg' in config:  # else it only tests
        loaders.append(config.train_dataloader)
    for loader in loaders:
        for transform in find_transforms(loader.dataset):
            built = TRANSFORMS.build(transform)
            if type(built).__name__ == 'CropPair':
                assert built.sizes == sizes


def test_a_mixture_for_mobilenetv2_differs_in_its_crops_alone():
    folder = ROOT / 'configs/_base_/datasets'
    base, found = (
        Config.fromfile(folder / name).train_dataloader
        for name in ('mixed.py', 'mixed_129-257.py')
    )
    crops = [step for step in find_transforms(found.dataset) if step.type == 'CropPair']
    assert len(crops) == 4
    for crop in crops:
        assert (crop.pop('template_size'), crop.pop('search_size')) == (129, 257)
    assert found == base


def find_transforms(dataset):
    """Those of a dataset's pipeline, or of all pipelines that it wraps."""
    if 'pipeline' in dataset:
        return dataset.pipeline
    wrapped = dataset.get('datasets') or [dataset.dataset]
    return [transform for inner in wrapped for transform in find_transforms(inner)]


def test_backbones_are_frozen_but_where_the_name_says_so():
    for path in OURS:
        if 'tiny' in path.stem:
            continue
        config = Config.fromfile(path)
        config.model.backbone.init_cfg = None
        model = MODELS.build(config.model).train()
        learns = any(p.requires_grad for p in model.backbone.parameters())
        assert learns == ('unfrozen' in path.stem), path


def test_file_names_are_unique():
    """MIM finds a config by its file's name alone."""
    stems = names(EXPERIMENTS)
    assert len(set(stems)) == len(stems)


def test_the_metafile_lists_every_config_and_no_other():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    listed = []
    for metafile in index['Import']:
        content = yaml.safe_load((ROOT / metafile).read_text())
        listed += [model['Config'] for model in content['Models']]
        assert all(
            Path(model['Config']).stem == model['Name'] for model in content['Models']
        )
    assert sorted(listed) == sorted(str(path.relative_to(ROOT)) for path in EXPERIMENTS)


def test_the_losses_have_the_weights_of_the_paper(config):  # eq. 6
    model = MODELS.build(config.model)
    if model.assigner.balance == 'halves':  # else the scores' loss has another scale
        assert model.score_loss.loss_weight == 1
    assert model.centerness_loss.loss_weight == 1
    if 'rays' in config.model.losses:
        assert model.shape_loss.loss_weight == 1.5
        assert model.shape_loss.power == 1
