"""The pictures of docs/method.md: python docs/pictures/draw.py [--demo work_dirs/demo].

All are of synthetic shapes. The tracker's needs what make demo-train has made.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

import siampolarmask_mm
from siampolarmask_mm.evaluation.ceiling import look_at, represent
from siampolarmask_mm.evaluation.region_contour import region_similarity
from siampolarmask_mm.label_images import read_labels
from siampolarmask_mm.polar import Outlines, cast_rays, star_points
from siampolarmask_mm.video.overlay import as_instances
from siampolarmask_mm.visualization.ceiling import compare_masks
from siampolarmask_mm.visualization.objects import draw_objects
from siampolarmask_mm.visualization.overlay import contact_strip, draw_mask, draw_star

HERE = Path(__file__).parent
CONFIG = 'siampolarmask_tiny_1xb8-1500i_synthetic'
TEMPLATE, SEARCH, STRIDE, RAYS = 127, 255, 8, 36
CLIP, LABEL, FRAMES = 'val003', 1, (2, 16, 30)  # that the tracker is shown on


def animal() -> np.ndarray:
    """(240, 320) boolean: a body on four legs, with a neck, a head and a tail."""
    mask = np.zeros((240, 320), np.uint8)
    cv2.ellipse(mask, (155, 105), (82, 38), 0, 0, 360, 1, -1)
    for hip, foot in ((90, 78), (112, 118), (196, 190), (218, 232)):
        cv2.line(mask, (hip, 115), (foot, 210), 1, 13)
    cv2.line(mask, (222, 95), (262, 40), 1, 22)
    cv2.ellipse(mask, (274, 38), (24, 14), 15, 0, 360, 1, -1)
    cv2.line(mask, (78, 92), (42, 130), 1, 9)
    return mask > 0


def draw_stars(path: Path) -> None:
    """What one star holds of a shape with legs, and what many hold together."""
    mask = animal()
    stars = look_at(mask, TEMPLATE, SEARCH, STRIDE)
    made = represent(mask, RAYS, stars, ('one star, last', 'union', 'union, capped'))
    white = np.full((*mask.shape, 3), 255, np.uint8)
    drawn = draw_mask(white, mask, 1)
    nose = stars.points[stars.points[:, 0].argmax()]
    chosen = stars.points[[len(stars.points) // 3, 2 * len(stars.points) // 3]]
    seen = drawn
    for label, point in enumerate((*chosen, nose), start=2):
        seen = _with_rays(seen, stars.outline, point, 'first', label)
    panels = {
        '1 star, rays to the last crossing': _with_rays(
            drawn, stars.outline, stars.center[0], 'last', 4
        ),
        'what it holds': made['one star, last'],
        f'3 of {len(stars.points)} locations, rays to the first exit': seen,
        'union of all': made['union'],
        'union, rays of 2 strides at most': made['union, capped'],
    }
    figure = Figure(figsize=(8.5, 4.6), layout='constrained')
    *cells, legend = figure.subplots(2, 3).flat
    for axes, (title, panel) in zip(cells, panels.items(), strict=True):
        if panel.ndim == 2:
            title += f': J {region_similarity(panel, mask):.3f}'
            panel = compare_masks(panel, mask)
        axes.imshow(panel)
        axes.set_title(title, fontsize=9)
        axes.axis('off')
    legend.text(0.1, 0.5, 'green: right\nred: missing\nblue: added', va='center')
    legend.axis('off')
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=100)


def _with_rays(
    image: np.ndarray, outline: Outlines, center: Tensor, crossing: str, label: int
) -> np.ndarray:
    rays = cast_rays(outline, center[None], RAYS, crossing).lengths
    tips = star_points(center[None], rays)[0]
    return draw_star(image, center.numpy(), tips.numpy(), label)


def draw_tracking(path: Path, demo: Path) -> None:
    """Where the tracker of make demo-train looks in a clip, and what it finds."""
    frames = sorted((demo / 'clips/JPEGImages/480p' / CLIP).glob('*.jpg'))
    labels = read_labels(demo / 'clips/Annotations/480p' / CLIP / '00000.png')
    tracker = siampolarmask_mm.apis.load(CONFIG, demo / 'tiny.pth', device='cpu')
    tracker.init(cv2.imread(str(frames[0])), mask=labels == LABEL)
    above, below = [], []
    for number, file in enumerate(frames[1 : FRAMES[-1] + 1], start=1):
        image = cv2.imread(str(file))
        state = tracker.update(image)
        if number in FRAMES:
            image = np.ascontiguousarray(image[..., ::-1])
            found = as_instances(state)
            above.append(draw_objects(image, found, ('scores', 'window')))
            below.append(draw_objects(image, found, ('masks', 'rays', 'tags')))
    picture = np.vstack([contact_strip(above), contact_strip(below)])
    cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def main() -> None:
    """Draw all that there is material for."""
    parser = ArgumentParser(description='Draw the pictures of docs/method.md.')
    parser.add_argument('--out', type=Path, default=HERE, help='Folder (beside this file).')
    parser.add_argument(
        '--demo',
        type=Path,
        help='Folder of make demo-train, for the picture of the tracker.',
    )
    args = parser.parse_args()
    draw_stars(args.out / 'stars.png')
    if args.demo:
        draw_tracking(args.out / 'tracking.jpg', args.demo)


if __name__ == '__main__':
    main()
