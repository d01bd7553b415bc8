"""The second stage: the backbone's later layers learn as well, at a tenth of the rate."""

_base_ = './siampolarmask_mobilenetv2-matching_1xb16-3000i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

max_iters = 600

load_from = (
    'work_dirs/siampolarmask_mobilenetv2-matching_1xb16-3000i_'
    'coco-duts-ytvos-davis_test-davis2016/iter_3000.pth'
)

# All weights, the backbone's too, come from the first stage.
model = dict(backbone=dict(frozen_stages=2, init_cfg=None))
optim_wrapper = dict(
    optimizer=dict(lr=0.0002),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters),
]
default_hooks = dict(checkpoint=dict(interval=100))
randomness = dict(seed=1)  # other pairs than the first stage's
