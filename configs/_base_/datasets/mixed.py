# Training pairs from images and videos with masks, and from videos with boxes alone.

_base_ = './coco_pairs.py'

train_dataloader = dict(
    sampler=dict(
        sampler=dict(_delete_=True, type='mmtrack.QuotaSampler', samples_per_epoch=60_000),
    ),
    dataset=dict(
        _delete_=True,
        type='SeededDataset',
        dataset=dict(
            type='mmtrack.RandomSampleConcatDataset',
            # How often each of the datasets below is sampled, whatever its size; videos of
            # masks are few and worth most.
            dataset_sampling_weights=[3, 4, 1, 2],
            datasets=[
                _base_.train_dataloader.dataset,
                dict(
                    type='YouTubeVOSDataset',
                    data_root='data/YouTubeVOS/train/',
                    min_area=32**2,
                    pipeline=[
                        dict(type='SamplePair', max_gap=20, min_size=16),  # every 5th frame
                        *_base_.train_pipeline[1:],
                    ],
                ),
                dict(
                    type='DAVISDataset',
                    data_root='data/DAVIS/',
                    ann_file='ImageSets/2017/train.txt',
                    min_area=32**2,
                    pipeline=_base_.train_pipeline,
                ),
                dict(
                    type='mmtrack.GOT10kDataset',
                    data_root='data/GOT10k/',
                    ann_file='annotations/got10k_train_infos.txt',
                    data_prefix=dict(img_path=''),
                    pipeline=_base_.train_pipeline,
                ),
            ],
        ),
    ),
)
