"""Short clips out of still images: an object moved over another image."""

from __future__ import annotations

import numpy as np

from siampolarmask_mm.datasets.layers import paint
from siampolarmask_mm.datasets.mask_tracks import MaskTrackDataset
from siampolarmask_mm.datasets.reproducible import seeded
from siampolarmask_mm.datasets.synthetic import Clip
from siampolarmask_mm.datasets.transforms.cropping import read_frame
from siampolarmask_mm.datasets.transforms.moving import MoveStill


class StillClips:
    """Draws clips, as `siampolarmask_mm.datasets.synthetic.write_davis` writes them.

    Args:
        stills: a dataset of still images with masks, without a pipeline; at least two.
        mover: how the objects move.
    """

    def __init__(self, stills: MaskTrackDataset, mover: MoveStill | None = None) -> None:
        self.stills = stills
        self.mover = mover or MoveStill()

    def __call__(self, rng: np.random.Generator, num_frames: int) -> Clip:
        """A clip of one object over an image that does not show it.

        Args:
            rng: decides everything.
            num_frames: how many.

        Raises:
            ValueError: if all objects are in one image.
        """
        with seeded((int(rng.integers(2**31)),)):
            video, other = self.stills[np.random.randint(len(self.stills))]
            if other['img_paths'] == video['img_paths']:
                raise ValueError('objects of at least two images expected, got one image')
            still, background = (read_frame(v['img_paths'][0]) for v in (video, other))
            layers = self.mover.draw_layers(
                dict(bbox=video['bboxes'][0], mask=video['masks'][0]),
                still,
                background,
                range(num_frames),
            )
        for layer in layers:
            yield paint(background, None, [layer], np.eye(3))
