# The network that comes with the package, at a finer scale than it was trained at: it sees
# one and a half times as many pixels of an object, in a search crop that is 1.7 times the
# template, not twice, which saves time.

_base_ = './siampolarmask_mobilenetv2-matching-refined.py'

model = dict(
    template_size=193,  # pixels
    search_size=321,  # pixels
    decoder=dict(reach=3.0, edges=dict(radius=6, subsample=3)),
)
