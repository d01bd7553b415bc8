# Testing on DAVIS-2016: all labels are one object; masks and boxes from one run.

davis_root = 'data/DAVIS/'

test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmtrack.LoadTrackAnnotations', with_mask=True),
    dict(type='mmtrack.PackTrackInputs', pack_single_img=True),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='mmtrack.VideoSampler'),
    dataset=dict(
        type='DAVISDataset',
        data_root=davis_root,
        ann_file='ImageSets/2016/val.txt',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = [
    dict(type='DAVISMetric'),
    dict(
        type='mmtrack.SOTMetric', metric='OPE', metric_options=dict(only_eval_visible=True)
    ),
]
test_cfg = dict(type='TestLoop')
