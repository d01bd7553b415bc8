# Training pairs from the images of DUTS-TR, one salient object each.

_base_ = './coco_pairs.py'

data_root = 'data/DUTS-TR/'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SaliencyPairDataset',
        data_root=data_root,
        min_area=32**2,
        skip_invalid=True,
        pipeline=_base_.train_pipeline,
    ),
)
