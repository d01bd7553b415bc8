"""What `stack_pairs` promises."""

import pickle

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from mmengine.runner import Runner
from mmtrack.models.data_preprocessors import TrackDataPreprocessor

from siampolarmask_mm.datasets import stack_pairs


@pytest.fixture
def davis(clips, train_pipeline):
    return dict(
        type='DAVISDataset',
        data_root=str(clips),
        ann_file='ImageSets/2017/train.txt',
        pipeline=train_pipeline,
    )


def loader(davis, num_workers, **collate_fn):
    config = dict(
        batch_size=3,
        num_workers=num_workers,
        sampler=dict(
            type='NumberedSampler', sampler=dict(type='DefaultSampler', shuffle=True)
        ),
        dataset=davis,
        collate_fn=collate_fn,
    )
    return Runner.build_dataloader(config, seed=0)


@pytest.mark.parametrize('num_workers', [0, 1])
def test_losses_are_those_of_pseudo_collate(davis, model_config, num_workers):
    model = MODELS.build(model_config)

    def losses(collate):
        for batch in loader(davis, num_workers, type=collate):
            data = model.data_preprocessor(batch, training=True)
            yield {k: v.item() for k, v in model(**data, mode='loss').items()}

    found = list(losses('stack_pairs'))
    assert len(found) == 2
    assert found == list(losses('pseudo_collate'))


def test_images_are_one_tensor_and_samples_come_as_they_went(davis):
    dataset = DATASETS.build(davis)
    samples = [dataset[i] for i in range(3)]
    batch = pickle.loads(pickle.dumps(stack_pairs(samples)))
    assert type(batch['data_samples']) is list
    for name, size in (('img', 33), ('search_img', 65)):
        images = batch['inputs'][name]
        assert images.shape == (3, 1, 3, size, size)
        assert images.dtype == torch.uint8
        assert all(map(torch.equal, images, [s['inputs'][name] for s in samples]))
    for found, sample in zip(batch['data_samples'], samples, strict=True):
        sent = sample['data_samples']
        assert found.metainfo == sent.metainfo
        for kind in ('gt_instances', 'search_gt_instances'):
            instances, expected = found.get(kind), sent.get(kind)
            assert set(instances.keys()) == set(expected.keys())
            assert np.array_equal(instances.masks.masks, expected.masks.masks)
            assert torch.equal(instances.bboxes, expected.bboxes)
            assert torch.equal(instances.labels, expected.labels)
            instances.bboxes += 1  # it can be written to


def test_masks_of_more_than_0_and_1_keep_their_values():
    masks = BitmapMasks([np.array([[0, 7, 255]], np.uint8)], 1, 3)
    sample = dict(inputs={}, data_samples=[masks])
    ((found,),) = pickle.loads(pickle.dumps(stack_pairs([sample])))['data_samples']
    assert found.masks.tolist() == [[[0, 7, 255]]]
    assert (found.height, found.width) == (1, 3)


def test_mmtracks_own_preprocessor_takes_the_batch_as_any_other(davis):
    samples = [DATASETS.build(davis)[i] for i in range(2)]
    preprocessor = TrackDataPreprocessor(mean=[1, 2, 3], std=[4, 5, 6], bgr_to_rgb=True)
    found, expected = (
        preprocessor(collate(samples), training=True)
        for collate in (stack_pairs, pseudo_collate)
    )
    for name in ('img', 'search_img'):
        assert torch.equal(found['inputs'][name], expected['inputs'][name])
    assert found['data_samples'][1].metainfo == expected['data_samples'][1].metainfo


def test_crops_of_two_sizes_are_refused():
    samples = [
        dict(inputs=dict(img=torch.zeros(1, 3, size, size)), data_samples=None)
        for size in (4, 5)
    ]
    with pytest.raises(ValueError, match=r'img of one size .* got .*4, 4.*5, 5'):
        stack_pairs(samples)


def test_the_scope_that_mmengine_writes_into_inherited_configs_is_taken(davis):
    """It does so to what comes through ``siampolarmask_mm::``."""
    data = loader(davis, 0, type='stack_pairs', _scope_='siampolarmask_mm')
    assert len(next(iter(data))['data_samples']) == 3
