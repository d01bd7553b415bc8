"""The seventh stage: of some objects, only a part was found in the frame before."""

_base_ = './siampolarmask_mobilenetv2-matching-refined-longer_1xb16-2600i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 1300

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching-refined-longer_1xb16-2600i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_2200.pth'
)
model = dict(previous_mask=dict(partial=0.3), refiner=dict(max_pairs=4))
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EMAHook', momentum=0.003)]
randomness = dict(seed=6)  # other pairs than the stages' before
