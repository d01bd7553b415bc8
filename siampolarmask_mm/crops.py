"""From the image's frame to a crop's and back: boxes, points, images and masks.

A crop is a square window of the image, resized: a similarity, which in training may turn
and mirror as well. It is sampled once, from the image, with bilinear interpolation and the
image's mean color outside. Training and test use this one function.

Conventions are those of ``siampolarmask_mm.polar``: pixel centers have integer
coordinates, so the middle of a crop of S pixels is at (S - 1) / 2 and the center of a box,
as a point, is half a pixel before the middle of its edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import Tensor


@dataclass(frozen=True)
class Crop:
    """A square window of an image.

    Attributes:
        center: (x, y) of its middle, in pixels of the image.
        scale: pixels of the crop per pixel of the image.
        size: width and height of the crop, in its own pixels.
        angle: by which the crop shows the image turned, in radians, clockwise as displayed.
        mirrored: whether the crop, after turning, shows left and right exchanged.
    """

    center: tuple[float, float]
    scale: float
    size: int
    angle: float = 0.0
    mirrored: bool = False

    @property
    def middle(self) -> float:
        """The x and y of the crop's middle, in pixels of the crop."""
        return (self.size - 1) / 2

    @cached_property
    def matrix(self) -> np.ndarray:
        """(3, 3) from homogeneous points of the image to points of the crop."""
        cosine = self.scale * math.cos(self.angle)
        sine = self.scale * math.sin(self.angle)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        if self.mirrored:
            turn[0] *= -1
        matrix = np.eye(3)
        matrix[:2, :2] = turn
        matrix[:2, 2] = self.middle - turn @ self.center
        return matrix

    def to_image(self, points: Tensor) -> Tensor:
        """Map (..., 2) points from the crop to the image.

        Source: SiamPolarMask, eq. 11, where the middle of 255 pixels is 127.
        """
        offset = (points - self.middle) @ self._turn(points) / self.scale**2
        return offset + points.new_tensor(self.center)

    def from_image(self, points: Tensor) -> Tensor:
        """Map (..., 2) points from the image to the crop."""
        return (points - points.new_tensor(self.center)) @ self._turn(
            points
        ).T + self.middle

    def _turn(self, like: Tensor) -> Tensor:
        """(2, 2) by which offsets from the center become offsets in the crop."""
        return torch.from_numpy(self.matrix[:2, :2]).to(like)

    def cut(
        self, image: np.ndarray, outside: tuple[float, ...] | None = None
    ) -> np.ndarray:
        """Sample the crop from an (H, W, 3) image.

        Args:
            image: of 3 channels.
            outside: the color that lies outside; the image's `mean_color`, if not given.

        Returns:
            (size, size, 3) of the image's type.
        """
        return sample(image, self.matrix, (self.size, self.size), outside)

    def cut_mask(self, mask: np.ndarray) -> np.ndarray:
        """Sample the crop from an (H, W) mask of 0 and 1: inside where at least half is.

        Returns:
            (size, size) uint8 of 0 and 1.
        """
        return sample_mask(mask, self.matrix, (self.size, self.size))


def sample(
    image: np.ndarray,
    matrix: np.ndarray,
    size: tuple[int, int],
    outside: float | tuple[float, ...] | None = None,
) -> np.ndarray:
    """Sample an image once, bilinearly.

    Args:
        image: (H, W) or (H, W, 3).
        matrix: (3, 3) from homogeneous points of the image to points of the result.
        size: (height, width) of the result.
        outside: the color that lies outside; the image's `mean_color`, if not given.

    Returns:
        (height, width) or (height, width, 3) of the image's type.
    """
    height, width = image.shape[:2]
    to_image = cv2.invertAffineTransform(matrix[:2])
    # Only the window's surroundings are touched, whatever the image's size.
    (a, b, x), (c, d, y) = to_image.tolist()
    across, down = size[1] - 1, size[0] - 1
    left = math.floor(x + min(a * across, 0) + min(b * down, 0)) - 2
    right = math.ceil(x + max(a * across, 0) + max(b * down, 0)) + 3
    top = math.floor(y + min(c * across, 0) + min(d * down, 0)) - 2
    bottom = math.ceil(y + max(c * across, 0) + max(d * down, 0)) + 3
    leaves_image = left < 0 or top < 0 or right > width or bottom > height
    left, right = (min(max(side, 0), width) for side in (left, right))
    top, bottom = (min(max(side, 0), height) for side in (top, bottom))
    if outside is None:
        outside = mean_color(image) if leaves_image else 0
    if left == right or top == bottom:
        return np.full((*size, *image.shape[2:]), outside, image.dtype)
    to_image[:, 2] -= left, top
    return cv2.warpAffine(
        np.ascontiguousarray(image[top:bottom, left:right]),
        to_image,
        size[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=outside,
    )


def sample_mask(mask: object, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Sample a mask once: a pixel is inside where at least half of it is.

    Args:
        mask: (H, W) of 0 and 1, or as in COCO: RLE, or polygons, each a list of x, y, x, y,
            ... with the edges between pixels, of which any may cover a pixel.
        matrix: (3, 3) from homogeneous points of the image to points of the result.
        size: (height, width) of the result.

    Returns:
        (height, width) uint8 of 0 and 1.
    """
    if isinstance(mask, list):  # corners are mapped: nothing is sampled
        polygons = [
            (map_points(_corners(polygon), matrix) + 0.5).ravel().tolist()
            for polygon in mask
        ]
        rle = coco_mask.merge(coco_mask.frPyObjects(polygons, *size))
        # Row by row, as all else lies in memory; COCO's masks lie column by column.
        return cv2.transpose(coco_mask.decode(rle).T)
    return sample(_bitmap(mask) * 255, matrix, size, outside=0) // 128


def map_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(M, 2) points through a (3, 3) map of homogeneous points."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def map_box(box_xyxy: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(4,) the box around the corners of a box (4,) after a (3, 3) map.

    The edges of both lie between pixels, half a pixel off the pixel centers.
    """
    x1, y1, x2, y2 = (float(edge) - 0.5 for edge in box_xyxy)
    lows, highs = [], []
    for a, b, offset in matrix[:2].tolist():
        lows.append(offset + min(a * x1, a * x2) + min(b * y1, b * y2) + 0.5)
        highs.append(offset + max(a * x1, a * x2) + max(b * y1, b * y2) + 0.5)
    return np.array([*lows, *highs])


def map_mask_box(mask: object, matrix: np.ndarray) -> np.ndarray:
    """(4,) the box around a mask after a (3, 3) map, without sampling it.

    Args:
        mask: as `sample_mask` takes it; of bitmaps, the pixels' centers are mapped.
        matrix: from homogeneous points of the image to points of the result.

    Raises:
        ValueError: if the mask is empty.
    """
    if isinstance(mask, list):
        points = np.concatenate([_corners(polygon) for polygon in mask])
        return _box_around(map_points(points, matrix))
    bitmap = _bitmap(mask)
    rows = np.flatnonzero(bitmap.any(1))
    if len(rows) == 0:
        raise ValueError('a mask with at least one pixel expected, got an empty one')
    first = bitmap[rows].argmax(1)
    last = bitmap.shape[1] - 1 - bitmap[rows, ::-1].argmax(1)
    ends = np.stack([np.append(first, last), np.tile(rows, 2)], axis=1)
    half = np.array([-0.5, -0.5, 0.5, 0.5]) * np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    return _box_around(map_points(ends.astype(float), matrix)) + half


def _corners(polygon: list[float]) -> np.ndarray:
    """(V, 2) points of x, y, x, y, ... in COCO's frame, whose pixel centers are at .5."""
    return np.asarray(polygon, dtype=float).reshape(-1, 2) - 0.5


def _box_around(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(0), points.max(0)]) + 0.5


def _bitmap(mask: object) -> np.ndarray:
    """(H, W) uint8 of 0 and 1, of a bitmap or of COCO's RLE."""
    if isinstance(mask, dict):
        if isinstance(mask['counts'], list):
            mask = coco_mask.frPyObjects(mask, *mask['size'])
        return coco_mask.decode(mask)
    return np.asarray(mask).astype(np.uint8)


def mean_color(image: np.ndarray) -> tuple[float, ...]:
    """The mean of an (H, W, C) image, channel by channel."""
    height, width, channels = image.shape
    if channels <= 4 and image[0].flags.c_contiguous:
        sums = cv2.sumElems(image)[:channels]  # a quarter of cv2.mean's time
    else:  # planes, as tensors have them
        sums = [cv2.sumElems(image[..., c])[0] for c in range(channels)]
    return tuple(total / (height * width) for total in sums)


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
