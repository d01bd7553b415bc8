"""How a network is run when it does not learn: faster, and as good as the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn

AMP_TYPES = dict(float16=torch.float16, bfloat16=torch.bfloat16)


class Inference:
    """What to do to a network for tracking; nothing, if no argument is given.

    Args:
        amp: ``bfloat16`` or ``float16`` runs convolutions in that type (autocast); None in
            the weights' own.
        exact: parts of the network that ``amp`` leaves out. What the first layers of a
            MobileNetV2 lose in bfloat16 no later layer makes good. Masks of one frame
            overlap with those of float32 by 0.98 to 0.99 if nothing is exact, and by 0.997
            with ``['backbone.conv1', 'backbone.layer1', 'backbone.layer2']`` (three
            sequences of DAVIS, from one state; all three are needed).
        channels_last: lay features out pixel by pixel, which most convolutions prefer.
        fuse_conv_bn: merge batch norms into the convolutions before them.

    Raises:
        ValueError: if ``amp`` is none of those types.
    """

    def __init__(
        self,
        amp: str | None = None,
        *,
        exact: Sequence[str] = (),
        channels_last: bool = False,
        fuse_conv_bn: bool = False,
    ) -> None:
        if amp is not None and amp not in AMP_TYPES:
            raise ValueError(f'amp must be one of {tuple(AMP_TYPES)}, got {amp!r}')
        self.amp = amp
        self.exact = tuple(exact)
        self.channels_last = channels_last
        self.fuse_conv_bn = fuse_conv_bn

    def prepare(self, network: nn.Module) -> nn.Module:
        """The network to run: a changed copy, or itself if there is nothing to change."""
        if not (self.fuse_conv_bn or self.channels_last or self.exact):
            return network
        network = copy.copy(network)
        # A part at a time, since a tracker also has what it remembers of a video.
        network._modules = {
            name: copy.deepcopy(module) for name, module in network._modules.items()
        }
        network.eval()
        if self.fuse_conv_bn:
            network = fuse_conv_bn(network)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)
        for name in self.exact:
            part = network.get_submodule(name)
            part.forward = _without_amp(part.forward)
        return network

    def layout(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, 3, H, W) as the network wants them in memory."""
        if self.channels_last:
            return images.contiguous(memory_format=torch.channels_last)
        return images

    def context(self, device: torch.device) -> AbstractContextManager:
        """What to run the network within: no gradients, and its type."""
        stack = ExitStack()
        stack.enter_context(torch.inference_mode())
        if self.amp is not None:
            stack.enter_context(torch.autocast(device.type, AMP_TYPES[self.amp]))
        return stack


def _without_amp(forward: Callable) -> Callable:
    def run(features: torch.Tensor) -> torch.Tensor:
        with torch.autocast(features.device.type, enabled=False):
            return forward(features.float())

    return run
