"""A checkpoint fits its config, or the error lists what does not."""

import pytest
import torch
from torch import nn

from siampolarmask_mm.apis import load
from siampolarmask_mm.video.checkpoint import (
    CONFIGS,
    check_weights,
    fit_weights,
    read_config,
)


def change(checkpoint, edit):
    weights = torch.load(checkpoint)['state_dict']
    edit(weights)
    torch.save(dict(state_dict=weights), checkpoint)


def test_all_weights_are_those_of_the_checkpoint(trained):
    config, checkpoint = trained
    torch.manual_seed(1)  # another network would be built
    network = load(config, checkpoint).network
    assert not network.training
    for name, value in torch.load(checkpoint)['state_dict'].items():
        assert torch.equal(network.state_dict()[name], value), name


def test_the_prefix_of_parallel_training_does_not_matter(trained):
    config, checkpoint = trained
    change(checkpoint, lambda w: [w.update({f'module.{k}': w.pop(k)}) for k in list(w)])
    load(config, checkpoint)


def test_missing_unexpected_and_misshaped_keys_are_listed(trained):
    config, checkpoint = trained

    def edit(weights):
        del weights['neck.convs.0.conv.weight']
        weights['mask_head.bias'] = torch.zeros(3)
        weights['backbone.conv1.weight'] = torch.zeros(8, 3, 5, 5)

    change(checkpoint, edit)
    with pytest.raises(ValueError, match='does not fit the config') as raised:
        load(config, checkpoint)
    assert str(raised.value).partition(': ')[2] == (
        '1 missing: neck.convs.0.conv.weight; 1 unexpected: mask_head.bias; '
        '1 of another shape: backbone.conv1.weight (8, 3, 5, 5) instead of (8, 3, 7, 7)'
    )


def test_a_backbone_alone_is_refused(trained):
    config, checkpoint = trained
    change(
        checkpoint,
        lambda w: [w.pop(k) for k in list(w) if not k.startswith('backbone.')],
    )
    with pytest.raises(ValueError, match=r': 17 missing: neck\.convs\.0.*, head\.rays'):
        load(config, checkpoint)


@pytest.mark.parametrize('content', [b'', b'hi', b'\x80\x02K'])
def test_what_is_no_checkpoint_is_refused(trained, tmp_path, content):
    (tmp_path / 'bad.pth').write_bytes(content)
    with pytest.raises(ValueError, match=r'a checkpoint expected, .*bad\.pth cannot be'):
        load(trained[0], tmp_path / 'bad.pth')


def test_what_is_no_config_is_refused(trained, tmp_path):
    bad = tmp_path / 'bad.py'
    bad.write_text('x = (')
    with pytest.raises(ValueError, match=r'a config expected, .*bad\.py cannot be read'):
        load(bad, trained[1])
    bad.write_text('x = 1')
    with pytest.raises(ValueError, match=r"a config with a model expected, got \['x'\]"):
        load(bad, trained[1])


def test_a_checkpoint_may_have_more_where_that_is_said(trained):
    network = load(*trained).network
    weights = dict(network.state_dict(), other=torch.zeros(1))
    check_weights(network, weights, 'a.pth', may_have_more=True)
    del weights['head.rays.weight']
    with pytest.raises(ValueError, match=r'a\.pth .*: 1 missing: head\.rays\.weight$'):
        check_weights(network, weights, 'a.pth', may_have_more=True)


def test_of_very_many_keys_the_first_are_listed():
    network = nn.ModuleList(nn.PReLU() for _ in range(25))
    with pytest.raises(
        ValueError, match=r'25 missing: 0\.weight, .* and 5 more$'
    ) as raised:
        fit_weights(network, {}, 'empty.pth')
    assert str(raised.value).count('.weight') == 20


def test_what_is_no_checkpoint_is_named(trained, tmp_path):
    config, _ = trained
    with pytest.raises(FileNotFoundError, match=r'no checkpoint at nowhere\.pth'):
        load(config, 'nowhere.pth')
    broken = tmp_path / 'broken.pth'
    broken.write_bytes(b'not a checkpoint')
    with pytest.raises(ValueError, match=r'broken\.pth cannot be read'):
        load(config, broken)
    torch.save(dict(epoch=3), broken)
    with pytest.raises(ValueError, match=r'with a state_dict expected in .*broken\.pth'):
        load(config, broken)


def test_configs_are_found_by_name_and_close_names_are_told():
    name = next(CONFIGS.glob('siampolarmask/*_tiny_*.py')).stem
    for known in (name, f'{name}.py', f'siampolarmask_mm::siampolarmask/{name}.py'):
        assert read_config(known).model.type == 'SiamPolarMask'
    with pytest.raises(FileNotFoundError, match=f'among others: .*{name}'):
        read_config(name.replace('tiny', 'tinny'))


def test_other_models_are_refused(tmp_path):
    config = tmp_path / 'other.py'
    config.write_text("model = dict(type='mmdet.ResNet', depth=18)")
    with pytest.raises(TypeError, match='SiamPolarMask expected, got a ResNet'):
        load(config, 'any.pth')
