"""J, F and their statistics, as directly as they are defined: slow, and obviously right."""

import math

import numpy as np


def region(mask, truth):
    """J (H, W): intersection over union."""
    union = (mask | truth).sum()
    return (mask & truth).sum() / union if union else 1.0


def contour(mask):
    """The pixels that differ from their right, lower or lower right neighbor."""
    height, width = mask.shape
    result = np.zeros_like(mask)
    for down, right in ((0, 1), (1, 0), (1, 1)):
        result[: height - down, : width - right] |= (
            mask[: height - down, : width - right] != mask[down:, right:]
        )
    return result


def widen(points, radius):
    """Every pixel at most a radius from a point, by trying all offsets of a disk."""
    height, width = points.shape
    padded = np.pad(points, radius)
    result = np.zeros_like(points)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dx * dx + dy * dy <= radius * radius:
                y, x = radius + dy, radius + dx
                result |= padded[y : y + height, x : x + width]
    return result


def contour_accuracy(mask, truth):
    """F (H, W): harmonic mean of the contours' precision and recall."""
    radius = math.ceil(0.008 * math.hypot(*mask.shape))
    found, wanted = contour(mask), contour(truth)
    if not found.any() or not wanted.any():
        return float(not found.any() and not wanted.any())
    precision = (found & widen(wanted, radius)).sum() / found.sum()
    recall = (wanted & widen(found, radius)).sum() / wanted.sum()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def official_decay(values):
    """First minus last quarter, with the frame numbers in 8 bits as the official code."""
    borders = (np.round(np.linspace(1, len(values), 5) + 1e-10) - 1).astype(np.uint8)
    first, last = values[borders[0] : borders[1] + 1], values[borders[3] : borders[4] + 1]
    return np.mean(first) - np.mean(last) if len(first) and len(last) else math.nan
