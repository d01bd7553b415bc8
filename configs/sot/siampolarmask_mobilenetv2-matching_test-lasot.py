"""Ours on LaSOT, with mmtrack's dataset and metric."""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_mobilenetv2-matching-finer.py',
    'mmtrack::_base_/datasets/lasot.py',
]
