"""The third stage: pairs that differ more, and weights averaged over iterations."""

_base_ = './siampolarmask_mobilenetv2-matching_1xb16-3000i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 2000

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching-unfrozen_1xb16-600i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_600.pth'
)

_changes = dict(
    MoveStill=dict(prob=0.6, max_gap=40),
    Occlude=dict(prob=0.2),
    CropPair=dict(max_scale=(0.1, 0.3), max_angle=(5, 25)),
    ColorJitterPair=dict(brightness=0.4, contrast=0.4, saturation=0.4),
)
_pipeline = [dict(step, **_changes.get(step['type'], {})) for step in _base_.train_pipeline]
_dense_videos = [dict(_pipeline[0], max_gap=60), *_pipeline[1:]]
_coco, _duts, _ytvos, _davis = _base_.train_dataloader.dataset.dataset.datasets
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            dataset_sampling_weights=[45, 15, 30, 10],
            datasets=[
                dict(_coco, pipeline=_pipeline),
                dict(_duts, pipeline=_pipeline),
                dict(_ytvos, pipeline=_dense_videos),
                dict(_davis, pipeline=_pipeline),
            ],
        )
    ),
)
model = dict(
    backbone=dict(init_cfg=None),  # all weights come from the second stage
    previous_mask=dict(unknown=0.35, far=0.25),
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=0.0005))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EMAHook', momentum=0.002)]
randomness = dict(seed=2)  # other pairs than the first stages'
