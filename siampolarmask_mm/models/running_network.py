"""RunningNetwork: a network on crops of all objects of a frame, in one pass.

Shape shorthand:
    N: objects    R: templates of all of them    h, w: the image    S: pixels of a crop
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from siampolarmask_mm.crops import Crop, mean_color
from siampolarmask_mm.models.inference import Inference
from siampolarmask_mm.models.previous_mask import tell
from siampolarmask_mm.models.siamese_head import Prediction
from siampolarmask_mm.models.tracked_object import TrackedObject
from siampolarmask_mm.threads import in_threads

if TYPE_CHECKING:
    from siampolarmask_mm.models.siam_polarmask import SiamPolarMask


class RunningNetwork:
    """Shows a network what it needs in tracking, and brings what it says to the CPU.

    Args:
        network: that looks.
        inference: how it is run.

    Attributes:
        model: the network as it is run, see `Inference`.
    """

    def __init__(self, network: SiamPolarMask, inference: Inference) -> None:
        self.network = network
        self.inference = inference
        self.model = network

    def renew(self) -> None:
        """Take over the network's current weights."""
        self.model = self.inference.prepare(self.network)

    def cut(self, frame: Tensor, crops: Sequence[Crop]) -> np.ndarray:
        """(N, S, S, 3) crops of one frame as read, (1, 3, h, w) or (1, 1, h, w)."""
        image = as_image(frame)
        outside = mean_color(image) if len(crops) > 1 else None  # once for all
        cut = np.stack(in_threads(lambda crop: crop.cut(image, outside), crops))
        if image.shape[-1] == 1:
            cut = np.repeat(cut.reshape(*cut.shape[:3], 1), 3, axis=-1)
        return cut

    def prepare(self, images: np.ndarray) -> Tensor:
        """(N, 3, S, S) normalized, of crops (N, S, S, 3) as read."""
        return self.inference.layout(self.network.data_preprocessor.normalize(images))

    def templates(self, images: np.ndarray, masks: Tensor) -> list[tuple[Tensor, ...]]:
        """A template of one row for each of N crops (N, S, S, 3) with masks (N, S, S)."""
        with self.inference.context(self.network.data_preprocessor.device):
            levels = self.model.extract_template(self.prepare(images), masks)
        return [tuple(level[i : i + 1] for level in levels) for i in range(len(images))]

    def predict(
        self,
        objects: Sequence[TrackedObject],
        crops: Sequence[Crop],
        images: np.ndarray,
        tell_previous: bool,
    ) -> tuple[Prediction, tuple[Tensor, ...] | None]:
        """What the network says of N objects.

        Args:
            objects: N.
            crops: N, their search crops.
            images: (N, S, S, 3) of these crops, as read.
            tell_previous: whether a network that looks at the mask of the frame before is
                told it.

        Returns:
            Predictions of R rows, on the CPU, see `rows_of`; and, for a MaskRefiner, what
            is seen of each object: the fine features, and the head's, of its first
            template.
        """
        rows = rows_of(objects)
        of = [i for i, own in enumerate(rows) for _ in own]
        template = tuple(
            torch.cat(level)
            for level in zip(*(t for item in objects for t in item.templates), strict=True)
        )
        with self.inference.context(self.network.data_preprocessor.device):
            fine, search = self.model.see(self.prepare(images))
            if len(of) > len(objects):
                search = tuple(level[of] for level in search)
            previous = None
            if tell_previous and self.network.previous_mask is not None:
                previous = self._previous(objects, crops, template, search)[of]
            head, seen = self.model.head, None
            if self.model.refiner is None:  # hooks of the head are heard
                prediction = head(template, search, previous)
            else:
                features = head.compare(template, search, previous)
                prediction = head.predict(features)
                seen = *fine, features[[own.start for own in rows]]
        # The only wait for the device in a frame, but for that of a MaskRefiner.
        return type(prediction)(*(part.float().cpu() for part in prediction)), seen

    def _previous(
        self,
        objects: Sequence[TrackedObject],
        crops: Sequence[Crop],
        template: tuple[Tensor, ...],
        search: tuple[Tensor, ...],
    ) -> Tensor:
        """(N, 2, H, W) the masks of the frame before, as the head takes them."""
        head = self.network.head
        cells = head.num_locations(template, search)
        shares = in_threads(
            lambda item, crop: item.previous_shares(crop, cells, head.stride),
            objects,
            crops,
        )
        known = torch.tensor([part is not None for part in shares])
        shares = [torch.zeros(cells) if part is None else part for part in shares]
        return tell(torch.stack(shares), known).to(search[0].device)

    def refine(
        self, raw: Sequence[Tensor | None], seen: tuple[Tensor, ...] | None
    ) -> list[Tensor | None]:
        """Confidences of N objects (S, S), redrawn by what was seen of each.

        Args:
            raw: N, of the decoder.
            seen: of `predict`.

        Returns:
            N; None where nothing is to be redrawn.
        """
        if seen is None or raw[0] is None:
            return [None] * len(raw)
        *fine, features = seen
        with self.inference.context(features.device):
            logits = self.model.refiner(
                torch.stack(list(raw)).to(features.device), fine, features
            )
            return list(logits.float().sigmoid().cpu())


def as_image(frame: Tensor) -> np.ndarray:
    """(h, w, 3), or (h, w, 1), of a frame as read, (1, 3, h, w) or (1, 1, h, w)."""
    image = frame[0].permute(1, 2, 0).cpu().numpy()
    if image.shape[-1] not in (1, 3):
        raise ValueError(f'a frame of 3 channels, or 1, expected, got {image.shape[-1]}')
    return image


def rows_of(objects: Sequence[TrackedObject]) -> list[range]:
    """Where each object's templates are among those of all."""
    ends = list(itertools.accumulate(len(item.templates) for item in objects))
    return [range(*pair) for pair in itertools.pairwise([0, *ends])]
