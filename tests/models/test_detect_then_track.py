"""What DetectThenTrack promises, with a detector that sees bright rectangles."""

from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample

ROOT = Path(__file__).parents[2]


class BrightBoxes(BaseModel):
    """Finds the box of the brightest pixels, one beside it, and two of no use."""

    def forward(self, inputs, data_samples, mode):  # noqa: ARG002
        image = inputs[0].float().mean(0)
        rows, columns = (image > 200).nonzero(as_tuple=True)
        sample = data_samples[0]
        if len(rows) == 0:
            found = torch.zeros(0, 4)
        else:
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            scale = torch.tensor(sample.scale_factor).repeat(2)  # width, height
            box = torch.stack(box) / scale
            flat = torch.tensor([5.0, 7, 5, 30])  # no width
            found = torch.stack([torch.tensor([0.0, 0, 9, 9]), box, box + 30, flat])
        count = len(found)
        sample.pred_instances = InstanceData(
            bboxes=found,
            scores=torch.tensor([0.3, 0.9, 0.7, 0.8])[:count],
            labels=torch.tensor([5, 6, 7, 8])[:count],
        )
        return data_samples


@pytest.fixture(autouse=True)
def _detector():
    MMDET_MODELS.register_module(module=BrightBoxes, force=True)


DETECTOR = dict(
    model=dict(type='BrightBoxes'),
    test_dataloader=dict(
        dataset=dict(
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=(200, 160), keep_ratio=True),
                dict(type='PackDetInputs', meta_keys=('scale_factor', 'ori_shape')),
            ]
        )
    ),
)


def track(model, frames):
    results = []
    for t, frame in enumerate(frames):
        sample = TrackDataSample(metainfo=dict(frame_id=t))
        batch = dict(inputs=dict(img=[frame]), data_samples=[sample])
        with torch.no_grad():
            results.append(model.test_step(batch)[0].pred_track_instances)
    return results


@pytest.fixture
def frames():
    """An empty frame, then a square of 20 pixels."""
    frames = torch.full((3, 1, 3, 80, 100), 90, dtype=torch.uint8)
    frames[1:, ..., 30:50, 40:60] = 255
    return frames


def build(model_config, **kwargs):
    model = dict(type='DetectThenTrack', tracker=model_config, detector=DETECTOR, **kwargs)
    return MODELS.build(model).eval()


def test_what_is_detected_is_followed(model_config, frames):
    model = build(model_config)
    nothing, first, second = track(model, frames)
    assert len(nothing.bboxes) == len(nothing.masks) == 0
    # The best first; the one of 0.3 is below the least score, that of 0.8 is flat.
    assert first.labels.tolist() == [6, 7]
    assert first.bboxes.tolist() == [[40, 30, 60, 50], [70, 60, 90, 80]]
    assert first.masks[0, 40, 50]
    assert second.labels.tolist() == [6, 7]
    assert second.masks.shape == (2, 80, 100)
    assert (second.scores > 0).all()


def test_only_so_many_are_followed(model_config, frames):
    assert len(track(build(model_config, most=1), frames)[1].bboxes) == 1
    assert len(track(build(model_config, min_score=0.8), frames)[1].bboxes) == 1


def test_the_tracker_is_the_one_that_would_track_alone(model_config, frames):
    model = build(model_config, most=1)
    _, first, second = track(model, frames)
    sample = TrackDataSample(metainfo=dict(frame_id=0))
    sample.gt_instances = InstanceData(bboxes=first.bboxes)
    batch = dict(inputs=dict(img=[frames[1]]), data_samples=[sample])
    model.tracker.test_step(batch)
    sample = TrackDataSample(metainfo=dict(frame_id=1))
    batch = dict(inputs=dict(img=[frames[2]]), data_samples=[sample])
    alone = model.tracker.test_step(batch)[0].pred_track_instances
    assert torch.equal(alone.bboxes, second.bboxes)
    assert torch.equal(alone.masks, second.masks)


def test_it_does_not_train(model_config, frames):
    with pytest.raises(ValueError, match="mode 'predict' expected, got 'loss'"):
        build(model_config)(dict(img=frames), [], mode='loss')


def test_the_example_config_joins_a_detector_of_mmdet_with_our_tracker():
    name = 'detect-then-track_rtmdet-ins-tiny_mobilenetv2-matching'
    config = Config.fromfile(ROOT / f'configs/detect_then_track/{name}.py')
    config.model.detector_checkpoint = None  # no download
    config.model.tracker.backbone.init_cfg = None
    config.model.min_score = 0.0
    config.model.most = 2
    model = MODELS.build(config.model).eval()
    assert type(model.detector).__name__ == 'RTMDet'
    frames = torch.randint(0, 255, (2, 1, 3, 60, 80), dtype=torch.uint8)
    _, tracked = track(model, frames)
    assert tracked.masks.shape == (2, 60, 80)
    assert tracked.labels.shape == (2,)
