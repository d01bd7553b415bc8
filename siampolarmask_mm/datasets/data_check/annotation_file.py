"""What the checks of COCO's json and of YouTube-VIS's share: ids, keys, images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from siampolarmask_mm.datasets.data_check.image_files import (
    check_image_files,
    find_image_folder,
)
from siampolarmask_mm.datasets.data_check.report import Report, count, some


class AnnotationFile(NamedTuple):
    """A json file that is checked.

    Attributes:
        path: of the file.
        content: what is in it.
        images: the folder of its images or frames; looked for if not given.
    """

    path: Path
    content: dict
    images: Path | None = None


def check_ids(
    file: AnnotationFile, kind: str, report: Report, keys: frozenset[str] = frozenset()
) -> dict:
    """The file's images, videos or annotations by id.

    Reports ids that come twice, and leaves out, with an error, what lacks one of the keys.
    """
    items = file.content[kind]
    times = Counter(item.get('id') for item in items)
    for number in [number for number in times if times[number] > 1]:
        report.error(file.path, f'id {number} stands for {times[number]} {kind}')
    complete = {}
    for number, item in {item['id']: item for item in items if 'id' in item}.items():
        missing = keys - set(item)
        if missing:
            name = f'{kind.removesuffix("s")} {number}'
            report.error(file.path, f'{name}: {some(sorted(missing))} expected')
        else:
            complete[number] = item
    return complete


def check_categories(file: AnnotationFile, report: Report) -> None:
    """Reports categories of annotations that the file does not name."""
    known = {category.get('id') for category in file.content.get('categories') or ()}
    used = Counter(item.get('category_id') for item in file.content['annotations'])
    for category in [category for category in used if category not in known]:
        report.error(
            file.path,
            f'category {category} of {count(used[category], "annotations")} '
            'not in categories',
        )


def valid_annotations(
    file: AnnotationFile, find_problem: Callable[[dict], str], report: Report
) -> Iterator[dict]:
    """The annotations of objects in which no problem is found; reports the other ones."""
    for annotation in file.content['annotations']:
        if annotation.get('iscrowd'):
            continue
        report.counts['objects'] += 1
        try:
            problem = find_problem(annotation)
        except Exception as error:  # of pycocotools, for numbers that are none
            problem = f'cannot be read, {error}'
        if problem:
            report.error(file.path, f'annotation {annotation.get("id")}: {problem}')
        else:
            yield annotation


def check_images_of(
    file: AnnotationFile,
    sizes: Mapping[str, tuple[int, int]],
    kind: str,
    workers: ThreadPoolExecutor,
    report: Report,
) -> None:
    """Compare the images or frames with the sizes that the file gives, by name."""
    folder = file.images or find_image_folder(file.path, sizes)
    if folder is None:
        report.error(
            file.path, f'its {kind} were not found; name their folder with --images'
        )
        return
    paths = {folder / name: size for name, size in sizes.items()}
    report.add([check_image_files(paths, workers)])
