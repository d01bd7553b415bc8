"""The paper's first stage with MobileNetV2 at stride 8 instead of ResNet-50."""

_base_ = './siampolarmask_r50_1xb64-100e_coco_test-davis2016.py'

template_size = 129  # pixels; with 257, template and search align (8 n + 1)
search_size = 257  # pixels

model = dict(
    template_size=template_size,
    search_size=search_size,
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        _delete_=True,
        type='SOTMobileNetV2',
        frozen_stages=7,
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://mmdet/mobilenet_v2'),
    ),
    neck=dict(in_channels=[32, 96, 320]),
)

train_pipeline = [
    dict(step, template_size=template_size, search_size=search_size)
    if step['type'] == 'CropPair'
    else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
