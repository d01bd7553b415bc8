"""What PolarHead promises."""

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.models import PolarHead


@pytest.fixture
def head():
    return PolarHead(8, num_levels=2, num_rays=12, stride=8, feat_channels=16, num_convs=1)


def features(size, seed, num=3):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(num, 8, size, size, generator=generator) for _ in range(2))


def test_the_template_slides_over_every_place_it_fits(head):
    prediction = head(features(3, 0), features(9, 1))
    assert prediction.scores.shape == prediction.centerness.shape == (3, 7, 7)
    assert prediction.rays.shape == (3, 12, 7, 7)


def test_each_pair_of_a_batch_is_correlated_with_its_own_template(head):
    template, search = features(3, 0), features(9, 1)
    together = head(template, search)
    for n in range(3):
        alone = head(
            tuple(level[n : n + 1] for level in template),
            tuple(level[n : n + 1] for level in search),
        )
        for part, part_alone in zip(together, alone, strict=True):
            assert_close(part[n : n + 1], part_alone)


def test_an_untrained_head_predicts_rays_of_three_strides(head):
    head.init_weights()
    rays = head(features(3, 0), features(9, 1)).rays
    assert ((rays > 16) & (rays < 36)).all()


def test_rays_stay_finite_and_keep_gradients_for_huge_features(head):
    head.init_weights()
    rays = head(features(3, 0), tuple(1e4 * level for level in features(9, 1))).rays
    assert rays.isfinite().all()
    assert (rays > 0).all()
    rays.sum().backward()
    assert head.rays.weight.grad.isfinite().all()


def test_rays_are_float32_under_autocast(head):
    with torch.autocast('cpu', torch.bfloat16):
        prediction = head(features(3, 0), features(9, 1))
    assert prediction.rays.dtype == torch.float32


def test_levels_must_match(head):
    with pytest.raises(ValueError, match='zip'):
        head(features(3, 0)[:1], features(9, 1))


def test_the_paper_s_head_predicts_38_numbers_per_location():
    head = PolarHead()
    assert [layer.out_channels for layer in (head.score, head.centerness, head.rays)] == [
        1,
        1,
        36,
    ]


def test_weights_keep_their_names_and_order():
    """Checkpoints find weights by name, and their optimizer's state by order."""
    head = PolarHead(
        8, num_levels=2, feat_channels=16, num_convs=1, matching=dict(type='MaskMatching')
    )
    parts = [name.split('.')[0] for name, _ in head.named_parameters()]
    assert list(dict.fromkeys(parts)) == [
        *('ray_scale', 'reduce', 'score_tower', 'ray_tower'),
        *('score', 'centerness', 'rays', 'matching'),
    ]
