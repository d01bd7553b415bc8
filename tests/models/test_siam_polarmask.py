"""What SiamPolarMask promises."""

import copy

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample
from torch.testing import assert_close

from siampolarmask_mm.crops import crop_around
from siampolarmask_mm.models import PolarDecoder
from siampolarmask_mm.models.first_frame import fill_box
from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.models.siamese_head import middle
from siampolarmask_mm.models.tracked_object import resize_in_frame
from siampolarmask_mm.polar import polar_iou, star_masks


@pytest.fixture
def model(model_config):
    model = MODELS.build(model_config)
    model.init_weights()
    return model


@pytest.fixture
def frames():
    """A bright square of 20 pixels that moves 3 pixels right a frame, on grey noise."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(
        90, 110, (4, 1, 3, 80, 100), dtype=torch.uint8, generator=generator
    )
    for t, frame in enumerate(frames):
        frame[..., 30:50, 40 + 3 * t : 60 + 3 * t] = 220
    return frames


def sample(frame_id, boxes, masks=None):
    instances = InstanceData(bboxes=torch.tensor(boxes, dtype=torch.float32))
    if masks is not None:
        instances.masks = BitmapMasks(masks, *masks.shape[1:])
    data_sample = TrackDataSample(metainfo=dict(frame_id=frame_id))
    data_sample.gt_instances = instances
    return data_sample


def square_mask():
    mask = np.zeros((1, 80, 100), np.uint8)
    mask[0, 30:50, 40:60] = 1
    return mask


SQUARE = [[40.0, 30.0, 60.0, 50.0]]


def run(model, frames, boxes, masks=None):
    model.eval()
    results = []
    with torch.no_grad():
        for t, frame in enumerate(frames):
            inputs = dict(img=[frame])
            batch = dict(inputs=inputs, data_samples=[sample(t, boxes, masks)])
            results.append(model.test_step(batch)[0].pred_track_instances)
    return results


def test_one_model_comes_from_our_scope_and_from_mmtracks(model_config):
    ours = MODELS.build(copy.deepcopy(model_config))
    init_default_scope('mmtrack')
    theirs = MODELS.build(copy.deepcopy(model_config))
    assert type(ours) is type(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_every_result_has_box_score_mask_and_star(model, frames):
    for result in run(model, frames, SQUARE, square_mask()):
        assert result.bboxes.shape == (1, 4)
        assert result.scores.shape == (1,)
        assert result.masks.shape == (1, 80, 100)
        assert result.masks.dtype == torch.bool
        assert result.centers.shape == (1, 2)
        assert result.rays.shape == (1, 12)


def test_the_first_result_is_what_was_given(model, frames):
    first = run(model, frames[:1], SQUARE, square_mask())[0]
    assert first.bboxes.tolist() == SQUARE
    assert np.array_equal(first.masks.numpy(), square_mask().astype(bool))
    assert_close(first.centers, torch.tensor([[49.5, 39.5]]))
    assert_close(first.rays[0, 0], torch.tensor(10.0))
    assert first.scores.tolist() == [-1.0]


def test_without_a_mask_the_box_is_the_first_star(model, frames):
    first = run(model, frames[:1], SQUARE)[0]
    assert_close(first.centers, torch.tensor([[49.5, 39.5]]))
    assert_close(first.rays[0, [0, 3, 6, 9]], torch.full((4,), 10.0))


def test_masks_are_those_of_the_stars_at_image_size(model, frames):
    result = run(model, frames, SQUARE)[-1]
    assert torch.equal(result.masks, star_masks(result.centers, result.rays, (80, 100)))


def test_the_template_is_computed_once(model, frames):
    sizes = []
    model.backbone.register_forward_hook(
        lambda _, args, __: sizes.append(args[0].shape[-1])
    )
    run(model, frames, SQUARE)
    assert sizes == [33, 65, 65, 65]


def test_the_tracker_cuts_the_crop_that_training_cuts(model, frames):
    """The same frame and box, through the training pipeline's reader and the tracker's."""
    crop = crop_around(torch.tensor(SQUARE[0]), 65, 33)
    image = np.ascontiguousarray(frames[0][0].permute(1, 2, 0).numpy())
    in_training = torch.from_numpy(crop.cut(image)).permute(2, 0, 1)[None]
    packed = dict(inputs=dict(img=[in_training]), data_samples=[sample(0, SQUARE)])
    normalized = model.data_preprocessor(packed, training=True)['inputs']['img'][:, 0]
    cut = model.tracker.running.cut(frames[0], [crop])
    assert torch.equal(model.tracker.running.prepare(cut), normalized)


def test_objects_do_not_change_each_other(model, frames):
    other = [[10.0, 10.0, 30.0, 26.0]]
    together = run(model, frames, SQUARE + other)[-1]
    for i, boxes in enumerate((SQUARE, other)):
        alone = run(model, frames, boxes)[-1]
        assert_close(together.rays[i], alone.rays[0], atol=1e-3, rtol=1e-4)
        assert_close(together.bboxes[i], alone.bboxes[0], atol=1e-3, rtol=1e-4)


def test_a_new_video_forgets_the_last_one(model, frames):
    once = run(model, frames, SQUARE)[-1]
    run(model, frames, [[5.0, 5.0, 25.0, 40.0]])
    again = run(model, frames, SQUARE)[-1]
    assert torch.equal(once.bboxes, again.bboxes)


def predict(center, radius):
    """Stands in for head and decoder: a circle at a place of the search crop."""

    def look(model):
        def head(template, search, previous):  # noqa: ARG001
            maps = PolarPrediction(
                scores=torch.full((1, 7, 7), -9.0),
                centerness=torch.zeros(1, 7, 7),
                rays=torch.full((1, 12, 7, 7), radius),
            )
            maps.scores[0, center[0], center[1]] = 9.0
            return maps

        model.head.forward = head
        model.decoder.window_influence = 0
        model.decoder.penalty_k = 0
        model.decoder.update_rate = None

    return look


def test_what_is_found_in_the_crop_is_mapped_to_the_image(model, frames):  # eq. 10 and 11
    predict((2, 4), 10.0)(model)  # row 2, column 4: pixel (40, 24) of 65, middle 32
    result = run(model, frames[:2], SQUARE)[1]
    scale = 33 / 40  # of the context of a 20 x 20 box
    assert_close(result.centers[0], torch.tensor([49.5 + 8 / scale, 39.5 - 8 / scale]))
    assert_close(result.rays[0], torch.full((12,), 10 / scale))


def test_calibration_corrects_a_star_that_is_always_too_small(model_config, frames):
    model = MODELS.build(dict(model_config, calibrate_size=True))
    predict((3, 3), 6.0)(model)  # 12 crop pixels wide, where 20 * 33 / 40 = 16.5 are right
    results = run(model, frames, SQUARE)
    for result in results[1:]:
        width, height = (result.bboxes[0, 2:] - result.bboxes[0, :2]).tolist()
        assert width == pytest.approx(20, abs=0.1)
        assert height == pytest.approx(20, abs=0.1)


def test_a_calibrated_size_is_no_change_in_size(model_config, frames):
    """Stars that are always too small are compared with stars that are always so."""
    model = MODELS.build(dict(model_config, calibrate_size=True))
    predict((3, 3), 6.0)(model)
    model.decoder.penalty_k = 1.0
    run(model, frames, SQUARE)
    choice = model.tracker.objects[0].look.decoded.choice
    assert choice.penalty == pytest.approx(1, abs=1e-3)


def test_without_calibration_it_shrinks(model, frames):
    predict((3, 3), 6.0)(model)
    result = run(model, frames, SQUARE)[-1]
    assert result.bboxes[0, 2] - result.bboxes[0, 0] < 11


def test_an_object_that_leaves_keeps_its_middle_in_the_frame():
    box = torch.tensor([120.0, -40.0, 160.0, -20.0])
    kept = resize_in_frame(box, 1.0, (80, 100), smallest=10)
    assert_close(kept, torch.tensor([80.0, -10.0, 120.0, 10.0]))
    point = resize_in_frame(torch.tensor([50.0, 40.0, 50.0, 40.0]), 1.0, (80, 100), 10)
    assert_close(point, torch.tensor([45.0, 35.0, 55.0, 45.0]))


def test_an_empty_first_mask_is_refused(model, frames):
    with pytest.raises(ValueError, match='at least one pixel expected, got an empty mask'):
        run(model, frames[:1], SQUARE, np.zeros((1, 80, 100), np.uint8))


def test_gray_frames_are_those_of_three_equal_channels(model, frames):
    gray = frames[:, :, :1]
    three = run(model, gray.expand(-1, -1, 3, -1, -1).contiguous(), SQUARE)
    for one, other in zip(run(model, gray, SQUARE), three, strict=True):
        assert torch.equal(one.bboxes, other.bboxes)
        assert torch.equal(one.masks, other.masks)


def test_frames_of_other_channels_are_refused(model, frames):
    with pytest.raises(ValueError, match='frame of 3 channels, or 1, expected, got 4'):
        run(model, torch.cat([frames, frames[:, :, :1]], dim=2), SQUARE)


def test_a_frame_smaller_than_the_crop_and_its_object_is_tracked(model):
    """Of 9 x 7 pixels, with an object of all of it, of 2 x 2, and half outside."""
    frames = torch.full((3, 1, 3, 7, 9), 90, dtype=torch.uint8)
    boxes = [[0.0, 0, 9, 7], [3.0, 3, 5, 5], [-4.0, -3, 4, 3]]
    for result in run(model, frames, boxes)[1:]:
        assert result.masks.shape == (3, 7, 9)
        sizes = result.bboxes[:, 2:] - result.bboxes[:, :2]
        assert (sizes <= torch.tensor([9.0, 7.0])).all()
        assert (sizes > 0).all()
        middles = (result.bboxes[:, :2] + result.bboxes[:, 2:]) / 2
        assert ((middles >= 0) & (middles <= torch.tensor([9.0, 7.0]))).all()


@pytest.mark.parametrize('num_objects', [1, 3])
def test_all_objects_of_a_frame_take_one_pass_of_the_network(model, frames, num_objects):
    passes = []
    model.backbone.register_forward_hook(
        lambda _, args, __: passes.append(tuple(args[0].shape[::3]))
    )
    model.head.score.register_forward_hook(
        lambda _, args, __: passes.append(('head', len(args[0])))
    )
    run(model, frames[:3], SQUARE * num_objects)
    each_frame = [(num_objects, 65), ('head', num_objects)]
    assert passes == [(num_objects, 33), *each_frame, *each_frame]


def test_another_preprocessor_is_refused(model_config):
    model_config['data_preprocessor'] = dict(type='mmtrack.TrackDataPreprocessor')
    with pytest.raises(TypeError, match='CropPreprocessor expected, got TrackDataPrep'):
        MODELS.build(model_config)


def test_a_quadrilateral_of_vot_starts_as_the_box_of_its_area(model, frames):
    # A square on its corner: half the area of the box around it, so sides 20 / sqrt(2).
    first = run(model, frames[:1], [[50.0, 30.0, 60.0, 40.0, 50.0, 50.0, 40.0, 40.0]])[0]
    half = 20 / 2**0.5 / 2
    assert_close(first.bboxes, torch.tensor([[50 - half, 40 - half, 50 + half, 40 + half]]))


def test_mmtracks_own_inference_finds_what_the_runner_does(
    model, model_config, frames, tmp_path
):
    from mmtrack.apis import inference_sot, init_model

    expected = run(model, frames, SQUARE)[-1]
    weights = tmp_path / 'weights.pth'
    torch.save(model.state_dict(), weights)
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='mmtrack.LoadTrackAnnotations', with_mask=True),
        dict(type='mmtrack.PackTrackInputs', pack_single_img=True),
    ]
    loader = dict(dataset=dict(pipeline=pipeline))
    config = Config(dict(model=model_config, test_dataloader=loader))
    model = init_model(config, device='cpu')
    model.load_state_dict(torch.load(weights))
    for t, frame in enumerate(frames):
        image = frame[0].permute(1, 2, 0).numpy()
        result = inference_sot(model, image, SQUARE[0], frame_id=t).pred_track_instances
    # It makes frames float32, whose crops are not rounded.
    assert_close(result.bboxes, expected.bboxes, atol=0.2, rtol=0)
    assert (result.masks ^ expected.masks).sum() <= 0.02 * expected.masks.sum()


def training_batch(clips, pipeline, indices):
    config = dict(
        type='DAVISDataset',
        data_root=str(clips),
        ann_file='ImageSets/2017/train.txt',
        objects='each',
        pipeline=pipeline,
    )
    dataset = DATASETS.build(config)
    return pseudo_collate([dataset[i] for i in indices])


def test_losses_are_those_of_the_paper(model):  # eq. 6
    """One positive location; by hand: L = L_cls + 1.0 L_cen + 1.5 L_reg."""
    prediction = PolarPrediction(
        scores=torch.zeros(1, 7, 7),
        centerness=torch.zeros(1, 7, 7),
        rays=torch.full((1, 12, 7, 7), 8.0),
    )
    mask = torch.zeros(1, 65, 65, dtype=torch.bool)
    mask[0, 31:34, 31:34] = True  # only the middle location lies inside
    points = model.location_points(prediction)
    targets = model.assigner.assign(mask, points)
    assert targets.positive.sum() == 1
    losses = model._compare(prediction, targets)
    log2 = np.log(2)
    assert losses['loss_score'].item() == pytest.approx(0.5 * log2 + 0.5 * log2)
    assert losses['loss_centerness'].item() == pytest.approx(log2)  # of a logit of 0
    ratio = 12 * 8.0 / targets.rays.sum().item()
    assert losses['loss_rays'].item() == pytest.approx(1.5 * np.log(ratio), rel=1e-5)


def test_the_scores_may_have_a_focal_loss(model_config):
    """By hand: alpha 0.25, gamma 2, probability 0.9 at the object, 0.2 elsewhere."""
    model_config['losses']['score'] = dict(type='mmdet.FocalLoss', loss_weight=2.0)
    model_config['assigner']['balance'] = 'equal'
    model = MODELS.build(model_config)
    prediction = PolarPrediction(
        scores=torch.full((1, 7, 7), 0.2).logit(),
        centerness=torch.zeros(1, 7, 7),
        rays=torch.full((1, 12, 7, 7), 8.0),
    )
    prediction.scores[0, 3, 3] = torch.tensor(0.9).logit()
    mask = torch.zeros(1, 65, 65, dtype=torch.bool)
    mask[0, 31:34, 31:34] = True  # only the middle location lies inside
    targets = model.assigner.assign(mask, model.location_points(prediction))
    loss = model._compare(prediction, targets)['loss_score'].item()
    object_part = 0.25 * 0.1**2 * -np.log(0.9)
    background_part = 48 * 0.75 * 0.2**2 * -np.log(0.8)
    assert loss == pytest.approx(2 * (object_part + background_part) / 49, rel=1e-5)


def test_training_matches_with_the_mask_else_with_the_box(
    model_config, clips, train_pipeline
):
    model_config['head']['matching'] = dict(type='MaskMatching')
    model = MODELS.build(model_config)
    batch = training_batch(clips, train_pipeline, [0, 1])
    data = model.data_preprocessor(batch, True)
    seen = []
    model.head.matching.register_forward_pre_hook(lambda _, args: seen.append(args[0][1]))
    losses = model(**data, mode='loss')
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.head.matching.parameters())
    for sample in data['data_samples']:
        mask = torch.from_numpy(sample.gt_instances.masks.masks[0]).bool()
        box = fill_box(sample.gt_instances.bboxes[0], (33, 33))
        assert (box & mask).sum() > 0.95 * mask.sum()  # both are of the template's frame
        del sample.gt_instances.masks
    model(**data, mode='loss')
    from_mask, from_box = seen
    assert (from_box >= from_mask - 0.05).all()  # shares of the cells: a box holds more
    assert from_box.sum() > from_mask.sum()


def test_tracking_matches_with_the_mask_else_with_the_box(model_config, frames):
    model_config['head']['matching'] = dict(type='MaskMatching')
    model = MODELS.build(model_config)
    half = square_mask()
    half[0, 40:] = 0
    whole, upper, box = (
        run(model, frames[:2], SQUARE, mask)[1] for mask in (square_mask(), half, None)
    )
    assert_close(whole.rays, box.rays)  # the square fills its box
    assert not torch.equal(whole.rays, upper.rays)


def test_a_negative_pair_teaches_no_rays_and_keeps_all_gradients(
    model, clips, train_pipeline
):
    train_pipeline[0]['negative_prob'] = 1.0
    batch = training_batch(clips, train_pipeline, [0, 1])
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert losses['loss_rays'] == 0
    assert losses['loss_centerness'] == 0
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_pairs_with_boxes_alone_teach_the_score_and_no_rays(model, clips, train_pipeline):
    batch = training_batch(clips, train_pipeline, [0, 1])
    for item in batch['data_samples']:
        del item.gt_instances.masks, item.search_gt_instances.masks
    data = model.data_preprocessor(batch, True)
    losses = model(**data, mode='loss')
    assert losses['loss_score'] > 0
    assert losses['loss_rays'] == 0
    assert losses['loss_centerness'] == 0
    losses['loss_score'].backward()
    assert model.head.score.weight.grad.abs().sum() > 0


def test_it_overfits_one_pair(model, clips, train_pipeline):
    batch = training_batch(clips, train_pipeline, [0])
    data = model.data_preprocessor(batch, True)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(150):
        optimizer.zero_grad()
        sum(model(**data, mode='loss').values()).backward()
        optimizer.step()
    prediction = model.head(
        model.extract_template(data['inputs']['img'][:, 0]),
        model.extract(data['inputs']['search_img'][:, 0]),
    )
    mask = torch.from_numpy(data['data_samples'][0].search_gt_instances.masks.masks).bool()
    targets = model.assigner.assign(mask, model.location_points(prediction))
    image, row, column = targets.positive.nonzero(as_tuple=True)
    overlap = polar_iou(prediction.rays[image, :, row, column], targets.rays)
    assert overlap.mean() > 0.95
    assert targets.positive.flatten()[prediction.scores.argmax()]


def test_a_frame_moves_and_smooths_the_star_as_the_paper_says(model, frames, monkeypatch):
    """Eq. 7 and 10-11 and section 4.3, with numbers by hand.

    The square's context is 40 pixels, so a crop has 33 / 40 pixels for one of the image.
    The head sees, 8 pixels right of the crop's middle, a star twice the square's size.
    """
    scale = 33 / 40
    prediction = PolarPrediction(
        scores=torch.full((1, 7, 7), -30.0),
        centerness=torch.full((1, 7, 7), 30.0),
        rays=torch.full((1, 12, 7, 7), 20 * scale),
    )
    prediction.scores[0, 3, 4] = 30.0
    monkeypatch.setattr(model.head, 'forward', lambda *_: prediction)
    model.decoder.window_influence = 0
    model.decoder.penalty_k = 0.5
    model.decoder.update_rate = 0.3
    result = run(model, frames[:2], SQUARE)[1]
    assert_close(result.centers, torch.tensor([[49.5 + 8 / scale, 39.5]]))
    rate = 0.3 * np.exp(-0.5 * (2 - 1))  # score 1; twice as large, of the same ratio
    assert result.rays[0, 0].item() == pytest.approx(10 + rate * (20 - 10), abs=1e-3)
    assert_close(result.scores, torch.ones(1))


def test_the_middle_of_a_templates_features_is_kept():
    features = torch.arange(25.0).view(1, 1, 5, 5)
    assert middle(features, (3, 3))[0, 0].tolist() == [
        [6, 7, 8],
        [11, 12, 13],
        [16, 17, 18],
    ]


def test_central_locations_count_more_for_the_rays(model):
    """Two stars; the second, of centerness 1 / 2, counts half as much as the first."""
    prediction = PolarPrediction(
        scores=torch.zeros(1, 7, 7),
        centerness=torch.zeros(1, 7, 7),
        rays=torch.full((1, 12, 7, 7), 8.0),
    )
    positive = torch.zeros(1, 7, 7, dtype=torch.bool)
    positive[0, 3, 3:5] = True
    rays = torch.stack([torch.full((12,), 4.0), torch.full((12,), 16.0)])
    targets = PolarTargets(positive, positive, rays, torch.tensor([1.0, 0.5]), positive / 2)
    loss = model._compare(prediction, targets)['loss_rays']
    # Both are off by a factor of 2, so look at the gradient's share instead.
    assert loss.item() == pytest.approx(1.5 * np.log(2))
    prediction.rays.requires_grad_()
    model._compare(prediction, targets)['loss_rays'].backward()
    gradient = prediction.rays.grad[0, :, 3, 3:5].sum(0)
    # d log(sum max / sum min) of 12 rays of 8: +1 / 8 if too long, -1 / 8 if too short.
    assert_close(gradient, 1.5 / 1.5 * torch.tensor([1.0, -0.5]) / 8)


def test_testing_takes_one_frame_at_a_time(model, frames):
    samples = [sample(0, SQUARE), sample(0, SQUARE)]
    with pytest.raises(ValueError, match='batch_size=1 expected in testing, got 2'):
        model.predict_ope(dict(img=torch.stack([frames[0], frames[1]])), samples)


def test_a_union_of_stars_is_drawn_where_it_was_seen(model, frames, monkeypatch):
    """The square's crop has 33 / 40 pixels for one of the image; two stars side by side."""
    scale = 33 / 40
    prediction = PolarPrediction(
        scores=torch.full((1, 7, 7), -30.0),
        centerness=torch.full((1, 7, 7), 30.0),
        rays=torch.full((1, 12, 7, 7), 8 * scale),
    )
    prediction.scores[0, 3, 3:5] = 30.0
    monkeypatch.setattr(model.head, 'forward', lambda *_: prediction)
    model.decoder = PolarDecoder(0, 0, update_rate=0.5, decoding='visible_union')
    result = run(model, frames[:2], SQUARE)[1]
    centers = torch.tensor([[49.5, 39.5], [49.5 + 8 / scale, 39.5]])
    expected = star_masks(centers, torch.full((2, 12), 8.0), (80, 100)).any(0)
    overlap = (result.masks[0] & expected).sum() / (result.masks[0] | expected).sum()
    assert overlap > 0.9  # painted in the crop, whose pixels are larger
    confidence = result.searches[0].confidence((80, 100))
    assert np.array_equal(confidence > 0.5, result.masks[0].numpy())
    # The middle is the mask's; the size lies between the square's, 20, and the mask's.
    box = result.bboxes[0]
    middle = (box[:2] + box[2:] - 1) / 2
    assert_close(middle, centers.mean(0), atol=0.5, rtol=0)
    size = torch.tensor([(20 + 16 + 8 / scale) / 2, (20 + 16) / 2])
    assert_close(box[2:] - box[:2], size, atol=0.8, rtol=0)


@pytest.mark.parametrize('decoding', ['one_star', 'visible_union'])
def test_a_pixel_belongs_to_the_surest_object(model, frames, monkeypatch, decoding):
    boxes = [[40.0, 30.0, 60.0, 50.0], [46.0, 30.0, 66.0, 50.0]]
    prediction = PolarPrediction(
        scores=torch.full((2, 7, 7), -30.0),
        centerness=torch.full((2, 7, 7), 30.0),
        rays=torch.full((2, 12, 7, 7), 8.0),
    )
    prediction.scores[0, 3, 3], prediction.scores[1, 3, 3] = 0.5, 3.0
    monkeypatch.setattr(model.head, 'forward', lambda *_: prediction)
    model.decoder = PolarDecoder(0, 0, update_rate=None, decoding=decoding)
    result = run(model, frames[:2], boxes)[1]
    assert not (result.masks[0] & result.masks[1]).any()
    assert result.masks[1].sum() > 1.2 * result.masks[0].sum() > 0
