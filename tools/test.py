"""Test a tracker: python tools/test.py CONFIG CHECKPOINT [--cfg-options key=value ...]."""

from __future__ import annotations

from mmengine.runner import Runner

from siampolarmask_mm.command_line import read_test_config


def main() -> None:
    """Test with mmengine's runner, as mmtrack does."""
    Runner.from_cfg(read_test_config()).test()


if __name__ == '__main__':
    main()
