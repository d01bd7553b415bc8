"""ResNet-50 on images and videos at once, some with boxes alone, in place of two stages."""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_r50.py',
    '../_base_/datasets/mixed.py',
    '../_base_/datasets/davis2016_test.py',
    '../_base_/schedules/sgd_100e.py',
]
