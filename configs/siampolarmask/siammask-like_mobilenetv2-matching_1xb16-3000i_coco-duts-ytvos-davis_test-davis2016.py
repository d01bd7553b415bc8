"""For comparison: a mask of 63 x 63 cells at every location, as SiamMask has it."""

_base_ = './siampolarmask_mobilenetv2-matching_1xb16-3000i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

model = dict(
    head=dict(type='MaskVectorHead', cells=63, cell_size=2),  # of 126 pixels
    decoder=dict(_delete_=True, type='MaskVectorDecoder', edges=dict(type='GuidedFilter')),
    losses=dict(
        _delete_=True,
        score=_base_.model.losses.score,
        centerness=_base_.model.losses.centerness,
        # The weight is SiamMask's (arXiv:1812.05050).
        mask=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True, loss_weight=32.0),
    ),
)
