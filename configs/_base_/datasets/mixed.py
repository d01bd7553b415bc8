# Training pairs from images and videos with masks, and from videos with boxes alone.

_base_ = './coco_pairs.py'

samples_per_epoch = 60_000
# How often each is sampled, whatever its size; videos of masks are few and worth most.
weights = dict(coco=3, youtube_vos=4, davis=1, got10k=2)

datasets = dict(
    coco=_base_.train_dataloader.dataset,
    youtube_vos=dict(
        type='YouTubeVOSDataset',
        data_root='data/YouTubeVOS/train/',
        min_area=32**2,
        pipeline=_base_.train_pipeline,
    ),
    davis=dict(
        type='DAVISDataset',
        data_root='data/DAVIS/',
        ann_file='ImageSets/2017/train.txt',
        min_area=32**2,
        pipeline=_base_.train_pipeline,
    ),
    got10k=dict(
        type='mmtrack.GOT10kDataset',
        data_root='data/GOT10k/',
        ann_file='annotations/got10k_train_infos.txt',
        data_prefix=dict(img_path=''),
        pipeline=_base_.train_pipeline,
    ),
)
train_dataloader = dict(
    sampler=dict(
        sampler=dict(
            _delete_=True, type='mmtrack.QuotaSampler', samples_per_epoch=samples_per_epoch
        ),
    ),
    dataset=dict(
        _delete_=True,
        type='SeededDataset',
        dataset=dict(
            type='mmtrack.RandomSampleConcatDataset',
            dataset_sampling_weights=list(weights.values()),
            datasets=list(datasets.values()),
        ),
    ),
)
