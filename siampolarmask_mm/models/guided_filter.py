"""GuidedFilter: a confidence that follows the edges of the image.

Shape shorthand:
    S: pixels of a search crop    h, w: the window in which the filter works
"""

from __future__ import annotations

import cv2
import numpy as np

from siampolarmask_mm.registry import TASK_UTILS

FLOOR = 0.02  # confidence below which there is surely no object


@TASK_UTILS.register_module()
class GuidedFilter:
    """Makes a confidence a linear function of the image's colors around every pixel.

    Locations lie a stride apart, so that what they agree on is smooth; where the object's
    colors differ from its surroundings', the edge is to be seen in the image itself.

    The filter works in the window that holds all pixels above a confidence of 0.02 and two
    radii around it; outside of that nothing changes.

    Args:
        radius: pixels of the crop; a pixel's surroundings are 2 radius + 1 squared.
        smoothness: variance of colors, which are from 0 to 1, below which there is no edge.
        subsample: pixels of the crop for one at which the linear functions are found, so
            that 2 takes a quarter of the time; they are applied at the full resolution.

    Raises:
        ValueError: if ``radius`` is below ``subsample``, that below 1, or ``smoothness``
            below 1e-4, which float32 cannot tell from 0 in gray images.

    Source: guided image filtering (He, Sun, Tang, ECCV 2010), eq. 14 to 16; fast guided
    filter (He, Sun, arXiv:1505.00996).
    """

    def __init__(
        self, radius: int = 8, smoothness: float = 3e-4, subsample: int = 2
    ) -> None:
        if not radius >= subsample >= 1 or smoothness < 1e-4:
            raise ValueError(
                'radius >= subsample >= 1 and smoothness of at least 1e-4 expected, '
                f'got {radius}, {subsample} and {smoothness}'
            )
        self.radius = radius
        self.smoothness = smoothness
        self.subsample = subsample

    def __call__(self, confidence: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Filter.

        Args:
            confidence: (S, S) float32 from 0 to 1.
            image: (S, S, 3) uint8, of the same crop.

        Returns:
            (S, S) float32 from 0 to 1.
        """
        seen = (confidence > FLOOR).astype(np.uint8)
        left, top, width, height = cv2.boundingRect(seen)
        if width == 0:
            return confidence
        reach = 2 * self.radius
        rows = slice(max(top - reach, 0), top + height + reach)
        columns = slice(max(left - reach, 0), left + width + reach)
        filtered = confidence.copy()
        filtered[rows, columns] = self._filter(
            confidence[rows, columns], image[rows, columns]
        )
        return filtered

    def _filter(self, confidence: np.ndarray, image: np.ndarray) -> np.ndarray:
        """(h, w) of (h, w) and (h, w, 3)."""
        colors = [cv2.extractChannel(image, c).astype(np.float32) for c in range(3)]
        for color in colors:
            color -= cv2.mean(color)[0]  # small numbers lose less in variances
            color /= 255
        size = confidence.shape[::-1]
        coarse = [-(-side // self.subsample) for side in size]
        *small, share = (
            cv2.resize(part, coarse, interpolation=cv2.INTER_AREA)
            for part in (*colors, confidence)
        )
        slopes, offset = self._fit(small, share)
        *slopes, fitted = (cv2.resize(p, size) for p in self._mean([*slopes, offset]))
        for slope, color in zip(slopes, colors, strict=True):
            fitted += cv2.multiply(slope, color, dst=slope)
        return fitted.clip(0, 1, out=fitted)

    def _fit(
        self, colors: list[np.ndarray], confidence: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Slopes in each color and offset of the line around each pixel."""
        blue, green, red = colors
        products = [blue * blue, blue * green, blue * red, green * green, green * red]
        products += [red * red, *(confidence * color for color in (blue, green, red))]
        mean = self._mean([blue, green, red, confidence, *products])
        b, g, r, p, bb, bg, br, gg, gr, rr, pb, pg, pr = mean
        # Covariances of the colors, and of each with the confidence.
        bb, gg, rr = (x + self.smoothness for x in (bb - b * b, gg - g * g, rr - r * r))
        bg, br, gr = bg - b * g, br - b * r, gr - g * r
        pb, pg, pr = pb - p * b, pg - p * g, pr - p * r
        # The slopes solve the 3 x 3 system, by cofactors.
        c_bb, c_bg, c_br = gg * rr - gr * gr, br * gr - bg * rr, bg * gr - br * gg
        c_gg, c_gr, c_rr = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
        determinant = bb * c_bb + bg * c_bg + br * c_br
        slopes = [
            (c_bb * pb + c_bg * pg + c_br * pr) / determinant,
            (c_bg * pb + c_gg * pg + c_gr * pr) / determinant,
            (c_br * pb + c_gr * pg + c_rr * pr) / determinant,
        ]
        return slopes, p - slopes[0] * b - slopes[1] * g - slopes[2] * r

    def _mean(self, maps: list[np.ndarray]) -> list[np.ndarray]:
        """Of each pixel's surroundings."""
        side = 2 * (self.radius // self.subsample) + 1
        return [cv2.blur(part, (side, side)) for part in maps]
