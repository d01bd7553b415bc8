"""The fifth stage: all but the backbone goes on, so that head and refiner fit each other."""

_base_ = './siampolarmask_mobilenetv2-matching-refined_1xb16-1500i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 3000

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching-refined_1xb16-1500i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_1500.pth'
)
model = dict(refiner=dict(max_pairs=8))  # of 16, to save time
train_dataloader = dict(
    num_workers=1,
    dataset=dict(dataset=dict(dataset_sampling_weights=[50, 20, 22, 8])),
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EMAHook', momentum=0.002)]
randomness = dict(seed=4)  # other pairs than the stages' before
