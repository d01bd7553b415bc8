# Training pairs from the instances of COCO's images.

data_root = 'data/coco/'

train_pipeline = [
    dict(type='SamplePair', max_gap=100, negative_prob=0.2, min_size=16),  # frames; pixels
    dict(type='LoadPair'),
    dict(type='MoveStill', prob=0.3),
    dict(type='Occlude', prob=0.1),
    dict(
        type='CropPair',
        max_shift=(4, 64),  # pixels of template and search crop
        max_scale=(0.05, 0.18),
        max_angle=(0, 10),  # degrees
    ),
    dict(type='ColorJitterPair'),
    dict(type='BlurPair', prob=(0, 0.2)),
    dict(type='mmtrack.PackTrackInputs', ref_prefix='search', num_template_frames=1),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='NumberedSampler', sampler=dict(type='DefaultSampler', shuffle=True)),
    collate_fn=dict(type='stack_pairs'),
    dataset=dict(
        type='CocoPairDataset',
        data_root=data_root,
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img_path='train2017'),
        min_area=32**2,
        skip_invalid=True,
        pipeline=train_pipeline,
    ),
)
