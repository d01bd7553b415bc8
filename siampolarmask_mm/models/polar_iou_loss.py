"""PolarIoULoss: how far predicted rays are from the true ones, as one ratio."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from siampolarmask_mm.registry import MODELS


@MODELS.register_module()
class PolarIoULoss(nn.Module):
    """log(sum max(d, d*) / sum min(d, d*)) over the rays of a star.

    Args:
        power: exponent of the lengths. 1 is the paper's; 2, which published code uses,
            compares sums of squares.
        loss_weight: factor of the result.

    Raises:
        ValueError: if ``power`` is not above 0.

    Source: SiamPolarMask, eq. 5, after PolarMask (arXiv:1909.13226).
    """

    def __init__(self, power: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        if power <= 0:
            raise ValueError(f'power must be above 0, got {power}')
        self.power = power
        self.loss_weight = loss_weight

    def forward(
        self,
        rays: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: Tensor | float | None = None,
    ) -> Tensor:
        """Weighted mean over the stars.

        Args:
            rays: (P, K) predicted lengths in pixels, above 0.
            target: (P, K) true lengths in pixels, not negative.
            weight: (P,) of each star; equal if not given.
            avg_factor: what the sum is divided by; the sum of weights if not given.

        Returns:
            A scalar; 0, with gradients of 0, if there is no star.
        """
        if weight is None:
            weight = rays.new_ones(len(rays))
        if avg_factor is None:
            avg_factor = weight.sum()
        larger = torch.maximum(rays, target).pow(self.power).sum(-1).clamp_min(1e-6)
        smaller = torch.minimum(rays, target).pow(self.power).sum(-1).clamp_min(1e-6)
        loss = ((larger.log() - smaller.log()) * weight).sum()
        return self.loss_weight * loss / max(float(avg_factor), 1e-6)
