"""Train and test all rows of docs/comparison.md: python tools/compare_shapes.py.

Data lie in data/ as for the package's network. Weights, logs and comparison.csv come into
work_dirs/comparison/; what is there already is not done again.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / 'work_dirs/comparison'
NAME = 'mobilenetv2-matching_1xb16-3000i_coco-duts-ytvos-davis_test-davis2016'
SCORES = ('davis/J&F-Mean', 'davis/J-Mean', 'davis/F-Mean', 'sot/success')

OURS, RAYS = 'siampolarmask', 'model.head.num_rays=36'
ONE_STAR = 'model.assigner.representation=one_star model.decoder.decoding=one_star'
ALONE = 'model.head.matching=None model.previous_mask=None'
SHORT = 'train_cfg.max_iters=600 train_cfg.val_interval=600 param_scheduler.1.end=600'
# Shapes alone: what is taken for lost depends on a network's scores.
TESTED = 'model.lost_and_found=None test_evaluator.0.references=[]'
LEARNING = (
    'model.backbone.frozen_stages=2 '
    'optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult=0.1'
)
PIPELINES = [f'train_dataloader.dataset.dataset.datasets.{i}.pipeline' for i in range(4)]

SHAPES = {  # network: config and options
    'one_star_36': (OURS, f'{ONE_STAR} {RAYS}'),
    'one_star_72': (OURS, ONE_STAR),
    'union_36': (OURS, RAYS),
    'union_72': (OURS, ''),
    'mask_vector': ('siammask-like', ''),
    'box': ('siamcar-like', ''),
    'pixels': ('pixel-head', ''),
}
LOSSES = {
    'squared': (OURS, 'model.losses.rays.power=2.0'),
    'area': (OURS, 'model.losses.rays.type=AreaIoULoss'),
}
OURS_ALONE = {'union_72': SHAPES['union_72']}
GROUPS = {  # what is trained at once, and options of all
    'matching': (SHAPES | LOSSES, ''),
    'without': (SHAPES, ALONE),
    'no_negatives': (OURS_ALONE, ' '.join(f'{p}.0.negative_prob=0' for p in PIPELINES)),
    'no_shift': (OURS_ALONE, ' '.join(f'{p}.4.max_shift=[4,0]' for p in PIPELINES)),
    'unfrozen': (OURS_ALONE, LEARNING),  # which is not shared: trained by itself
}
FUSIONS = {  # test: network and options
    f'{network}_{fusion}': (network, f'model.decoder.fusion={fusion}')
    for network in ('union_36', 'union_72')
    for fusion in ('capped', 'plain')
}
SETTINGS = {
    'no_edges': ('union_72', 'model.decoder.edges=None'),
    'no_centerness': ('union_72', 'model.decoder.use_centerness=False'),
    'no_smoothing': ('union_72', 'model.decoder.update_rate=None'),
    'no_window': ('union_72', 'model.decoder.window_influence=0'),
    'no_penalty': ('union_72', 'model.decoder.penalty_k=0'),
}
TESTS = {
    'matching': FUSIONS | SETTINGS,
    'without': FUSIONS,
    'no_negatives': {},
    'no_shift': {},
    'unfrozen': {},
}


def config(name: str) -> str:
    """The file of a row's config."""
    return f'configs/siampolarmask/{name}_{NAME}.py'


def train(group: str) -> None:
    """All networks of a group, on the same pairs."""
    networks, options = GROUPS[group]
    if all((OUT / group / f'{name}.pth').is_file() for name in networks):
        return
    if group == 'unfrozen':
        train_alone(group)
        return
    rows = []
    for name, (kind, own) in networks.items():
        rows += ['--row', name, config(kind), *own.split(), *options.split()]
    command = ['tools/train_side_by_side.py', str(OUT / group), *rows]
    run([*command, '--cfg-options', *SHORT.split(), '--resume'])


def train_alone(group: str) -> None:
    """The only network of a group whose backbone learns."""
    networks, options = GROUPS[group]
    ((name, (kind, own)),) = networks.items()
    folder = OUT / group
    command = ['tools/train.py', config(kind), '--work-dir', str(folder), '--resume']
    run([*command, '--cfg-options', *own.split(), *options.split(), *SHORT.split()])
    weights = [str(folder / 'iter_600.pth'), str(folder / f'{name}.pth')]
    run(['tools/publish_model.py', *weights])


def score(group: str, name: str, network: str, more: str) -> list[str]:
    """The scores of a network, tested with some more options."""
    networks, of_group = GROUPS[group]
    kind, own = networks[network]
    folder = OUT / group / f'test_{name}'
    log = folder / 'log.txt'
    if not log.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        options = f'{own} {of_group} {more} {TESTED}'.split()
        command = ['tools/test.py', config(kind), str(OUT / group / f'{network}.pth')]
        command += ['--work-dir', str(folder), '--cfg-options', *options]
        part = log.with_suffix('.part')
        with part.open('w') as file:
            run(command, stdout=file, stderr=subprocess.STDOUT)
        part.rename(log)
    printed = log.read_text()
    return [re.findall(rf'{name}: ([0-9.]+)', printed)[-1] for name in SCORES]


def run(command: list[str], **kwargs: object) -> None:
    """A tool, from the repository's root."""
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, **kwargs)


def main() -> None:
    """Everything, and the table."""
    ArgumentParser(
        description='Train and test the rows of docs/comparison.md in work_dirs/comparison.'
    ).parse_args()
    rows = []
    for group, (networks, _) in GROUPS.items():
        train(group)
        tests = {name: (name, '') for name in networks} | TESTS[group]
        for name, (network, more) in tests.items():
            rows.append([group, name, *score(group, name, network, more)])
            print(*rows[-1], flush=True)
    with (OUT / 'comparison.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['training', 'row', *SCORES])
        writer.writerows(rows)


if __name__ == '__main__':
    main()
