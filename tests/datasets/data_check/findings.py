"""Folders to check, and what is found in them."""

import numpy as np
from PIL import Image

from siampolarmask_mm.datasets.data_check import check_data
from siampolarmask_mm.label_images import write_labels

SIZE = (20, 30)  # height, width


def write_image(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*size, 3), np.uint8)).save(path)


def labels(*ids):
    image = np.zeros(SIZE, np.uint8)
    for i in ids:
        image[i % 20, 3:9] = i
    return image


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def found(root, **kwargs):
    """All findings, without the folder's name."""
    reports = check_data(root, **kwargs)
    return [str(f).replace(f'{root}/', '') for report in reports for f in report.findings]


def counts(root):
    (report,) = check_data(root)
    return dict(report.counts)


def write_videos(root, images, annotations, step=1):
    for video in ('cat', 'dog'):
        for t in range(0, 6 * step, step):
            write_image(root / images / video / f'{t:05d}.jpg')
            path = root / annotations / video / f'{t:05d}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            write_labels(path, labels(1, 2))


def write_boxed(folder, boxes, inner=''):
    for t in range(3):
        write_image(folder / inner / f'{t + 1:08d}.jpg')
    (folder / 'groundtruth.txt').write_text('\n'.join(boxes) + '\n')
