"""Test a tracker: python tools/test.py CONFIG CHECKPOINT [--cfg-options key=value ...]."""

from __future__ import annotations

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from siampolarmask_mm.command_line import read_test_config
from siampolarmask_mm.models import SiamPolarMask
from siampolarmask_mm.video.checkpoint import check_weights, read_weights


def main() -> None:
    """Test with mmengine's runner, as mmtrack does.

    Raises:
        ValueError: if the checkpoint lacks weights of a SiamPolarMask, or has others of
            another shape; the runner would test with random ones in their place.
    """
    config = read_test_config()
    runner = Runner.from_cfg(config)
    network = runner.model.module if is_model_wrapper(runner.model) else runner.model
    checkpoint = config.load_from
    if checkpoint and isinstance(network, SiamPolarMask):
        check_weights(network, read_weights(checkpoint), checkpoint, may_have_more=True)
    runner.test()


if __name__ == '__main__':
    main()
