"""How long targets and masks take, on outlines of COCO, beside binning into degrees.

    python benchmarks/targets.py data/coco/annotations/instances_val.json

One thread, median of many runs. The last line is one JSON object:
    ms_100_locations: rays and centerness of one pair, 36 rays from 100 locations
    ms_batch_64: the same for all inside locations of 64 pairs, to their first exits
    ms_batch_64_bitmaps: PolarTargetAssigner on the 64 pairs' bitmaps of 255 x 255
    ms_raster_64: masks of 64 stars on 255 x 255
    speedup_over_binning: of 100 locations, over an encoder that bins contour points
    speedup_over_plain: of 100 locations, of compiled code over plain tensor code
    peak_mb: memory that ms_batch_64_bitmaps added to the process at its peak (Linux)
    compiled: whether numba is installed
"""

from __future__ import annotations

import json
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.crops import crop_around
from siampolarmask_mm.locations import location_points
from siampolarmask_mm.models import PolarTargetAssigner
from siampolarmask_mm.polar import (
    Outlines,
    cast_rays,
    compiled,
    polar_centerness,
    polygon_outlines,
    star_masks,
)

NUM_RAYS = 36
SIZE = 255
POINTS = location_points((25, 25), 8, SIZE, torch.zeros(1))


def load_objects(path: Path, number: int) -> list[list[Tensor]]:
    """Polygons of the largest instances of evenly spread images, in a search crop."""
    annotations = [
        a
        for a in json.loads(path.read_text())['annotations']
        if not a['iscrowd'] and a['area'] > 32**2
    ]
    step = max(1, len(annotations) // number)
    return [_in_crop(annotation) for annotation in annotations[::step][:number]]


def _in_crop(annotation: dict) -> list[Tensor]:
    x, y, width, height = annotation['bbox']
    crop = crop_around(torch.tensor([x, y, x + width, y + height]), SIZE, 127)
    polygons = [torch.tensor(p).view(-1, 2) - 0.5 for p in annotation['segmentation']]
    return [crop.from_image(polygon) for polygon in polygons]


def binned_rays(contour: Tensor, points: Tensor) -> Tensor:
    """(P, 36) by the farthest contour point (V, 2) of each whole degree, or near it."""
    rays = torch.full((len(points), NUM_RAYS), 1e-6)
    for p, point in enumerate(points):
        x, y = (contour - point).unbind(1)
        degrees = (torch.atan2(y, x) * (180 / torch.pi)).floor().long() % 360
        farthest = torch.zeros(360).scatter_reduce_(0, degrees, torch.hypot(x, y), 'amax')
        farthest = farthest.tolist()
        for k in range(NUM_RAYS):
            for nearby in (0, 1, -1, 2, -2, 3, -3):
                found = farthest[(10 * k + nearby) % 360]
                if found:
                    rays[p, k] = found
                    break
    return rays


def bitmap(polygons: list[Tensor]) -> np.ndarray:
    """(255, 255) uint8, even-odd."""
    corners = [np.round(p.numpy() * 16).astype(np.int32) for p in polygons]
    return cv2.fillPoly(np.zeros((SIZE, SIZE), np.uint8), corners, 1, shift=4)


def milliseconds(function: Callable[[], object], repeats: int) -> float:
    """Median time of a call, after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def memory(kind: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at its peak."""
    status = Path('/proc/self/status').read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(kind))
    return int(line.split()[1]) / 1024


def forget_peak() -> float:
    """Make now the peak of memory; what it is, in megabytes."""
    Path('/proc/self/clear_refs').write_text('5')
    return memory('VmRSS')


def targets(
    outlines: Outlines, points: Tensor, of: Tensor, crossing: str = 'last'
) -> tuple[Tensor, Tensor]:
    """Rays and centerness of locations."""
    rays = cast_rays(outlines, points, NUM_RAYS, crossing, of).lengths
    return rays, polar_centerness(rays)


def nearest_locations(mask: np.ndarray, number: int) -> Tensor:
    """(number, 2) the locations nearest to the center of mass."""
    center = torch.tensor(np.argwhere(mask).mean(0)[::-1].copy()).float()
    points = POINTS.flatten(0, 1)
    return points[(points - center).norm(dim=1).argsort()[:number]]


def measure(objects: list[list[Tensor]]) -> dict[str, float]:
    """The figures of this file's head."""
    bitmaps = [bitmap(polygons) for polygons in objects]
    masks = torch.from_numpy(np.stack(bitmaps[:64])).bool()
    assigner = PolarTargetAssigner(NUM_RAYS, representation='visible_union')
    of, row, column = assigner.assign(masks, POINTS).positive.nonzero(as_tuple=True)
    outlines, points = polygon_outlines(objects[:64]), POINTS[row, column]
    batch = milliseconds(lambda: targets(outlines, points, of, 'first'), 20)
    before = forget_peak()
    batch_bitmaps = milliseconds(lambda: assigner.assign(masks, POINTS), 10)
    peak = memory('VmHWM') - before
    rays, _ = targets(outlines, points, of)
    first = torch.tensor([int((of == i).nonzero()[0]) for i in of.unique()])
    raster = milliseconds(lambda: star_masks(points[first], rays[first], (SIZE, SIZE)), 20)

    pairs = [
        (polygon_outlines([polygons]), nearest_locations(mask, 100))
        for polygons, mask in zip(objects, bitmaps, strict=True)
    ]
    none = torch.zeros(100, dtype=torch.long)
    ours = [milliseconds(lambda o=o, p=p: targets(o, p, none), 20) for o, p in pairs]
    fits, compiled.fits = compiled.fits, lambda *_: False
    plain = [milliseconds(lambda o=o, p=p: targets(o, p, none), 5) for o, p in pairs]
    compiled.fits = fits
    contours = [
        cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        for mask in bitmaps[:10]
    ]
    contours = [torch.from_numpy(np.vstack(c)[:, 0]).float() for c in contours]
    binning = [
        milliseconds(lambda c=c, p=p: binned_rays(c, p), 3)
        for c, (_, p) in zip(contours, pairs, strict=False)
    ]

    return dict(
        ms_100_locations=statistics.median(ours),
        ms_batch_64=batch,
        ms_batch_64_bitmaps=batch_bitmaps,
        ms_raster_64=raster,
        speedup_over_binning=statistics.median(binning) / statistics.median(ours[:10]),
        speedup_over_plain=statistics.median(plain) / statistics.median(ours),
        peak_mb=peak,
        compiled=compiled.numba is not None,
        locations_in_batch=len(points),
        edges_per_object=float(outlines.counts.float().mean()),
    )


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description='Time targets and masks on outlines of COCO.')
    parser.add_argument('annotations', type=Path, help="COCO's instances json.")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    figures = measure(load_objects(args.annotations, 64))
    for name, value in figures.items():
        print(f'{name:24} {value:.4g}')
    print(json.dumps({k: round(v, 4) for k, v in figures.items()}))


if __name__ == '__main__':
    main()
