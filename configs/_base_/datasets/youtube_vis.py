# Training pairs from the videos of YouTube-VIS, the release of 2021 or 2022.

_base_ = './coco_pairs.py'

data_root = 'data/YouTubeVIS/train/'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='YouTubeVISPairDataset',
        data_root=data_root,
        ann_file='instances.json',
        data_prefix=dict(img_path='JPEGImages'),
        min_area=32**2,
        skip_invalid=True,
        pipeline=_base_.train_pipeline,
    ),
)
