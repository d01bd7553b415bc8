"""The training's curves: python docs/results/curves.py SCALARS_OF_EACH_STAGE.

Reads the scalars.json of mmengine's runs and writes training.csv and training.png beside
this file; without arguments, draws training.csv anew.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use('Agg')
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
LOSSES = ('loss_score', 'loss_centerness', 'loss_rays', 'loss_refined')
COLUMNS = ('stage', 'step', 'lr', *LOSSES)
COLORS = ('#1f6f8b', '#d1495b', '#66a182', '#edae49')  # of the stages


def read_scalars(paths: list[str]) -> list[dict]:
    """A row per logged step, of all stages."""
    rows = []
    for stage, path in enumerate(paths, start=1):
        for line in Path(path).read_text().splitlines():
            logged = json.loads(line)
            if 'loss' in logged:
                logged.update(stage=stage, lr=logged.get('base_lr', logged['lr']))
                rows.append({name: logged.get(name, '') for name in COLUMNS})
    return rows


def write_table(rows: list[dict]) -> None:
    """training.csv."""
    with (HERE / 'training.csv').open('w', newline='') as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator='\n')
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {k: f'{v:.4g}' if isinstance(v, float) else v for k, v in row.items()}
            )


def draw() -> None:
    """training.png of training.csv."""
    with (HERE / 'training.csv').open() as file:
        rows = list(csv.DictReader(file))
    figure, axes = plt.subplots(1, 4, figsize=(12, 2.6), layout='constrained')
    for ax, name in zip(axes, LOSSES, strict=True):
        before = 0
        for stage, color in enumerate(COLORS, start=1):
            points = [row for row in rows if int(row['stage']) == stage]
            steps = [int(row['step']) + before for row in points]
            before = steps[-1]
            values = [float(row[name] or 'nan') for row in points]
            ax.plot(steps, values, color=color, label=f'stage {stage}')
        ax.set_title(name)
        ax.set_xlabel('iteration')
        ax.set_yscale('log')
    axes[0].legend(frameon=False)
    figure.savefig(HERE / 'training.png', dpi=100)


def main() -> None:
    """Write and draw."""
    if sys.argv[1:]:
        write_table(read_scalars(sys.argv[1:]))
    draw()


if __name__ == '__main__':
    main()
