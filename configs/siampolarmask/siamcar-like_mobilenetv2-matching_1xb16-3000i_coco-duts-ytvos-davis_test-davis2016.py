"""For comparison: a box at every location, as SiamCAR has it; the mask is the box."""

_base_ = './siampolarmask_mobilenetv2-matching_1xb16-3000i_coco-duts-ytvos-davis_test-davis2016.py'  # noqa: E501

model = dict(
    head=dict(type='BoxHead'),
    decoder=dict(_delete_=True, type='BoxDecoder'),
    losses=dict(
        _delete_=True,
        score=_base_.model.losses.score,
        centerness=_base_.model.losses.centerness,
        # The weight is SiamCAR's (arXiv:1911.07241).
        box=dict(type='mmdet.IoULoss', loss_weight=3.0),
    ),
)
