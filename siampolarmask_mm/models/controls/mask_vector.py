"""A binary mask as a vector at every location, as SiamMask has it.

Shape shorthand:
    N: pairs of template and search    H, W: the score map    P: locations with a mask
    M: cells along a side of a mask    S: pixels of a search crop
"""

from __future__ import annotations

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from siampolarmask_mm.models.confidence import spread_scores
from siampolarmask_mm.models.controls.shape_decoder import (
    ShapeDecoder,
    extents,
    star_of_mask,
)
from siampolarmask_mm.models.decoded import Star
from siampolarmask_mm.models.polar_targets import PolarTargets
from siampolarmask_mm.models.siamese_head import Prediction, SiameseHead, init_small
from siampolarmask_mm.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class MaskVectorHead(SiameseHead):
    """Predicts at every location the mask of the object in a window around it.

    The window has a fixed size, whatever the object's: 63 cells of 2 pixels, 126 pixels,
    are a template of 127 or 129 pixels. That is enough, since the template shows the
    object with its context at the search crop's scale. A square object is half as wide as
    the template, so that the window holds all of it from wherever in it the location is.
    From the middle of a box, the window holds boxes up to 8 times as long as wide.

    Args:
        in_channels: the same in every level.
        cells: M, odd, so that a location lies in the middle of a cell.
        cell_size: pixels of the search crop from cell to cell.
        trunk: other arguments of SiameseHead.

    Raises:
        ValueError: if ``cells`` is even.

    Source: SiamMask (arXiv:1812.05050), eq. 3: 63 x 63 cells, two 1x1 convolutions.
    Differs: centerness weighs locations, as it does for stars.
    """

    SHAPE = 'mask'
    TOWER = 'mask_tower'

    def __init__(
        self,
        in_channels: int = 256,
        *,
        cells: int = 63,
        cell_size: int = 2,
        **trunk: object,
    ) -> None:
        if cells % 2 == 0:
            raise ValueError(f'an odd number of cells expected, got {cells}')
        super().__init__(
            in_channels,
            output=lambda channels: nn.Sequential(
                ConvModule(channels, channels, 1), nn.Conv2d(channels, cells**2, 1)
            ),
            **trunk,
        )
        self.cells = cells
        self.cell_size = cell_size

    def init_weights(self) -> None:
        """Small outputs."""
        super().init_weights()
        init_small(self.mask[-1])

    @property
    def decoder_args(self) -> dict[str, object]:
        """Of a MaskVectorDecoder."""
        return dict(num_rays=self.num_rays, cell_size=self.cell_size)

    def predict_shape(self, features: Tensor) -> Tensor:
        """(N, M M, H, W) logits of the cells, row by row."""
        return self.mask(self.mask_tower(features)).float()

    def shape_loss(
        self, loss: nn.Module, prediction: Prediction, targets: PolarTargets, points: Tensor
    ) -> Tensor:
        """Compare the cells within the crop, at the locations with a mask (eq. 3)."""
        image, row, column = targets.outlined.nonzero(as_tuple=True)
        cells, within = self.window_cells(targets.masks, image, points[row, column])
        weight = within.flatten(1) * targets.centerness[:, None]
        return loss(
            prediction.shape[image, :, row, column],
            cells.flatten(1).float(),
            weight,
            avg_factor=weight.sum().clamp_min(1e-6),
        )

    def window_cells(
        self, masks: Tensor, image: Tensor, points: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the windows around points show: the pixel in the middle of each cell.

        Args:
            masks: (N, S, S) boolean.
            image: (P,) which of them a window is in.
            points: (P, 2) in pixels.

        Returns:
            (P, M, M) boolean, and whether the pixel is in the crop; all others are False.
        """
        offsets = torch.arange(self.cells, device=points.device) - self.cells // 2
        pixels = (points[..., None] + offsets * self.cell_size).round().long()  # (P, 2, M)
        height, width = masks.shape[1:]
        limit = pixels.new_tensor([width - 1, height - 1])[:, None]
        inside = (pixels >= 0) & (pixels <= limit)
        x, y = pixels.clamp_min(0).minimum(limit).unbind(1)
        within = inside[:, 1, :, None] & inside[:, 0, None, :]
        return masks[image[:, None, None], y[:, :, None], x[:, None, :]] & within, within


@TASK_UTILS.register_module()
class MaskVectorDecoder(ShapeDecoder):
    """Lays the mask of the chosen location into the search crop.

    Confidence is interpolated between the middles of the cells, and 0 outside of them.

    Args:
        cell_size: pixels of the search crop from cell to cell; the head's.
        choice: arguments of ShapeDecoder.
    """

    def __init__(self, *, cell_size: int = 2, **choice: object) -> None:
        super().__init__(**choice)
        self.cell_size = cell_size

    def sizes(self, prediction: Prediction, points: Tensor) -> Tensor:  # noqa: ARG002
        """Of the boxes around all cells that are more likely inside than not."""
        inside = _as_squares(prediction.shape) > 0  # (M, M, H, W)
        wh = extents(inside.any(0)), extents(inside.any(1))
        return torch.stack(wh, dim=-1) * float(self.cell_size)

    def star(
        self, prediction: Prediction, points: Tensor, location: tuple[int, int]
    ) -> Star:
        """Of the cells that are more likely inside than not."""
        row, column = location
        mask = _as_squares(prediction.shape)[..., row, column] > 0
        middle = points.new_full((2,), len(mask) // 2)
        rays = star_of_mask(mask, middle, self.num_rays)
        return Star(points[location], rays * self.cell_size)

    def raw_confidence(
        self, prediction: Prediction, points: Tensor, location: tuple[int, int], size: int
    ) -> Tensor:
        """Of the location's cells."""
        row, column = location
        cells = _as_squares(prediction.shape)[..., row, column].sigmoid()
        corner = points[location] - len(cells) // 2 * self.cell_size
        return spread_scores(cells, corner.view(1, 1, 2), self.cell_size, size)


def _as_squares(vectors: Tensor) -> Tensor:
    """(M, M, H, W) the cells, by row and column, of (M M, H, W)."""
    side = round(len(vectors) ** 0.5)
    return vectors.unflatten(0, (side, side))
