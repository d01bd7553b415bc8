"""The sixth stage: all but the backbone, which is frozen again, goes on."""

_base_ = './siampolarmask_mobilenetv2-matching-refined_1xb16-1500i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 2600

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching-refined-unfrozen_1xb256-235i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_235.pth'
)
model = dict(refiner=dict(max_pairs=8))  # of 16, to save time
train_dataloader = dict(
    num_workers=1,
    dataset=dict(dataset=dict(dataset_sampling_weights=[50, 20, 22, 8])),
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=0.0005))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=-1))  # 2,200 is taken
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EMAHook', momentum=0.002)]
randomness = dict(seed=5)  # other pairs than the stages' before
