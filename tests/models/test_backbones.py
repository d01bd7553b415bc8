"""What SOTMobileNetV2 promises."""

import pytest
import torch
from mmdet.models.backbones import MobileNetV2
from torch.testing import assert_close

from siampolarmask_mm.models import SOTMobileNetV2


def test_all_levels_are_at_stride_8_and_align():
    backbone = SOTMobileNetV2(widen_factor=0.25).eval()
    for size, cells in ((129, 17), (257, 33)):
        shapes = [level.shape[-2:] for level in backbone(torch.zeros(1, 3, size, size))]
        assert shapes == [(cells, cells)] * 3


def test_dilation_reads_the_same_pixels_as_the_strided_network():
    """Every 4th cell of the dilated last level is the strided network's, same weights."""
    torch.manual_seed(0)
    ours = SOTMobileNetV2(widen_factor=0.25, out_indices=(6,)).eval()
    theirs = MobileNetV2(widen_factor=0.25, out_indices=(6,))
    theirs.eval()  # returns nothing
    theirs.load_state_dict(ours.state_dict(), strict=False)
    image = torch.randn(1, 3, 129, 129)
    assert_close(ours(image)[0][..., ::4, ::4], theirs(image)[0], atol=1e-5, rtol=1e-4)


def test_weights_of_mmdets_mobilenet_fit():
    missing = SOTMobileNetV2().load_state_dict(MobileNetV2().state_dict(), strict=False)
    assert missing.missing_keys == []
    assert all(key.startswith('conv2.') for key in missing.unexpected_keys)


def test_levels_that_are_not_used_are_not_computed():
    backbone = SOTMobileNetV2(out_indices=(2, 4))
    assert not hasattr(backbone, 'layer6')
    assert not hasattr(backbone, 'conv2')


def test_a_frozen_backbone_stays_in_test_mode():
    backbone = SOTMobileNetV2(widen_factor=0.25, frozen_stages=7, norm_eval=True).train()
    assert not any(p.requires_grad for p in backbone.parameters())
    assert not any(
        m.training for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)
    )


def test_a_level_of_another_stride_is_refused():
    with pytest.raises(ValueError, match=r'2 to 6 are at stride 8, .* got .*\(0, 1\)'):
        SOTMobileNetV2(out_indices=(0, 1))


def test_fine_layers_begin_and_end_where_the_crop_does():
    backbone = SOTMobileNetV2(out_indices=(0, 1, 2)).eval()
    shapes = [tuple(level.shape[1:]) for level in backbone(torch.zeros(1, 3, 65, 65))]
    assert shapes == [(16, 33, 33), (24, 17, 17), (32, 9, 9)]


def test_freezing_more_layers_than_there_are_freezes_all():
    backbone = SOTMobileNetV2(out_indices=(2, 4), frozen_stages=7).train()
    assert not any(p.requires_grad for p in backbone.parameters())
