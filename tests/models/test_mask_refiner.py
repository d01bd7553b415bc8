"""What MaskRefiner and its loss promise."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample
from torch.testing import assert_close

from siampolarmask_mm.models import MaskRefiner, NearMaskLoss, PolarDecoder
from siampolarmask_mm.models.confidence import MAJORITY, paste_confidence
from siampolarmask_mm.models.decoded import Choice, Star
from siampolarmask_mm.registry import MODELS
from siampolarmask_mm.video.checkpoint import CONFIGS

SIZE = 65


@pytest.fixture
def refiner():
    refiner = MaskRefiner(8)
    refiner.init_weights()
    return refiner.eval()


def seen(count, fill=0.0):
    """Fine features and the head's."""
    fine = torch.full((count, 16, 33, 33), fill), torch.full((count, 24, 17, 17), fill)
    return fine, torch.full((count, 8, 5, 5), fill)


def test_untrained_it_changes_little(refiner):
    ramp = torch.linspace(0.05, 0.95, SIZE).expand(2, SIZE, SIZE)
    logits = refiner(ramp, *seen(2))
    assert logits.shape == (2, SIZE, SIZE)
    assert_close(logits.sigmoid(), ramp, rtol=0, atol=0.02)


def test_it_learns_to_follow_an_edge_of_the_fine_features(refiner):
    """Confidence ends at column 32 everywhere, the object where the features say."""
    torch.manual_seed(0)
    columns = torch.arange(SIZE)
    confidence = (0.5 + (32 - columns) / 40).clamp(0.1, 0.9).expand(8, SIZE, SIZE)
    ends = torch.tensor([20, 24, 28, 32, 36, 40, 44, 26])
    truth = (columns < ends[:, None])[:, None].expand(8, SIZE, SIZE)
    fine, features = seen(8)
    fine[0].copy_(truth[:, None, ::2, ::2] * 2.0 - 1)
    optimizer = torch.optim.AdamW(refiner.parameters(), lr=0.01)
    for _ in range(40):
        loss = NearMaskLoss()(refiner(confidence, fine, features), truth, confidence)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    wrong = (refiner(confidence, fine, features) > 0) != truth
    assert wrong.float().mean() < 0.02
    assert ((confidence > 0.5) != truth).float().mean() > 0.08


def test_confidence_is_made_worse_in_training_alone(refiner):
    half = torch.full((1, SIZE, SIZE), 0.5)
    assert_close(refiner(half, *seen(1)), refiner(half, *seen(1)))
    refiner.train()
    first, second = (refiner(half, *seen(1)) for _ in range(2))
    assert (first - second).abs().max() > 0.3


def test_features_that_end_elsewhere_are_refused(refiner):
    with pytest.raises(ValueError, match='at stride 2 of 64 pixels expected, got 33'):
        refiner(torch.zeros(1, 64, 64), *seen(1))


def test_what_is_far_from_the_object_does_not_count():
    truth = torch.zeros(1, SIZE, SIZE, dtype=torch.bool)
    truth[:, 4:12, 4:12] = True
    logits = torch.where(truth, 20.0, -20.0)
    loss = NearMaskLoss(reach=8)
    nothing = torch.zeros(1, SIZE, SIZE)
    assert loss(logits, truth, nothing) == pytest.approx(0, abs=1e-4)
    logits[:, 50:, 50:] = 20
    assert loss(logits, truth, nothing) == pytest.approx(0, abs=1e-4)
    before = nothing.clone()
    before[:, 50:, 50:] = 0.9  # taken for the object, before
    assert loss(logits, truth, before) > 1


def test_small_objects_count_as_much_as_large_ones():
    truth = torch.zeros(2, SIZE, SIZE, dtype=torch.bool)
    truth[0, 30:34, 30:34] = truth[1, 4:60, 4:60] = True
    nothing = torch.zeros(2, SIZE, SIZE)
    loss = NearMaskLoss()
    logits = torch.randn(2, SIZE, SIZE)
    parts = [loss(logits[i : i + 1], truth[i : i + 1], nothing[i : i + 1]) for i in (0, 1)]
    assert_close(loss(logits, truth, nothing), sum(parts) / 2)


@pytest.fixture
def config():
    base = CONFIGS / '_base_/models/siampolarmask_mobilenetv2-matching.py'
    config = Config.fromfile(base).model
    config.backbone.update(out_indices=(0, 1, 2, 4), init_cfg=None)
    config.refiner = dict(type='MaskRefiner')
    config.losses.refined = dict(type='NearMaskLoss')
    return config


def test_its_loss_has_to_be_given(config):
    del config.losses['refined']
    with pytest.raises(ValueError, match='refined'):
        MODELS.build(config)


def frame_with(boxes):
    sample = TrackDataSample(metainfo=dict(frame_id=0))
    boxes = torch.tensor(boxes, dtype=torch.float32)
    sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.arange(len(boxes)))
    return sample


def track(model, image, boxes, num_frames=1):
    """The objects, seen in frames after."""
    inputs = dict(img=image[None])
    model.predict_ope(inputs, [frame_with(boxes)])
    with torch.no_grad():
        for number in range(1, num_frames + 1):
            later = TrackDataSample(metainfo=dict(frame_id=number))
            model.predict_ope(inputs, [later])
    return model.tracker.objects


@pytest.fixture
def model(config):
    config.lost_and_found = None
    config.decoder.edges = None
    model = MODELS.build(config)
    model.init_weights()
    return model.eval()


def be_surer(model):
    with torch.no_grad():
        model.refiner.correct.bias += 1  # of logits


def test_masks_are_redrawn_in_tracking_each_object_by_what_is_seen_of_it(model):
    torch.manual_seed(1)
    image = torch.randint(0, 256, (1, 3, 200, 240), dtype=torch.uint8)
    boxes = [(30, 40, 80, 100), (140, 60, 200, 120)]
    together = [item.look.drawn.raw for item in track(model, image, boxes)]
    for box, raw in zip(boxes, together, strict=True):
        alone = track(model, image, [box])[0].look.drawn.raw
        assert_close(alone, raw, rtol=0, atol=1e-4)
    be_surer(model)
    for before, item in zip(together, track(model, image, boxes), strict=True):
        assert (item.look.drawn.raw - before).max() > 0.1


def test_what_is_followed_is_not_redrawn(model):
    torch.manual_seed(1)
    image = torch.randint(0, 256, (1, 3, 200, 240), dtype=torch.uint8)
    box = (30, 40, 80, 100)
    (before,) = track(model, image, [box], num_frames=3)
    pixels = model.tracker.report(image).masks.sum()
    be_surer(model)
    (after,) = track(model, image, [box], num_frames=3)
    assert torch.equal(after.look.decoded.raw, before.look.decoded.raw)
    assert torch.equal(after.box, before.box)
    found = model.tracker.report(image)  # what is reported is
    assert found.masks.sum() > pixels
    drawn = after.look.drawn.confidence
    whole = paste_confidence(drawn, after.look.crop, (0, 0, 240, 200)) > MAJORITY
    assert torch.equal(found.masks[0], torch.from_numpy(whole))
    assert found.searches[0].decoded is after.look.drawn


def test_what_is_reported_is_fitted_to_the_image_and_what_is_followed_is_not(model):
    torch.manual_seed(1)
    image = torch.randint(0, 256, (1, 3, 200, 240), dtype=torch.uint8)
    boxes = [(30, 40, 80, 100), (140, 60, 200, 120)]
    plain = track(model, image, boxes, num_frames=2)
    fitted = []

    def edges(confidence, image):
        fitted.append((confidence, image))
        return (0.9 * confidence).astype(confidence.dtype)

    model.decoder.edges = edges
    items = track(model, image, boxes, num_frames=2)
    for item, before, (confidence, shown) in zip(items, plain, fitted[-2:], strict=True):
        assert torch.equal(item.look.decoded.raw, before.look.decoded.raw)
        assert torch.equal(item.box, before.box)
        assert_close(item.look.drawn.raw, 0.9 * before.look.drawn.raw)
        assert_close(torch.from_numpy(confidence), before.look.drawn.raw)
        assert (shown == item.look.crop.cut(image[0].permute(1, 2, 0).numpy())).all()


def test_each_object_is_redrawn_by_the_features_of_its_first_template(model, monkeypatch):
    torch.manual_seed(1)
    image = torch.randint(0, 256, (1, 3, 200, 240), dtype=torch.uint8)
    items = track(model, image, [(30, 40, 80, 100), (140, 60, 200, 120)])
    for item in items:  # 4 rows: this template and another one, of each
        item.templates.append(tuple(torch.rand_like(part) for part in item.templates[0]))
    compared, shown = [], []
    running = model.tracker.running.model
    compare, redraw = running.head.compare, running.refiner.forward
    monkeypatch.setattr(
        running.head, 'compare', lambda *a: compared.append(compare(*a)) or compared[-1]
    )
    monkeypatch.setattr(
        running.refiner, 'forward', lambda *a: shown.append(a[2]) or redraw(*a)
    )
    with torch.no_grad():
        model.tracker.follow(image)
    assert len(compared[0]) == 4
    assert torch.equal(shown[0], compared[0][[0, 2]])


def disk(radius, size=SIZE, inner=0):
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing='ij')
    distance = ((rows - 32) ** 2 + (columns - 32) ** 2).sqrt()
    return (inner <= distance) & (distance < radius)


@pytest.fixture
def seen_disk():
    decoder = PolarDecoder(decoding='visible_union', threshold=0.3)
    choice = Choice(Star(torch.tensor([32.0, 32.0]), torch.full((36,), 20.0)), 1.0, 1.0)
    return decoder, decoder.settle(choice, 0.1 + 0.8 * disk(20), SIZE)


@pytest.mark.parametrize('inside', [0.05, 0.2, 0.4])
def test_a_redrawn_mask_ends_at_one_half_whatever_its_middle(seen_disk, inside):
    decoder, seen = seen_disk
    ring = disk(24, inner=12)
    refined = torch.where(ring, 0.9, torch.where(disk(24), inside, 0.45))
    assert torch.equal(decoder.redraw(seen, refined).confidence > 0.5, ring)


def test_what_vanishes_in_redrawing_is_not_redrawn(seen_disk):
    decoder, seen = seen_disk
    assert decoder.redraw(seen, torch.full((SIZE, SIZE), 0.01)) is seen


@pytest.mark.parametrize(('row', 'column'), [(1, 1), (1, 3), (3, 2)])
def test_the_head_s_features_lie_in_the_middle_of_the_crop(refiner, row, column):
    torch.nn.init.normal_(refiner.correct.weight)
    half = torch.full((1, SIZE, SIZE), 0.5)
    fine, features = seen(1)
    before = refiner(half, fine, features)
    features[0, :, row, column] = 5
    changes = (refiner(half, fine, features) - before)[0].abs()
    where = torch.arange(SIZE).float() @ torch.stack([changes.sum(1), changes.sum(0)], 1)
    middle = where / changes.sum()  # 5 of 9 locations: the first is the crop's third
    assert_close(
        middle, torch.tensor([8.0 * (2 + row), 8.0 * (2 + column)]), rtol=0, atol=5
    )


def test_features_that_cannot_lie_in_the_middle_are_refused(refiner):
    fine, _ = seen(1)
    with pytest.raises(ValueError, match=r'even number .* crop.s \(9, 9\) .* \(6, 6\)'):
        refiner(torch.zeros(1, SIZE, SIZE), fine, torch.zeros(1, 8, 6, 6))


@pytest.mark.parametrize('max_pairs', [0, -3])
def test_some_pairs_are_to_be_redrawn(max_pairs):
    with pytest.raises(
        ValueError, match=f'max_pairs of 1 or more expected, got {max_pairs}'
    ):
        MaskRefiner(8, max_pairs=max_pairs)


def test_features_are_expected_beside_the_fine_ones(config):
    config.backbone.out_indices = (2, 4)
    model = MODELS.build(config)
    with pytest.raises(ValueError, match=r'2 fine features, .* and others .* got 2'):
        model.see(torch.zeros(1, 3, 65, 65))


def test_it_learns_beside_the_head_which_it_does_not_change(config, training_pairs):
    config.update(template_size=33, search_size=65)
    config.head.update(num_rays=12)
    model = MODELS.build(config)
    model.init_weights()
    batch = pseudo_collate([training_pairs[i] for i in range(2)])
    losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
    losses['loss_refined'].backward(retain_graph=True)
    grown = {name for name, p in model.named_parameters() if p.grad is not None}
    assert grown == {f'refiner.{name}' for name, _ in model.refiner.named_parameters()}
    assert set(losses) == {f'loss_{n}' for n in ('score', 'centerness', 'rays', 'refined')}


@pytest.mark.parametrize(('max_pairs', 'redrawn'), [(None, 4), (3, 3)])
def test_no_more_pairs_are_redrawn_than_wanted(config, training_pairs, max_pairs, redrawn):
    config.update(template_size=33, search_size=65)
    config.refiner.max_pairs = max_pairs
    model = MODELS.build(config)
    shown = []
    model.refiner.register_forward_hook(lambda _, args, __: shown.append(len(args[0])))
    batch = pseudo_collate([training_pairs[i % 2] for i in range(4)])
    model(**model.data_preprocessor(batch, training=True), mode='loss')
    assert shown == [redrawn]


@pytest.mark.parametrize('known', ['nothing', 'the box'])
def test_pairs_without_a_mask_have_none_to_redraw(config, training_pairs, known):
    config.update(template_size=33, search_size=65)
    model = MODELS.build(config)
    for part in (model.backbone, model.neck, model.head):
        part.requires_grad_(False)
    batch = pseudo_collate([training_pairs[0]])
    instances = batch['data_samples'][0].search_gt_instances
    if known == 'nothing':
        instances.labels[:] = 0
    else:
        del instances.masks
    losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
    assert losses['loss_refined'] == 0
    losses['loss_refined'].backward()  # with all else frozen, too
