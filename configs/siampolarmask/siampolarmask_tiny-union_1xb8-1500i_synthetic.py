"""The network of make demo, whose objects are unions of what their locations see."""

_base_ = './siampolarmask_tiny_1xb8-1500i_synthetic.py'

model = dict(
    assigner=dict(representation='visible_union', centerness='opposite'),
    decoder=dict(decoding='visible_union'),
)
