# Training pairs from the videos of YouTube-VOS.

_base_ = './coco_pairs.py'

data_root = 'data/YouTubeVOS/train/'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='YouTubeVOSDataset',
        data_root=data_root,
        min_area=32**2,
        pipeline=_base_.train_pipeline,
    ),
)
