# SiamPolarMask as in the paper: ResNet-50 frozen from ImageNet, 36 rays, one star.

model = dict(
    type='SiamPolarMask',
    data_preprocessor=dict(
        type='CropPreprocessor'
    ),  # the backbone's weights take BGR, 0 to 255
    backbone=dict(
        type='mmtrack.SOTResNet',
        depth=50,
        out_indices=(1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        frozen_stages=4,
        unfreeze_backbone=False,
        norm_eval=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmtracking/pretrained_weights/sot_resnet50.model',
        ),
    ),
    neck=dict(
        type='mmdet.ChannelMapper',
        in_channels=[512, 1024, 2048],
        out_channels=256,
        kernel_size=1,
        norm_cfg=dict(type='BN'),
        act_cfg=None,
    ),
    head=dict(type='PolarHead', in_channels=256),
    assigner=dict(type='PolarTargetAssigner'),
    decoder=dict(type='PolarDecoder'),
    losses=dict(  # weights of eq. 6
        score=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        centerness=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        rays=dict(type='PolarIoULoss', loss_weight=1.5),
    ),
    inference=dict(channels_last=True, fuse_conv_bn=True),  # the same, but faster
)
