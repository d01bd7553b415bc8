"""The paper's first stage: ResNet-50 on COCO, 100 epochs of batches of 64."""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_r50.py',
    '../_base_/datasets/coco_pairs.py',
    '../_base_/datasets/davis2016_test.py',
    '../_base_/schedules/sgd_100e.py',
]
