"""Rays, stars, unions of stars, and how alike stars are: pure functions on tensors.

A star is a center and K ray lengths; its outline joins the neighboring ray tips. Everything
takes and gives batches, on the tensors' device, and knows nothing of OpenMMLab.

Conventions:
    - points are (x, y) in pixels, x to the right, y down, and a pixel's center has integer
      coordinates;
    - ray k of K points at the angle 2 pi k / K, in radians from +x growing towards +y, so
      that growing angles turn clockwise as displayed: ray 0 points right, ray K/4 down;
    - boxes are (x1, y1, x2, y2) with edges between pixels: pixel (3, 4) alone has the box
      (3, 4, 4, 5), so a box's edge at x is the point coordinate x - 0.5;
    - an outline is a set of edges in any order; a point is inside if a ray from it crosses
      them an odd number of times, which takes several parts and holes as they come.

Shape shorthand:
    N: objects, masks         P: stars, or centers that look at outlines
    K: rays                   E: edges of all outlines
    H, W: height and width of a mask, in pixels
"""

from siampolarmask_mm.polar.likeness import (
    area_iou,
    mean_centerness,
    opposite_centerness,
    polar_centerness,
    polar_iou,
)
from siampolarmask_mm.polar.outlines import Outlines, mask_outlines, polygon_outlines
from siampolarmask_mm.polar.painting import soft_star_masks, star_distances, star_masks
from siampolarmask_mm.polar.rays import Rays, cast_rays, ray_directions
from siampolarmask_mm.polar.stars import (
    recast,
    star_areas,
    star_boxes,
    star_centroids,
    star_outlines,
    star_points,
    star_sizes,
)
from siampolarmask_mm.polar.unions import covering_scores, fuse_stars, union_masks

__all__ = [
    'Outlines',
    'Rays',
    'area_iou',
    'cast_rays',
    'covering_scores',
    'fuse_stars',
    'mask_outlines',
    'mean_centerness',
    'opposite_centerness',
    'polar_centerness',
    'polar_iou',
    'polygon_outlines',
    'ray_directions',
    'recast',
    'soft_star_masks',
    'star_areas',
    'star_boxes',
    'star_centroids',
    'star_distances',
    'star_masks',
    'star_outlines',
    'star_points',
    'star_sizes',
    'union_masks',
]
