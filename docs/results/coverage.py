"""How much of the object a folder of masks holds where it is poor, and how much is object.

    python docs/results/coverage.py MASKS DAVIS

Recall and precision by sequence, each the mean over frames whose J is below 0.6; labels are
one object, and first and last frames do not count, as under the protocol of 2016.
"""

import sys
from pathlib import Path
from statistics import mean

from siampolarmask_mm.davis_layout import label_files, read_split
from siampolarmask_mm.label_images import read_labels

POOR = 0.6


def main(results: Path, davis: Path) -> None:
    """Print a line per sequence that has such frames."""
    for sequence in read_split(davis / 'ImageSets/2016/val.txt'):
        poor = []
        for file in label_files(davis, sequence)[1:-1]:
            truth = read_labels(file) > 0
            found = read_labels(results / sequence / file.name) > 0
            both = (truth & found).sum()
            if both < POOR * (truth | found).sum():
                poor.append((both / max(truth.sum(), 1), both / max(found.sum(), 1)))
        if poor:
            recall, precision = map(mean, zip(*poor, strict=True))
            count = f'{len(poor)} frames'
            print(f'{sequence:15} {count:10} recall {recall:.2f} precision {precision:.2f}')


if __name__ == '__main__':
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
