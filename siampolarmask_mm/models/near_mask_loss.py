"""NearMaskLoss: how far a mask's pixels are off, where there is anything to tell.

Shape shorthand:
    N: search crops    S: pixels of a search crop
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, max_pool2d

from siampolarmask_mm.registry import MODELS

SEEN = 0.1  # confidence before it was redrawn, from which a pixel might be the object's


@MODELS.register_module()
class NearMaskLoss(nn.Module):
    """Cross-entropy and soft overlap of pixels near the object, or what was taken for it.

    Each crop counts the same, however large its object is.

    Args:
        reach: pixels of the crop, along each axis, that are near.
        overlap_weight: of 1 - soft IoU beside the mean cross-entropy.
        loss_weight: of the sum.

    Source: of the soft IoU, Rahman and Wang (ISVC 2016), eq. 3.
    """

    def __init__(
        self, reach: int = 16, overlap_weight: float = 1.0, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.reach = reach
        self.overlap_weight = overlap_weight
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, truth: Tensor, before: Tensor) -> Tensor:
        """Compare.

        Args:
            logits: (N, S, S).
            truth: (N, S, S) boolean, none empty.
            before: (N, S, S) confidence before it was redrawn, from 0 to 1.
        """
        near = self._near(truth | (before > SEEN)).to(logits)
        truth = truth.to(logits)
        wrong = binary_cross_entropy_with_logits(logits, truth, reduction='none')
        entropy = (wrong * near).sum((1, 2)) / near.sum((1, 2))
        share = logits.sigmoid() * near
        both = (share * truth).sum((1, 2))
        overlap = both / (share + truth).sum((1, 2)).sub(both)
        loss = entropy + self.overlap_weight * (1 - overlap)
        return self.loss_weight * loss.mean()

    def _near(self, objects: Tensor) -> Tensor:
        """(N, S, S) boolean."""
        coarse = max_pool2d(objects[:, None].float(), 4, ceil_mode=True)
        side = 2 * -(-self.reach // 4) + 1
        near = max_pool2d(coarse, side, 1, side // 2)
        rows = torch.arange(objects.shape[-1], device=objects.device) // 4
        return near[:, 0][:, rows[:, None], rows] > 0
