"""A detector of mmdet finds objects in the first frame; ours follows and segments them.

What DAVIS gives is neither used nor scored: objects are whatever the detector knows. Every
frame is drawn into the folder vis_data of the work_dir.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/siampolarmask_mobilenetv2-matching-finer.py',
    '../_base_/datasets/davis2016_test.py',
]

model = dict(
    _delete_=True,
    type='DetectThenTrack',
    detector='mmdet::rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py',
    detector_checkpoint=(
        'https://download.openmmlab.com/mmdetection/v3.0/rtmdet/'
        'rtmdet-ins_tiny_8xb32-300e_coco/'
        'rtmdet-ins_tiny_8xb32-300e_coco_20221130_151727-ec670f7e.pth'
    ),
    tracker=_base_.model,
    tracker_checkpoint=None,  # weights that tools/train.py made
    min_score=0.5,
)
test_dataloader = dict(dataset=dict(ann_file='ImageSets/2017/val.txt'))
test_evaluator = []
default_hooks = dict(visualization=dict(draw=True))
