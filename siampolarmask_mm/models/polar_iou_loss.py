"""Losses that compare predicted stars with true ones as one ratio."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from siampolarmask_mm.polar import area_iou
from siampolarmask_mm.registry import MODELS


class _StarLoss(nn.Module, ABC):
    """Weighted mean of a loss per star."""

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    @abstractmethod
    def per_star(self, rays: Tensor, target: Tensor) -> Tensor:
        """(P,) the loss of stars (P, K), in float32 or better."""

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
            A scalar; 0, with gradients of 0, if there is no star. Half precision is
            computed in float32.
        """
        dtype = torch.promote_types(rays.dtype, torch.float32)
        rays, target = rays.to(dtype), target.to(dtype)
        if weight is None:
            weight = rays.new_ones(len(rays))
        if avg_factor is None:
            avg_factor = weight.sum()
        loss = (self.per_star(rays, target) * weight).sum()
        return self.loss_weight * loss / max(float(avg_factor), 1e-6)


@MODELS.register_module()
class PolarIoULoss(_StarLoss):
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
        super().__init__(loss_weight)
        if power <= 0:
            raise ValueError(f'power must be above 0, got {power}')
        self.power = power

    def per_star(self, rays: Tensor, target: Tensor) -> Tensor:
        """(P,) eq. 5 of stars (P, K)."""
        # As shares of the longest ray, whose powers neither overflow nor vanish.
        longest = torch.maximum(rays, target).detach().amax(-1, keepdim=True)
        longest = torch.where(longest > 0, longest, 1)
        rays, target = rays / longest, target / longest
        larger = torch.maximum(rays, target).pow(self.power).sum(-1).clamp_min(1e-6)
        smaller = torch.minimum(rays, target).pow(self.power).sum(-1).clamp_min(1e-6)
        return larger.log() - smaller.log()


@MODELS.register_module()
class AreaIoULoss(_StarLoss):
    """-log of the IoU of the areas of two stars, exactly.

    Args:
        loss_weight: factor of the result.

    Source: SiamPolarMask, eq. 2 and 3, of which eq. 4 and 5 are a simpler form.
    """

    def per_star(self, rays: Tensor, target: Tensor) -> Tensor:
        """(P,) -log IoU of stars (P, K)."""
        return -area_iou(rays, target).clamp_min(1e-6).log()
