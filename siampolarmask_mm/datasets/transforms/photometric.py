"""Colors and sharpness that change from template to search crop, as they do in videos."""

from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from siampolarmask_mm.datasets.layers import blur_along
from siampolarmask_mm.registry import TRANSFORMS

SAME = np.eye(3)
GRAY = np.tile([0.114, 0.587, 0.299], (3, 1))  # of blue, green and red (ITU-R BT.601)


@TRANSFORMS.register_module()
class ColorJitterPair(BaseTransform):
    """Change saturation, contrast and brightness of each crop, or make both grey.

    All are one linear map of a pixel's colors. Each factor is drawn from 1 - x to 1 + x,
    for each crop by itself.

    Required and changed: ``img``, a list of (H, W, 3) uint8 BGR.

    Args:
        brightness: x of the factor of all colors.
        contrast: x of the factor of the distance from middle grey.
        saturation: x of the factor of the distance from the pixel's own grey.
        gray_prob: share of pairs without color.

    Raises:
        ValueError: if an argument is not from 0 to 1.
    """

    def __init__(
        self,
        brightness: float = 0.3,
        contrast: float = 0.3,
        saturation: float = 0.3,
        gray_prob: float = 0.05,
    ) -> None:
        self.amounts = (brightness, contrast, saturation)
        self.gray_prob = gray_prob
        if not all(0 <= value <= 1 for value in (*self.amounts, gray_prob)):
            raise ValueError(
                'brightness, contrast, saturation and gray_prob from 0 to 1 expected, '
                f'got {(*self.amounts, gray_prob)}'
            )

    def transform(self, results: dict) -> dict:
        """Change the colors of both."""
        is_gray = np.random.random() < self.gray_prob
        results['img'] = [
            cv2.transform(image, self._draw_map(is_gray)) for image in results['img']
        ]
        return results

    def _draw_map(self, is_gray: bool) -> np.ndarray:
        """(3, 4) from a color and 1 to the new color."""
        brightness, contrast, saturation = (
            np.random.uniform(1 - x, 1 + x) for x in self.amounts
        )
        if is_gray:
            saturation = 0.0
        colors = np.empty((3, 4))
        colors[:, :3] = contrast * (saturation * SAME + (1 - saturation) * GRAY)
        colors[:, 3] = (1 - contrast) * 127.5
        return brightness * colors


@TRANSFORMS.register_module()
class BlurPair(BaseTransform):
    """Blur crops as the camera's motion or its lens does.

    Required and changed: ``img``, a list of two (H, W, 3) uint8.

    Args:
        prob: (template, search) share of blurred crops; half are blurred along a line.
        max_length: of the line, in pixels; an unsharp lens spreads a pixel over up to a
            third of it.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self, prob: tuple[float, float] = (0.0, 0.2), max_length: float = 15.0
    ) -> None:
        if not all(0 <= p <= 1 for p in prob) or max_length <= 0:
            raise ValueError(
                'prob from 0 to 1 and max_length above 0 expected, '
                f'got {prob} and {max_length}'
            )
        self.prob = prob
        self.max_length = max_length

    def transform(self, results: dict) -> dict:
        """Blur a share of the crops."""
        results['img'] = [
            self._blur(image) if np.random.random() < prob else image
            for image, prob in zip(results['img'], self.prob, strict=True)
        ]
        return results

    def _blur(self, image: np.ndarray) -> np.ndarray:
        length = np.random.uniform(0, self.max_length)
        if np.random.random() < 0.5:
            angle = np.random.uniform(0, np.pi)
            return blur_along(image, (length * np.cos(angle), length * np.sin(angle)))
        # A disk is spread over about 4 standard deviations.
        return cv2.GaussianBlur(image, (0, 0), max(length / 12, 0.1))
