"""What MaskMatching promises."""

import pytest
import torch
from torch.testing import assert_close

from siampolarmask_mm.models import MaskMatching, PolarHead
from siampolarmask_mm.models.mask_matching import (
    is_foreground,
    mask_shares,
    mean_of_largest,
)


@pytest.fixture
def matching():
    return MaskMatching(8, 6, embed_channels=4)


def features(size, seed, num=3):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(num, 4, size, size, generator=generator) for _ in range(2))


def square(num=3, size=33):
    masks = torch.zeros(num, size, size, dtype=torch.bool)
    masks[:, 8:25, 8:25] = True
    return masks


def test_the_three_largest_similarities_of_each_side_are_averaged():
    likeness = torch.tensor([[[0.9, 0.1, 0.5, -0.2, 0.8, 0.7]]])
    counted = torch.tensor([[True, True, True, True, False, False]])
    assert_close(mean_of_largest(likeness, counted, 3), torch.tensor([[1.5 / 3]]))
    assert_close(mean_of_largest(likeness, ~counted, 3), torch.tensor([[1.5 / 2]]))
    assert mean_of_largest(likeness, torch.zeros_like(counted), 3).item() == 0
    assert_close(mean_of_largest(likeness, counted, 9), torch.tensor([[1.3 / 4]]))


@pytest.mark.parametrize(
    ('shares', 'foreground'),
    [
        ([0.0, 0.5, 0.9, 0.49], [False, True, True, False]),  # half a cell is enough
        ([0.0, 0.1, 0.3, 0.2], [False, False, True, False]),  # a thin object has its best
        ([0.0, 0.0, 0.0, 0.0], [False] * 4),  # no object, no foreground
    ],
)
def test_foreground_is_what_the_mask_covers(shares, foreground):
    assert is_foreground(torch.tensor([shares])).tolist() == [foreground]


@pytest.mark.parametrize(('size', 'cells', 'first'), [(129, 17, 0), (127, 15, 7)])
def test_a_cell_of_the_mask_is_9_pixels_around_its_location(size, cells, first):
    """Location (row 2, column 5) of stride 8, in SOTMobileNetV2's and SOTResNet's grid."""
    row, column = first + 2 * 8, first + 5 * 8
    mask = torch.zeros(1, size, size)
    mask[0, row - 4 : row + 5, column + 1 : column + 5] = 1  # right of it: 4 columns of 9
    shares = mask_shares(mask, (cells, cells), 8)[0]
    assert shares.shape == (cells, cells)
    assert shares[2, 5].item() == pytest.approx(4 / 9)
    assert shares[2, 6].item() == pytest.approx(1 / 9)  # neighbors share a column
    assert shares.sum().item() == pytest.approx(5 / 9 + 5 / 81 * 2)
    assert shares[0, 0] == 0


def test_a_full_mask_covers_all_cells_but_what_lies_outside_of_it():
    shares = mask_shares(torch.ones(1, 33, 33), (5, 5), 8)[0]
    assert_close(shares[1:-1, 1:-1], torch.ones(3, 3))
    assert shares[0, 0].item() == pytest.approx(25 / 81)


def test_a_pattern_of_the_foreground_is_most_alike_where_it_lies(matching):
    """The search features repeat, at one place each, a template's object and background."""
    template = features(5, 0, num=1)
    remembered = matching.remember(template, square(1))
    search = tuple(torch.zeros(1, 4, 7, 7) for _ in template)
    for level, source in zip(search, template, strict=True):
        level[0, :, 1, 4] = source[0, :, 2, 2]  # the object's middle
        level[0, :, 5, 2] = source[0, :, 0, 0]  # a corner, background
    likeness = matching._embed(torch.cat(search, 1)) @ remembered[0].transpose(1, 2)
    foreground = is_foreground(remembered[1])
    difference = mean_of_largest(likeness, foreground, 1) - mean_of_largest(
        likeness, ~foreground, 1
    )
    difference = difference.view(7, 7)
    assert difference.argmax() == 1 * 7 + 4
    assert difference[1, 4] > 0 > difference[5, 2]


def test_the_maps_reach_the_output_and_the_mask_matters():
    matching = MaskMatching(8, 6, embed_channels=4, top_k=1)
    template, search = features(5, 0), features(7, 1)
    shifted = square().roll(8, -1)
    one, other = (
        matching(matching.remember(template, masks), search)
        for masks in (square(), shifted)
    )
    assert (one - other).abs().amax() > 0.1
    with torch.no_grad():
        matching.skip.weight.zero_()
        matching.skip.bias.zero_()
        matching.compare.weight.zero_()
        matching.compare.weight[:, 2] = 1  # object minus background
        matching.compare.bias.zero_()
        maps = matching(matching.remember(template, square()), template)
    inside = mask_shares(square().float(), (5, 5), 8)[0] >= 0.5
    # Every location of a template is most like itself.
    assert (maps[:, 0][:, inside] > 0).all()
    assert (maps[:, 0][:, ~inside] < 0).all()


def test_each_pair_is_matched_with_its_own_template(matching):
    template, search, masks = features(5, 0), features(7, 1), square()
    masks[1] = masks[1].roll(5, -1)
    together = matching(matching.remember(template, masks), search)
    for n in range(3):
        own = slice(n, n + 1)
        remembered = matching.remember(tuple(t[own] for t in template), masks[own])
        assert_close(together[own], matching(remembered, tuple(s[own] for s in search)))


@pytest.mark.parametrize('pixels', [0, 1, 9])
def test_small_and_missing_objects_are_defined(matching, pixels):
    masks = torch.zeros(3, 33, 33, dtype=torch.bool)
    masks[:, 16, 16 : 16 + pixels] = True
    out = matching(matching.remember(features(5, 0), masks), features(7, 1))
    out.sum().backward()
    assert out.isfinite().all()
    assert all(p.grad.isfinite().all() for p in matching.parameters())


def test_gradients_are_right():
    matching = MaskMatching(8, 2, embed_channels=3).double()

    def match(*levels):
        return matching(matching.remember(levels[:2], square(1)), levels[2:])

    levels = (*features(5, 0, 1), *features(3, 1, 1))
    inputs = [level.double().requires_grad_() for level in levels]
    assert torch.autograd.gradcheck(match, inputs)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_stays_finite_for_large_features(matching, dtype):
    matching = matching.to(dtype)
    template, search = (
        tuple((300 * level).to(dtype) for level in features(*args))
        for args in ((5, 0), (7, 1))
    )
    out = matching(matching.remember(template, square()), search)
    assert out.dtype == dtype
    assert out.isfinite().all()


def test_matching_is_the_heads_option_and_leaves_the_papers_alone():
    shape = dict(num_levels=2, num_rays=12, feat_channels=16, num_convs=1)
    paper = PolarHead(8, **shape)
    head = PolarHead(8, **shape, matching=dict(type='MaskMatching'))
    added = set(head.state_dict()) - set(paper.state_dict())
    assert set(paper.state_dict()) < set(head.state_dict())
    assert {name.split('.')[0] for name in added} == {'matching'}
    generator = torch.Generator().manual_seed(0)
    template, search = (
        tuple(torch.randn(2, 8, n, n, generator=generator) for _ in range(2))
        for n in (5, 9)
    )
    masks = square(2)
    kernels = paper.describe_template(template, None, 3)
    described = head.describe_template(template, masks, 3)
    assert [level.shape for level in kernels] == [(2, 8, 3, 3)] * 2
    assert all(torch.equal(a, b) for a, b in zip(kernels, described, strict=False))
    prediction = head(described, search)
    assert prediction.scores.shape == (2, 7, 7)
    other = head(head.describe_template(template, masks.roll(8, 1), 3), search)
    assert not torch.equal(prediction.scores, other.scores)
    with pytest.raises(ValueError, match='masks of the templates expected'):
        head.describe_template(template, None, 3)
