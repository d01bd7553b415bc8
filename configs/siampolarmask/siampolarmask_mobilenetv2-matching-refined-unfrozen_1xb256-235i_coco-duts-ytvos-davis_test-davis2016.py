"""The fifth stage, on a GPU: the later half of the backbone, too, in large batches."""

_base_ = './siampolarmask_mobilenetv2-matching-refined_1xb16-1500i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 235

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching-refined_1xb16-1500i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_1500.pth'
)
model = dict(backbone=dict(frozen_stages=2), refiner=dict(max_pairs=32))  # uniting stars of more holds up a GPU
train_dataloader = dict(
    batch_size=256,
    num_workers=14,
    dataset=dict(dataset=dict(dataset_sampling_weights=[50, 20, 22, 8])),
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.05))))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, end=20),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=0, end=max_iters),
]
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EMAHook', momentum=0.01)]
