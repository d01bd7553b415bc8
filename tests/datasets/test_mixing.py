"""Datasets with masks and mmtrack's datasets of boxes train together."""

import random
from collections import Counter
from pathlib import Path

import folders
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from mmengine.runner import Runner

from siampolarmask_mm.locations import location_points


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    folders.write_coco(root / 'coco')
    folders.write_got10k(root / 'got10k')
    folders.write_imagenet_vid(root / 'ILSVRC')
    return root


PAIRS = [dict(type='SamplePair', max_gap=100, negative_prob=0.2)]


def datasets(data, davis, pipeline=PAIRS):
    configs = [
        dict(
            type='CocoPairDataset',
            data_root=f'{data}/coco',
            ann_file='annotations/instances_train2017.json',
            data_prefix=dict(img_path='train2017'),
        ),
        dict(
            type='DAVISDataset',
            data_root=str(davis),
            ann_file='ImageSets/2017/train.txt',
        ),
        dict(
            type='mmtrack.GOT10kDataset',
            data_root=f'{data}/got10k',
            ann_file='annotations/got10k_train_infos.txt',
            data_prefix=dict(img_path=''),
        ),
        dict(
            type='mmtrack.SOTImageNetVIDDataset',
            data_root=f'{data}/ILSVRC',
            ann_file='annotations/imagenet_vid_train.json',
            data_prefix=dict(img_path='Data/VID'),
        ),
    ]
    return [dict(config, pipeline=pipeline, test_mode=False) for config in configs]


def mixture(data, davis, weights, pipeline=PAIRS):
    return dict(
        type='mmtrack.RandomSampleConcatDataset',
        dataset_sampling_weights=weights,
        datasets=datasets(data, davis, pipeline),
    )


def source(sample):
    """Of the mixed datasets, the one that a sample is from."""
    path = sample['img_path'][0]
    return next(i for i, n in enumerate(('coco', 'davis', 'got10k', 'VID')) if n in path)


def test_weights_say_how_often_each_dataset_is_sampled(data, clips):
    weights = [1, 2, 0, 5]
    dataset = DATASETS.build(mixture(data, clips, weights))
    random.seed(0)
    drawn = Counter(source(dataset[0]) for _ in range(800))
    # Three standard deviations of a binomial count are at most 42.
    expected = [800 * weight / 8 for weight in weights]
    assert [drawn[i] for i in range(4)] == pytest.approx(expected, abs=42)
    assert drawn[2] == 0


def test_masks_come_where_there_are_any(data, clips):
    for number, config in enumerate(datasets(data, clips)):
        sample = DATASETS.build(config)[0]
        has_mask = ['mask' in instances[0] for instances in sample['instances']]
        assert has_mask == [number < 2] * 2


def test_boxes_are_those_of_the_files(data, clips):
    def box(number, index):
        sample = DATASETS.build(datasets(data, clips)[number])[index]
        (frame, _), ((instance,), _) = sample['frame_id'], sample['instances']
        return instance['bbox'].tolist(), frame

    (x1, *others), frame = box(2, 0)
    assert (x1, others) == (3 + frame, [4, 43 + frame, 34])
    assert box(3, 0)[0] == [2, 3, 42, 33]


def test_frames_without_the_object_are_not_taken(data, clips):
    np.random.seed(0)
    random.seed(0)
    # mmtrack's datasets take two videos by chance, whatever is asked for.
    dataset = DATASETS.build(datasets(data, clips)[2])
    taken = {tuple(Path(p).parts[-2:]) for _ in range(99) for p in dataset[0]['img_path']}
    names = [f'{number:08d}.jpg' for number in (1, 2, 3)]
    assert {name for video, name in taken if video.endswith('000001')} == set(names)
    assert {name for video, name in taken if video.endswith('000002')} == set(names[:2])


def test_a_frame_in_which_the_object_is_hidden_is_not_taken(data, clips):
    dataset = DATASETS.build(datasets(data, clips)[3])
    late = dict(
        **dataset.get_img_infos_from_video(1), **dataset.get_ann_infos_from_video(1)
    )
    assert [Path(path).name for path in late['img_paths']] == ['000001.JPEG', '000002.JPEG']
    for _ in range(20):
        assert dataset.pipeline([late, late])['frame_id'] == [0, 0]


def test_an_epoch_has_the_quota_whatever_the_datasets_size(data, clips, train_pipeline):
    config = dict(
        batch_size=5,
        num_workers=0,
        sampler=dict(type='mmtrack.QuotaSampler', samples_per_epoch=40),
        dataset=mixture(data, clips, [1, 1, 1, 1], train_pipeline),
        collate_fn=dict(type='pseudo_collate'),
    )
    loader = Runner.build_dataloader(config)
    assert len(loader.dataset) == 1 + 6 + 2 + 2
    batches = list(loader)
    assert sum(len(batch['data_samples']) for batch in batches) == 40
    shapes = {image.shape for b in batches for image in b['inputs']['search_img']}
    assert shapes == {(1, 3, 65, 65)}  # with masks or without


def test_numbered_samples_of_a_mixture_are_the_same_each_time(data, clips):
    sampler = dict(type='mmtrack.QuotaSampler', samples_per_epoch=20)
    config = dict(
        batch_size=1,
        num_workers=0,
        sampler=dict(type='NumberedSampler', sampler=sampler),
        dataset=dict(type='SeededDataset', dataset=mixture(data, clips, [1, 1, 1, 1])),
        collate_fn=dict(type='pseudo_collate'),
    )

    def samples(seed):
        loader = Runner.build_dataloader(config, seed=seed)
        return [[Path(path).name for (path,) in batch['img_path']] for batch in loader]

    assert samples(3) == samples(3)
    assert samples(3) != samples(4)


def test_a_network_learns_from_masks_and_boxes_at_once(
    data, clips, model_config, train_pipeline
):
    dataset = DATASETS.build(mixture(data, clips, [1, 1, 1, 1], train_pipeline))
    random.seed(0)
    samples = [dataset[0] for _ in range(8)]
    has_mask = ['masks' in s['data_samples'].search_gt_instances for s in samples]
    assert set(has_mask) == {True, False}
    model = MODELS.build(model_config)
    batch = model.data_preprocessor(pseudo_collate(samples), training=True)
    losses = model(**batch, mode='loss')
    assert all(loss.isfinite() and loss > 0 for loss in losses.values())
    targets = model.find_targets(
        [sample['data_samples'] for sample in samples],
        location_points((7, 7), 8, 65, torch.zeros(1)),
    )
    assert targets.outlined.flatten(1).any(1).tolist() == has_mask
    assert targets.positive.flatten(1).any(1).all()
