"""The paper's first stage with MobileNetV2 at stride 8 instead of ResNet-50."""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_mobilenetv2.py',
    '../_base_/datasets/coco_pairs.py',
    '../_base_/datasets/davis2016_test.py',
    '../_base_/schedules/sgd_100e.py',
]

train_pipeline = [
    dict(
        step,
        template_size=_base_.model.template_size,
        search_size=_base_.model.search_size,
    )
    if step['type'] == 'CropPair'
    else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
