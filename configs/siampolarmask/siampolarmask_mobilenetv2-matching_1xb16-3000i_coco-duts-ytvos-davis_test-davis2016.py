"""Ours, trained on still images and videos."""

_base_ = './siampolarmask_mobilenetv2-matching_1xb16-12e_coco_test-davis2016.py'

max_iters = 3000

_pipeline = _base_.train_pipeline
_dense_videos = [dict(_pipeline[0], max_gap=20), *_pipeline[1:]]  # of every fifth frame
train_dataloader = dict(
    num_workers=2,
    sampler=dict(
        sampler=dict(_delete_=True, type='mmtrack.QuotaSampler', samples_per_epoch=60_000),
    ),
    dataset=dict(
        _delete_=True,
        type='SeededDataset',
        dataset=dict(
            type='mmtrack.RandomSampleConcatDataset',
            dataset_sampling_weights=[55, 15, 25, 5],
            datasets=[
                _base_.train_dataloader.dataset,
                dict(
                    type='SaliencyPairDataset',
                    data_root='data/DUTS-TR/',
                    min_area=32**2,
                    skip_invalid=True,
                    pipeline=_pipeline,
                ),
                dict(
                    type='YouTubeVOSDataset',
                    data_root='data/YouTubeVOS/train/',
                    min_area=32**2,
                    pipeline=_dense_videos,
                ),
                dict(
                    type='DAVISDataset',
                    data_root='data/DAVIS/',
                    ann_file='ImageSets/2017/train.txt',
                    min_area=32**2,
                    pipeline=_pipeline,
                ),
            ],
        ),
    ),
)
train_cfg = dict(
    _delete_=True, type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=500, max_keep_ckpts=2))
log_processor = dict(by_epoch=False)
# On CPUs, 2.5 times faster together.
optim_wrapper = dict(type='AutocastOptimWrapper')
custom_hooks = [dict(type='ChannelsLastHook')]
