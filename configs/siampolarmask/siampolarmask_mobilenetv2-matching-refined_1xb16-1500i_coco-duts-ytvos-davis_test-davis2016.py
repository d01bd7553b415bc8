"""The fourth stage: a refiner learns to redraw the masks of the third stage's network."""

_base_ = './siampolarmask_mobilenetv2-matching-augmented_1xb16-2000i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 1500

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching-augmented_1xb16-2000i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_2000.pth'
)
model = dict(
    backbone=dict(out_indices=(0, 1, 2, 4)),
    refiner=dict(type='MaskRefiner'),
    losses=dict(refined=dict(type='NearMaskLoss')),
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=0.001))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
custom_hooks = [
    dict(type='ChannelsLastHook'),
    dict(type='FreezeHook', parts=['backbone', 'neck', 'head']),
    dict(type='EMAHook', momentum=0.002),
]
randomness = dict(seed=3)  # other pairs than the stages' before
