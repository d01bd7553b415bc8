# The network that comes with the package, at a finer scale than it was trained at: objects
# are one and a half times as wide and high in pixels. The search crop is 1.7 times the
# template, not twice, which saves time.

_base_ = './siampolarmask_mobilenetv2-matching-refined.py'

model = dict(
    template_size=193,  # pixels
    search_size=321,  # pixels
    largest_scale=1.5,
    decoder=dict(
        reach=3.0,  # strides; with 4 as good, and slower
        edges=dict(radius=6, subsample=3),  # pixels; with 8 and 2 as good, and slower
    ),
)
