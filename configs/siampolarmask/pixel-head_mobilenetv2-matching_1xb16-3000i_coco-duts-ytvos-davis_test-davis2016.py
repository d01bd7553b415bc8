"""For comparison: a logit for every second pixel along each axis, instead of shapes."""

_base_ = './siampolarmask_mobilenetv2-matching_1xb16-3000i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

model = dict(
    head=dict(type='PixelHead', pixel_stride=2),
    decoder=dict(_delete_=True, type='PixelDecoder', edges=dict(type='GuidedFilter')),
    losses=dict(
        _delete_=True,
        score=_base_.model.losses.score,
        centerness=_base_.model.losses.centerness,
        # Averaged over all pixels, most of which are easy, the loss is small.
        pixels=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True, loss_weight=4.0),
    ),
)
