"""A network that learns synthetic clips on a CPU in minutes; make demo runs it."""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_r50.py',
    '../_base_/datasets/coco_pairs.py',
    '../_base_/datasets/davis2016_test.py',
]

data_root = 'work_dirs/demo/clips/'
max_iters = 1500
template_size = 65  # pixels
search_size = 129  # pixels
channels = 48

model = dict(
    template_size=template_size,
    search_size=search_size,
    template_cells=5,
    calibrate_size=True,
    data_preprocessor=dict(mean=[127.0] * 3, std=[64.0] * 3),
    backbone=dict(
        _delete_=True,
        type='mmdet.ResNet',
        depth=18,
        base_channels=16,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1,),
        frozen_stages=-1,
    ),
    neck=dict(in_channels=[32], out_channels=channels),
    head=dict(in_channels=channels, num_levels=1, feat_channels=channels, num_convs=2),
)

train_pipeline = [
    dict(type='SamplePair'),
    dict(type='LoadPair'),
    dict(
        type='CropPair',
        template_size=template_size,
        search_size=search_size,
        max_shift=(2, 32),
    ),
    dict(type='ColorJitterPair'),
    dict(type='mmtrack.PackTrackInputs', ref_prefix='search', num_template_frames=1),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,  # the network keeps both cores of a small machine busy
    persistent_workers=False,
    sampler=dict(type='NumberedSampler', sampler=dict(type='InfiniteSampler')),
    dataset=dict(
        _delete_=True,
        type='DAVISDataset',
        data_root=data_root,
        ann_file='ImageSets/2017/train.txt',
        objects='each',
        pipeline=train_pipeline,
    ),
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.0001),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=250, max_keep_ckpts=1),
    logger=dict(interval=100),
)
log_processor = dict(by_epoch=False)

test_dataloader = dict(
    num_workers=1,
    dataset=dict(data_root=data_root, ann_file='ImageSets/2017/val.txt', objects='all'),
)
