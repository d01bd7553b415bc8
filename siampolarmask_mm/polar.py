"""Rays, stars, polar centerness and polar IoU: pure functions on tensors.

A star is a center and K ray lengths; its outline joins the neighboring ray tips.

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
    N: stars or masks        P: centers that see one outline
    K: rays                  E: edges of an outline (a pair of equal points is no edge)
    H, W: height and width of a mask
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

CROSSINGS = ('last', 'first')


class Rays(NamedTuple):
    """What rays from P centers meet.

    Attributes:
        lengths: (..., P, K) distance to the crossing, in pixels; 0 where there is none.
        crossings: (..., P, K) how often each ray crosses the outline.
    """

    lengths: Tensor
    crossings: Tensor

    @property
    def inside(self) -> Tensor:
        """(..., P) whether each center lies inside the outline."""
        return self.crossings[..., 0] % 2 == 1


def ray_directions(num_rays: int, like: Tensor) -> Tensor:
    """(K, 2) unit vectors of the rays, with the type and device of ``like``."""
    angles = torch.arange(num_rays, dtype=torch.float64) * (2 * math.pi / num_rays)
    return torch.stack([angles.cos(), angles.sin()], dim=-1).to(like)


def star_points(centers: Tensor, rays: Tensor) -> Tensor:
    """Decode stars to the tips of their rays.

    Args:
        centers: (..., 2) the points the rays leave from, in pixels.
        rays: (..., K) length of each ray, in pixels.

    Returns:
        (..., K, 2) the point at the end of each ray, in pixels.

    Raises:
        ValueError: if there is not one row of rays per center.

    Source: PolarMask (arXiv:1909.13226), section 3, mask assembling.
    """
    if centers.shape[:-1] != rays.shape[:-1]:
        raise ValueError(
            'one row of rays per center expected, got '
            f'{tuple(rays.shape)} rays for {tuple(centers.shape)} centers'
        )
    return centers[..., None, :] + rays[..., None] * ray_directions(rays.shape[-1], rays)


def star_edges(centers: Tensor, rays: Tensor) -> Tensor:
    """(..., K, 2, 2) the outline of each star as edges between (x, y) points."""
    points = star_points(centers, rays)
    return torch.stack([points, points.roll(-1, dims=-2)], dim=-2)


def polygon_edges(polygons: list[Tensor]) -> Tensor:
    """Join polygons to one outline: a part inside another is a hole (even-odd).

    Args:
        polygons: each (V, 2) the corners in order, in pixels; the last joins the first.

    Returns:
        (E, 2, 2) the edges.

    Raises:
        ValueError: if a polygon has fewer than 3 points.
    """
    for polygon in polygons:
        if polygon.ndim != 2 or polygon.shape[0] < 3 or polygon.shape[1] != 2:
            shape = tuple(polygon.shape)
            raise ValueError(f'a polygon of at least 3 (x, y) points expected, got {shape}')
    if not polygons:
        return torch.zeros(0, 2, 2)
    return torch.cat([torch.stack([p, p.roll(-1, 0)], dim=1) for p in polygons])


# For each 2 x 2 block of pixels (top left + 2 top right + 4 bottom left + 8 bottom right),
# which sides of the block its edges join: 0 top, 1 right, 2 bottom, 3 left. Where only two
# diagonal pixels are set, they stay apart.
_BLOCK_EDGES = {
    1: [(3, 0)], 2: [(0, 1)], 3: [(3, 1)], 4: [(3, 2)], 5: [(0, 2)],
    6: [(0, 1), (3, 2)], 7: [(1, 2)], 8: [(1, 2)], 9: [(3, 0), (1, 2)],
    10: [(0, 2)], 11: [(3, 2)], 12: [(3, 1)], 13: [(0, 1)], 14: [(3, 0)],
}  # fmt: skip
_BLOCK_SIDES = torch.tensor([[0.5, 0.0], [1.0, 0.5], [0.5, 1.0], [0.0, 0.5]])


def mask_edges(masks: Tensor) -> Tensor:
    """Trace the outlines of bitmaps, halfway between pixels (marching squares).

    All pixel centers of a mask are inside its outline, all others outside. A mask that
    touches the border is closed half a pixel beyond it. An empty mask has no edges.

    Args:
        masks: (N, H, W) boolean.

    Returns:
        (N, E, 2, 2) edges in pixels, E that of the longest outline; shorter ones are
        filled up with zeros.
    """
    padded = torch.nn.functional.pad(masks.to(torch.uint8), (1, 1, 1, 1))
    block = (
        padded[:, :-1, :-1]
        + 2 * padded[:, :-1, 1:]
        + 4 * padded[:, 1:, :-1]
        + 8 * padded[:, 1:, 1:]
    )
    sides, counts = _block_tables(masks.device)
    image, row, column = ((block > 0) & (block < 15)).nonzero(as_tuple=True)
    code = block[image, row, column].long()
    corner = torch.stack([column, row], dim=-1).float() - 1  # of the block's top left pixel
    edges = corner[:, None, None] + sides[code]  # (M, 2, 2, 2): up to two edges a block

    first, second = counts[code] > 0, counts[code] > 1
    image = torch.cat([image[first], image[second]])
    edges = torch.cat([edges[first, 0], edges[second, 1]])
    return _pad_by_image(edges, image, len(masks))


def _block_tables(device: torch.device) -> tuple[Tensor, Tensor]:
    sides = torch.zeros(16, 2, 2, 2)
    counts = torch.zeros(16, dtype=torch.long)
    for code, joined in _BLOCK_EDGES.items():
        counts[code] = len(joined)
        for i, (start, end) in enumerate(joined):
            sides[code, i] = _BLOCK_SIDES[[start, end]]
    return sides.to(device), counts.to(device)


def _pad_by_image(edges: Tensor, image: Tensor, num_images: int) -> Tensor:
    order = image.argsort(stable=True)
    image, edges = image[order], edges[order]
    per_image = image.bincount(minlength=num_images)
    starts = per_image.cumsum(0) - per_image
    position = torch.arange(len(image), device=image.device) - starts[image]
    longest = int(per_image.max()) if num_images else 0
    padded = edges.new_zeros(num_images, longest, 2, 2)
    padded[image, position] = edges
    return padded


def cast_rays(edges: Tensor, centers: Tensor, num_rays: int, crossing: str) -> Rays:
    """Find where rays from each center cross an outline, exactly.

    No ray is marched: an edge is met by just the rays whose angles lie between those of
    its two ends, and the crossing's distance is in closed form. A ray through a corner
    meets only one of the two edges that join there.

    Args:
        edges: (..., E, 2, 2) outlines, in pixels.
        centers: (..., P, 2) the points the rays leave from, in pixels.
        num_rays: K.
        crossing: ``last`` (the farthest: the star encloses all parts) or ``first`` (the
            nearest: what a center inside can see).

    Raises:
        ValueError: if ``crossing`` is neither, or if ``num_rays`` is below 3.
    """
    if crossing not in CROSSINGS:
        raise ValueError(f'crossing must be one of {CROSSINGS}, got {crossing!r}')
    if num_rays < 3:
        raise ValueError(f'a star needs at least 3 rays, got {num_rays}')
    ends = edges[..., None, :, :, :] - centers[..., None, None, :]  # (..., P, E, 2, 2)
    shape = (*ends.shape[:-3], num_rays)  # (..., P, K)
    ends = ends.flatten(0, -4)  # (Q, E, 2, 2), Q all centers

    # An end at angle u (in rays) starts with ray ceil(u); half-open, so that two edges
    # that share a corner never both take the ray through it.
    angle = torch.atan2(ends[..., 1], ends[..., 0]) * (num_rays / (2 * math.pi))
    after = angle.ceil().long()  # (Q, E, 2)
    low, high = after.amin(-1), after.amax(-1)
    wraps = (angle[..., 0] - angle[..., 1]).abs() > num_rays / 2
    start = torch.where(wraps, high, low)
    met = torch.where(wraps, low + num_rays - high, high - low)  # rays that meet the edge

    center_index, edge_index = (met > 0).nonzero(as_tuple=True)
    met = met[center_index, edge_index]
    nth = torch.arange(int(met.sum()), device=met.device)
    nth = nth - (met.cumsum(0) - met).repeat_interleave(met)
    center_index = center_index.repeat_interleave(met)  # (M,), one per crossing
    edge_index = edge_index.repeat_interleave(met)
    ray = (start[center_index, edge_index] + nth) % num_rays

    distance = _crossing_distance(
        ends[center_index, edge_index], ray_directions(num_rays, ends)[ray]
    )
    slot = center_index * num_rays + ray
    count = torch.zeros(math.prod(shape), dtype=torch.long, device=slot.device)
    count.scatter_add_(0, slot, torch.ones_like(slot))
    lengths = distance.new_zeros(math.prod(shape)).scatter_reduce_(
        0, slot, distance, 'amax' if crossing == 'last' else 'amin', include_self=False
    )
    return Rays(lengths.view(shape), count.view(shape))


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _crossing_distance(ends: Tensor, directions: Tensor) -> Tensor:
    """(M,) distance along each direction (M, 2) to the edge between two ends (M, 2, 2)."""
    beside = _cross(directions[:, None], ends)  # (M, 2): left or right of the ray
    along = (directions[:, None] * ends).sum(-1)  # (M, 2)
    share = (beside[:, 0] / (beside[:, 0] - beside[:, 1])).nan_to_num(0.5).clamp(0, 1)
    return (along[:, 0] + share * (along[:, 1] - along[:, 0])).clamp_min(0)


def star_masks(centers: Tensor, rays: Tensor, size: tuple[int, int]) -> Tensor:
    """Rasterize stars: a pixel is inside if its center is, in closed form.

    Pixel q is inside if |q - c| <= r(angle of q - c), where r runs along the edge between
    the two neighboring ray tips. A sector with a ray of length 0 is empty.

    Args:
        centers: (N, 2) in pixels of the mask.
        rays: (N, K) in pixels of the mask.
        size: (H, W) of the mask.

    Returns:
        (N, H, W) boolean.
    """
    masks = torch.zeros(len(centers), *size, dtype=torch.bool, device=centers.device)
    tips = star_points(centers, rays).flatten(0, 1)
    if not len(tips):
        return masks
    limit = tips.new_tensor([size[1], size[0]])
    left, top = tips.amin(0).floor().clamp(tips.new_zeros(2), limit).long().tolist()
    right, bottom = (
        (tips.amax(0).floor() + 1).clamp(tips.new_zeros(2), limit).long().tolist()
    )
    window = _star_window(
        centers - centers.new_tensor([left, top]), rays, bottom - top, right - left
    )
    masks[:, top:bottom, left:right] = window
    return masks


def _star_window(centers: Tensor, rays: Tensor, height: int, width: int) -> Tensor:
    num_rays = rays.shape[-1]
    x = torch.arange(width, device=rays.device) - centers[:, 0, None]  # (N, W)
    y = torch.arange(height, device=rays.device) - centers[:, 1, None]  # (N, H)
    x, y = torch.broadcast_tensors(x[:, None, :], y[:, :, None])  # (N, H, W)
    sector = (torch.atan2(y, x) * (num_rays / (2 * math.pi))).floor().long() % num_rays

    # On the inner side of the edge from tip a to tip b: in the sector's oblique
    # coordinates q = s a^ + t b^ (unit rays), s / a + t / b <= 1.
    directions = ray_directions(num_rays, rays)
    following = directions.roll(-1, 0)
    sine = math.sin(2 * math.pi / num_rays)
    s = (x * following[:, 1][sector] - y * following[:, 0][sector]) / sine
    t = (y * directions[:, 0][sector] - x * directions[:, 1][sector]) / sine
    a = rays.gather(1, sector.flatten(1)).view_as(x)
    b = rays.roll(-1, 1).gather(1, sector.flatten(1)).view_as(x)
    return (s * b + t * a <= a * b) & (a * b > 0)


def star_boxes(centers: Tensor, rays: Tensor) -> Tensor:
    """(..., 4) the boxes around stars, (x1, y1, x2, y2) with edges between pixels."""
    points = star_points(centers, rays)
    return torch.cat([points.amin(-2), points.amax(-2)], dim=-1) + 0.5


def star_centroids(centers: Tensor, rays: Tensor) -> Tensor:
    """(..., 2) the centers of area; the star's own center where its area is 0."""
    tips = star_points(torch.zeros_like(centers), rays)
    following = tips.roll(-1, -2)
    double_area = _cross(tips, following)  # (..., K) of the triangles
    thirds = ((tips + following) * double_area[..., None]).sum(-2)
    total = double_area.sum(-1, keepdim=True)
    return centers + torch.where(total > 0, thirds / (3 * total).clamp_min(1e-12), 0)


def recast(centers: Tensor, rays: Tensor, new_centers: Tensor) -> Tensor:
    """Describe stars by rays from another center.

    Exact where the whole outline is visible from there, else its farthest crossings.

    Args:
        centers: (N, 2) in pixels.
        rays: (N, K) in pixels.
        new_centers: (N, 2) in pixels.

    Returns:
        (N, K) lengths in pixels; 0 for rays that miss the star.
    """
    edges = star_edges(centers, rays)
    return cast_rays(edges, new_centers[:, None], rays.shape[-1], 'last').lengths[:, 0]


def polar_centerness(rays: Tensor) -> Tensor:
    """How far a location is from seeing its outline at equal distance all around.

    Args:
        rays: (..., K) lengths, not negative.

    Returns:
        (...) from 0 (a ray has no length) to 1 (a circle around its center).

    Source: SiamPolarMask, eq. 1, after PolarMask (arXiv:1909.13226).
    """
    shortest, longest = rays.amin(-1), rays.amax(-1)
    return torch.where(longest > 0, shortest / longest.clamp_min(1e-6), 0).sqrt()


def polar_iou(rays: Tensor, other: Tensor) -> Tensor:
    """Overlap of two stars of one center, ray by ray.

    Not the IoU of their areas: lengths are not squared, so circles of radius 1 and 2 about
    one center overlap by 0.5, where their areas overlap by 0.25.

    Args:
        rays: (..., K) lengths, not negative.
        other: (..., K) lengths, not negative.

    Returns:
        (...) from 0 to 1; 1 for two stars without extent.

    Source: SiamPolarMask, eq. 4, after PolarMask (arXiv:1909.13226).
    """
    smaller = torch.minimum(rays, other).sum(-1)
    larger = torch.maximum(rays, other).sum(-1)
    return torch.where(larger > 0, smaller / larger.clamp_min(1e-6), 1)
