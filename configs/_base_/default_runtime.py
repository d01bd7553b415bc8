_base_ = 'mmtrack::_base_/default_runtime.py'
default_scope = 'siampolarmask_mm'

randomness = dict(seed=0)
# mmengine's own choice of device_ids wants a GPU.
model_wrapper_cfg = dict(
    type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
)
visualizer = dict(
    _delete_=True,
    type='MaskVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
)
