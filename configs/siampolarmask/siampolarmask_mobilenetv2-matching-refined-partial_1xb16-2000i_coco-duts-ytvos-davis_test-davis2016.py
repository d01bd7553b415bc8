"""The fifth stage: head and refiner go on, and of some objects only a part was found."""

_base_ = './siampolarmask_mobilenetv2-matching-refined_1xb16-1500i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 2000

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching-refined_1xb16-1500i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_1500.pth'
)
model = dict(
    previous_mask=dict(partial=0.3),
    refiner=dict(max_pairs=4),  # of 16, to save time
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=0.0005))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EMAHook', momentum=0.002)]
randomness = dict(seed=4)  # other pairs than the stages' before
