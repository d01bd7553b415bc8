"""The network that comes with the package, at a finer scale than it was trained at."""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_mobilenetv2-matching-finer.py',
    '../_base_/datasets/davis2016_test.py',
]
