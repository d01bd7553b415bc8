"""mmtrack's SiamRPN++ on DAVIS-2016, its boxes scored as filled boxes, for comparison."""

_base_ = [
    'mmtrack::sot/siamese_rpn/siamese-rpn_r50_8xb28-20e_imagenetvid-imagenetdet-coco_base.py',
    '../_base_/datasets/davis2016_test.py',
]
default_scope = 'siampolarmask_mm'
# mmengine's own choice of device_ids wants a GPU.
model_wrapper_cfg = dict(
    type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
)
