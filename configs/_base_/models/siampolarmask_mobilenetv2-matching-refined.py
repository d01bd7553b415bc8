# Ours, refined: masks are redrawn by the backbone's first layers.

_base_ = './siampolarmask_mobilenetv2-matching.py'

model = dict(
    backbone=dict(out_indices=(0, 1, 2, 4)),
    refiner=dict(type='MaskRefiner'),
    losses=dict(refined=dict(type='NearMaskLoss')),
)
