"""Ours: unions of stars, and search locations matched with the first frame's mask."""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_mobilenetv2-matching.py',
    '../_base_/datasets/coco_pairs.py',
    '../_base_/datasets/davis2016_test.py',
    '../_base_/schedules/sgd_100e.py',
]

max_epochs = 12

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(
        type='CropPair',
        template_size=_base_.model.template_size,
        search_size=_base_.model.search_size,
    ),
    *_base_.train_pipeline[3:],
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
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
