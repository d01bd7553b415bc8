# The paper's model with MobileNetV2 at stride 8 instead of ResNet-50.

_base_ = './siampolarmask_r50.py'

model = dict(
    template_size=129,  # pixels; with 257, template and search align (8 n + 1)
    search_size=257,  # pixels
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
