"""COCO's json and its masks: polygons, or RLE with counts as numbers or as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import mmengine
from mmengine.logging import print_log
from pycocotools import mask as coco_mask


def read_json(path: str, keys: tuple[str, ...], what: str) -> dict:
    """A json file that must have some keys.

    Args:
        path: of the file.
        keys: that must each have a list.
        what: whose format it is, for the error.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no json, or lacks one of them.
    """
    try:
        content = mmengine.load(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no annotations in {what}'s format at {path}") from error
    except ValueError as error:
        raise ValueError(f'a json file expected, {path} cannot be read') from error
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), list) for key in keys
    ):
        raise ValueError(f'{" and ".join(keys)} in {what} format expected in {path}')
    return content


def keep_valid(
    annotations: Iterable[dict],
    find_problem: Callable[[dict], str],
    source: str,
    *,
    skip_invalid: bool,
) -> list[dict]:
    """The annotations that can be trained on; crowds are left out.

    Args:
        annotations: of COCO's format, or one like it.
        find_problem: says what keeps one from being trained on; empty if nothing does.
        source: where they are from, for the error.
        skip_invalid: leave out those with a problem, and log how many, instead of raising.

    Raises:
        ValueError: if there is a problem.
    """
    kept, num_invalid = [], 0
    for annotation in annotations:
        if annotation.get('iscrowd'):
            continue
        problem = find_problem(annotation)
        if problem and not skip_invalid:
            raise ValueError(
                f'{problem} for annotation {annotation.get("id")} in {source}; '
                'skip_invalid=True leaves such objects out'
            )
        num_invalid += bool(problem)
        if not problem:
            kept.append(annotation)
    if num_invalid:
        print_log(f'{num_invalid} invalid objects in {source}', 'current')
    return kept


def mask_problem(mask: object, size: tuple[int, int]) -> str:
    """Why something is no mask of (height, width); empty if it is, even without a pixel."""
    if isinstance(mask, dict) and mask.get('counts'):
        if tuple(mask.get('size', ())) != size:
            return f'RLE of size {size} expected, got {mask.get("size")}'
        return ''
    if isinstance(mask, list) and mask and all(map(_is_polygon, mask)):
        return ''
    return (
        f'polygons of at least 3 points (6 numbers) or RLE expected, got {str(mask)[:80]}'
    )


def _is_polygon(numbers: object) -> bool:
    return isinstance(numbers, list) and len(numbers) >= 6 and len(numbers) % 2 == 0


def to_rle(mask: list | dict, size: tuple[int, int]) -> dict:
    """A mask of (height, width) without `mask_problem` as compressed RLE."""
    if isinstance(mask, list):
        return coco_mask.merge(coco_mask.frPyObjects(mask, *size))
    if isinstance(mask['counts'], list):
        return coco_mask.frPyObjects(mask, *size)
    return mask
