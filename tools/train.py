"""Train a tracker: python tools/train.py CONFIG [--cfg-options key=value ...]."""

from __future__ import annotations

from mmengine.runner import Runner

from siampolarmask_mm.command_line import read_train_config


def main() -> None:
    """Train with mmengine's runner, as mmtrack does."""
    Runner.from_cfg(read_train_config()).train()


if __name__ == '__main__':
    main()
