"""From the image's frame to a crop's and back: boxes, points, images and masks.

A crop is a square window of the image, resized: a similarity without rotation. It is
sampled once, from the image, with bilinear interpolation and the image's mean color
outside. Training and test use this one function.

Conventions are those of ``siampolarmask_mm.polar``: pixel centers have integer
coordinates, so the middle of a crop of S pixels is at (S - 1) / 2 and the center of a box,
as a point, is half a pixel before the middle of its edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Crop:
    """A square window of an image.

    Attributes:
        center: (x, y) of its middle, in pixels of the image.
        scale: pixels of the crop per pixel of the image.
        size: width and height of the crop, in its own pixels.
    """

    center: tuple[float, float]
    scale: float
    size: int

    @property
    def middle(self) -> float:
        """The x and y of the crop's middle, in pixels of the crop."""
        return (self.size - 1) / 2

    def to_image(self, points: Tensor) -> Tensor:
        """Map (..., 2) points from the crop to the image.

        Source: SiamPolarMask, eq. 11, where the middle of 255 pixels is 127.
        """
        return (points - self.middle) / self.scale + points.new_tensor(self.center)

    def from_image(self, points: Tensor) -> Tensor:
        """Map (..., 2) points from the image to the crop."""
        return (points - points.new_tensor(self.center)) * self.scale + self.middle

    def cut(self, image: np.ndarray) -> np.ndarray:
        """Sample the crop from an (H, W, 3) image; its mean color lies outside.

        Returns:
            (size, size, 3) of the image's type.
        """
        return self._warp(image, lambda: _mean_color(image))

    def cut_mask(self, mask: np.ndarray) -> np.ndarray:
        """Sample the crop from an (H, W) mask of 0 and 1: inside where at least half is.

        Returns:
            (size, size) uint8 of 0 and 1.
        """
        return self._warp(mask.astype(np.uint8) * 255, lambda: 0) // 128

    def _warp(self, image: np.ndarray, fill: object) -> np.ndarray:
        height, width = image.shape[:2]
        # Only the window's surroundings are touched, whatever the image's size.
        reach = self.middle / self.scale + 2
        left, right, top, bottom = (
            math.floor(self.center[0] - reach),
            math.ceil(self.center[0] + reach) + 1,
            math.floor(self.center[1] - reach),
            math.ceil(self.center[1] + reach) + 1,
        )
        leaves_image = left < 0 or top < 0 or right > width or bottom > height
        left, right = (min(max(side, 0), width) for side in (left, right))
        top, bottom = (min(max(side, 0), height) for side in (top, bottom))
        color = fill() if leaves_image else 0
        if left == right or top == bottom:
            return np.full((self.size, self.size, *image.shape[2:]), color, image.dtype)
        to_window = np.array(
            [
                [1 / self.scale, 0, self.center[0] - left - self.middle / self.scale],
                [0, 1 / self.scale, self.center[1] - top - self.middle / self.scale],
            ]
        )
        return cv2.warpAffine(
            np.ascontiguousarray(image[top:bottom, left:right]),
            to_window,
            (self.size, self.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=color,
        )


def _mean_color(image: np.ndarray) -> tuple[float, ...]:
    if image.flags.c_contiguous:
        return cv2.mean(image)[:3]
    return tuple(cv2.mean(image[..., c])[0] for c in range(image.shape[2]))  # planes


def box_center(box_xyxy: Tensor) -> Tensor:
    """(..., 2) the middle of (..., 4) boxes as a point: (3, 4) for the box (3, 4, 4, 5)."""
    return (box_xyxy[..., :2] + box_xyxy[..., 2:] - 1) / 2


def context_side(width: float, height: float) -> float:
    """Side of the square around an object that a template shows, in pixels of the image.

    sqrt((w + p)(h + p)) with p = (w + h) / 2, so that half the object's mean size lies on
    each side of it.

    Source: SiamFC (arXiv:1606.09549), section 3.4, with context A² = (w + 2p)(h + 2p).
    """
    padding = (width + height) / 2
    return math.sqrt((width + padding) * (height + padding))


def crop_around(box_xyxy: Tensor, size: int, template_size: int) -> Crop:
    """The crop of ``size`` pixels at the scale at which the template has its size.

    Args:
        box_xyxy: (4,) the object's box in the image.
        size: pixels of the crop: ``template_size`` itself, or a search crop's.
        template_size: pixels of the template, which shows the object and its context.

    Raises:
        ValueError: if the box has no extent.
    """
    x1, y1, x2, y2 = box_xyxy.tolist()
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f'a box with x1 < x2 and y1 < y2 expected, got {(x1, y1, x2, y2)}')
    scale = template_size / context_side(x2 - x1, y2 - y1)
    return Crop(((x1 + x2 - 1) / 2, (y1 + y2 - 1) / 2), scale, size)


def location_points(
    num_locations: tuple[int, int], stride: int, size: int, like: Tensor
) -> Tensor:
    """Where the locations of a score map look at in the crop.

    The map's middle is the crop's middle, which holds for backbones that pad
    symmetrically or not at all: search = 8 location + 31 for 25 locations in 255 pixels.

    Args:
        num_locations: (H, W) of the score map.
        stride: pixels of the crop between neighboring locations.
        size: pixels of the crop.
        like: a tensor with the type and device of the result.

    Returns:
        (H, W, 2) points (x, y) in pixels of the crop.

    Source: SiamPolarMask, eq. 10.
    """
    y, x = (
        (torch.arange(n, device=like.device) - (n - 1) / 2) * stride + (size - 1) / 2
        for n in num_locations
    )
    return torch.stack(torch.meshgrid(x, y, indexing='xy'), dim=-1).to(like.dtype)
