# Ours: unions of stars, and search locations matched with the first frame's mask.

_base_ = './siampolarmask_mobilenetv2.py'

channels = 96  # a light head: a frame takes 25 ms on two CPU threads, fused

model = dict(
    backbone=dict(out_indices=(2, 4)),  # layers 5 and 6 would more than double the time
    neck=dict(in_channels=[32, 96], out_channels=channels),
    head=dict(
        in_channels=channels,
        num_levels=2,
        num_rays=72,
        feat_channels=channels,
        num_convs=3,
        matching=dict(type='MaskMatching', use_previous=True),
    ),
    assigner=dict(representation='visible_union', centerness='opposite', balance='equal'),
    decoder=dict(
        decoding='visible_union',
        fusion='vote',
        reach=4.0,
        edges=dict(type='GuidedFilter'),
    ),
    previous_mask=dict(type='PreviousMask'),
    segment_boxes=True,
    lost_and_found=dict(type='LostAndFound'),
    # Averaged over all locations, most of which are easy, the loss of scores is small.
    losses=dict(score=dict(loss_weight=4.0)),
)
