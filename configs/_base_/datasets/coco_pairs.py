# Training pairs from the instances of COCO's images.

data_root = 'data/coco/'

train_pipeline = [
    dict(type='SamplePair'),
    dict(
        type='TransformBroadcaster',
        share_random_params=False,
        transforms=[
            dict(type='LoadImageFromFile'),
            dict(type='mmtrack.LoadTrackAnnotations', with_mask=True),
        ],
    ),
    dict(type='CropPair'),
    dict(type='mmtrack.SeqColorAug', prob=[1.0, 1.0]),
    dict(type='mmtrack.PackTrackInputs', ref_prefix='search', num_template_frames=1),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
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
