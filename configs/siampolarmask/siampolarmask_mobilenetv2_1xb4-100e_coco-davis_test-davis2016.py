"""The paper's second stage with MobileNetV2: the first stage's network on DAVIS."""

_base_ = './siampolarmask_mobilenetv2_1xb64-100e_coco_test-davis2016.py'

load_from = (
    'work_dirs/siampolarmask_mobilenetv2_1xb64-100e_coco_test-davis2016/epoch_100.pth'
)

train_dataloader = dict(
    batch_size=4,
    dataset=dict(
        _delete_=True,
        type='DAVISDataset',
        data_root=_base_.davis_root,
        ann_file='ImageSets/2017/train.txt',
        objects='each',
        pipeline=_base_.train_pipeline,
    ),
)
