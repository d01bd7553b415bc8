"""How long it takes to score a folder of masks, reading included.

    python benchmarks/evaluation.py data/DAVIS RESULTS

The sequences of ImageSets/2016/val.txt are taken again and again until as many frames are
to be scored as DAVIS-2016 val has: 1,336. The last line is one JSON object:
    seconds_one_process, seconds_two_processes: of tools/evaluate_davis.py, start included
    speedup_over_reference: of J and F of a frame, over their direct definition in the tests
    peak_mb: most memory of a process
    seconds_with_references, peak_mb_with_references: with still, box and star, in two
        processes
    frames: that were scored
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from itertools import count
from pathlib import Path

import cv2

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / 'tests' / 'evaluation'))

import reference  # noqa: E402

from siampolarmask_mm.davis_layout import label_files, read_split  # noqa: E402
from siampolarmask_mm.evaluation.region_contour import (  # noqa: E402
    contour_accuracy,
    region_similarity,
)
from siampolarmask_mm.label_images import read_labels  # noqa: E402

FRAMES = 1336


def lay_out(folder: Path, davis: Path, results: Path) -> int:
    """Links that make a benchmark of `FRAMES` scored frames or a few more; their number."""
    truths, found = folder / 'DAVIS', folder / 'results'
    (truths / 'Annotations' / '480p').mkdir(parents=True)
    (truths / 'ImageSets' / '2016').mkdir(parents=True)
    found.mkdir()
    names, frames = [], 0
    for turn in count():
        for sequence in read_split(davis / 'ImageSets/2016/val.txt'):
            if frames >= FRAMES:
                text = ''.join(f'{name}\n' for name in names)
                (truths / 'ImageSets' / '2016' / 'val.txt').write_text(text)
                return frames
            names.append(f'{sequence}{turn}')
            files = label_files(davis, sequence)
            frames += len(files) - 2
            link = truths / 'Annotations' / '480p' / names[-1]
            link.symlink_to(files[0].parent.resolve())
            (found / names[-1]).symlink_to((results / sequence).resolve())
    raise AssertionError


def run_tool(folder: Path, workers: int, *references: str) -> float:
    """Seconds that the tool takes."""
    command = [sys.executable, str(ROOT / 'tools' / 'evaluate_davis.py')]
    command += [str(folder / 'results'), str(folder / 'DAVIS')]
    command += ['--references', *references]
    start = time.perf_counter()
    subprocess.run(
        [*command, '--workers', str(workers)], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def children_peak() -> float:
    """Most memory that one process took so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def speedup(davis: Path, results: Path) -> float:
    """Of one frame in ten, median time of the direct definition over ours."""
    ratios = []
    cv2.setNumThreads(1)
    for sequence in read_split(davis / 'ImageSets/2016/val.txt'):
        for path in label_files(davis, sequence)[5:-1:20]:
            truth = read_labels(path) > 0
            mask = read_labels(results / sequence / path.name) > 0
            start = time.perf_counter()
            reference.region(mask, truth), reference.contour_accuracy(mask, truth)
            middle = time.perf_counter()
            region_similarity(mask, truth), contour_accuracy(mask, truth)
            ratios.append((middle - start) / (time.perf_counter() - middle))
    return statistics.median(ratios)


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description='Time the scoring of a folder of masks.')
    parser.add_argument('davis', type=Path, help="Folder in DAVIS's layout.")
    parser.add_argument('results', type=Path, help='Masks of its sequences.')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        frames = lay_out(Path(name), args.davis, args.results)
        run_tool(Path(name), os.cpu_count())  # files into the disk cache
        seconds = {n: min(run_tool(Path(name), n) for _ in range(3)) for n in (1, 2)}
        peak = children_peak()
        with_references = run_tool(Path(name), 2, 'still', 'box', 'star')
    figures = dict(
        seconds_one_process=seconds[1],
        seconds_two_processes=seconds[2],
        speedup_over_reference=speedup(args.davis, args.results),
        peak_mb=peak,
        seconds_with_references=with_references,
        peak_mb_with_references=children_peak(),
        frames=frames,
    )
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == '__main__':
    main()
