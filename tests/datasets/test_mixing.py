"""Datasets with masks and mmtrack's datasets of boxes train together."""

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from mmengine.runner import Runner
from PIL import Image

from siampolarmask_mm.crops import location_points

SIZE = (20, 30)  # height, width


def write_image(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*size, 3), np.uint8)).save(path)


def write_got10k(root):
    """Two videos of three frames; in the second video's last frame the object is gone."""
    names = ['GOT-10k_Train_000001', 'GOT-10k_Train_000002']
    for name, absence in zip(names, ('000', '001'), strict=True):
        folder = root / 'train' / name
        for number in (1, 2, 3):
            write_image(folder / f'{number:08d}.jpg')
        boxes = [f'{3 + t}.0000,4.0000,8.0000,6.0000' for t in range(3)]
        (folder / 'groundtruth.txt').write_text('\n'.join(boxes) + '\n')
        (folder / 'absence.label').write_text('\n'.join(absence) + '\n')
        cover = '\n'.join('0' if gone == '1' else '8' for gone in absence)
        (folder / 'cover.label').write_text(cover + '\n')
    (root / 'train/list.txt').write_text('\n'.join(names) + '\n')
    # As mmtrack's tools/dataset_converters/got10k/gen_got10k_infos.py writes it.
    lines = ['The format of each line in this txt is (video_path,annotation_path,...)']
    lines += [f'train/{name},train/{name}/groundtruth.txt,1,3' for name in names]
    (root / 'annotations').mkdir()
    (root / 'annotations/got10k_train_infos.txt').write_text('\n'.join(lines))


def write_imagenet_vid(root):
    """A video of three frames; one of its two objects comes late and is hidden at last."""
    video = 'ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000'
    images, annotations = [], []
    for t in range(3):
        write_image(root / 'Data/VID' / video / f'{t:06d}.JPEG')
        images.append(
            dict(
                file_name=f'{video}/{t:06d}.JPEG',
                height=20,
                width=30,
                id=t + 1,
                frame_id=t,
                video_id=1,
                is_vid_train_frame=True,
            )
        )
        for instance_id in (1, 2)[: 1 + (t > 0)]:
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    video_id=1,
                    image_id=t + 1,
                    category_id=9,
                    instance_id=instance_id,
                    bbox=[2, 3, 9, 10],
                    area=90,
                    iscrowd=False,
                    occluded=(instance_id, t) == (2, 2),
                    generated=False,
                )
            )
    content = dict(
        categories=[dict(id=9, name='dog', encode_name='n02084071')],
        videos=[dict(id=1, name=video, vid_train_frames=[0, 1, 2])],
        images=images,
        annotations=annotations,
    )
    (root / 'annotations').mkdir()
    (root / 'annotations/imagenet_vid_train.json').write_text(json.dumps(content))


def write_coco(root):
    write_image(root / 'train2017/000000000009.jpg')
    triangle = [[4, 4, 20, 4, 4, 16]]
    annotation = dict(id=1, image_id=9, bbox=[4, 4, 16, 12], area=96, category_id=18)
    content = dict(
        images=[dict(id=9, file_name='000000000009.jpg', height=20, width=30)],
        annotations=[dict(annotation, segmentation=triangle, iscrowd=0)],
    )
    (root / 'annotations').mkdir()
    (root / 'annotations/instances_train2017.json').write_text(json.dumps(content))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    write_coco(root / 'coco')
    write_got10k(root / 'got10k')
    write_imagenet_vid(root / 'ILSVRC')
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
    assert (x1, others) == (3 + frame, [4, 11 + frame, 10])
    assert box(3, 0)[0] == [2, 3, 11, 13]


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
