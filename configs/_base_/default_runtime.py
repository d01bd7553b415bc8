_base_ = 'mmtrack::_base_/default_runtime.py'
default_scope = 'siampolarmask_mm'

randomness = dict(seed=0)
visualizer = dict(
    _delete_=True,
    type='MaskVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
)
