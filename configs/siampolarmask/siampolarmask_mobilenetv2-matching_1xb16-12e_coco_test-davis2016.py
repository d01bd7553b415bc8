"""Ours: unions of stars, and search locations matched with the first frame's mask."""

_base_ = './siampolarmask_mobilenetv2_1xb64-100e_coco_test-davis2016.py'

max_epochs = 12
num_rays = 72
channels = 96  # a light head: a frame takes 25 ms on two CPU threads, fused

model = dict(
    backbone=dict(out_indices=(2, 4)),  # layers 5 and 6 would more than double the time
    neck=dict(in_channels=[32, 96], out_channels=channels),
    head=dict(
        in_channels=channels,
        num_levels=2,
        num_rays=num_rays,
        feat_channels=channels,
        num_convs=3,
        matching=dict(type='MaskMatching'),
    ),
    assigner=dict(representation='visible_union', centerness='opposite', balance='equal'),
    decoder=dict(decoding='visible_union'),
    # Averaged over all locations, most of which are easy, the scores' loss is small.
    losses=dict(score=dict(loss_weight=4.0)),
)

train_dataloader = dict(batch_size=16)
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=0.001, weight_decay=0.0001)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=0,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
