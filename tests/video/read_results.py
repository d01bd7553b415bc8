"""What a folder of results has."""

import csv
import json

import cv2
from moving_square import SIZE

from siampolarmask_mm.label_images import read_labels


def overlay(folder):
    video, frames = cv2.VideoCapture(str(folder / 'overlay.mp4')), []
    while True:
        ok, frame = video.read()
        if not ok:
            return frames
        frames.append(frame)


def numbers(folder):
    """The numbers of the frames that are whole in each result."""
    masks = sorted((folder / 'masks').glob('*/*.png'))
    for path in masks:
        assert read_labels(path).shape == SIZE
    with (folder / 'boxes.csv').open() as file:
        rows = [int(row['frame']) for row in csv.DictReader(file)]
    entries = [
        entry['image_id'] for entry in json.loads((folder / 'masks.json').read_text())
    ]
    return (
        [int(path.stem) for path in masks],
        rows,
        sorted(set(entries)),
        len(overlay(folder)),
    )


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.glob('**/*'))
        if path.is_file() and path.name != 'resume.pth'
    }
