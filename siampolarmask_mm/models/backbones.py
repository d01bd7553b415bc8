"""Backbones at stride 8 that pad symmetrically, beside mmtrack's SOTResNet."""

from __future__ import annotations

from mmdet.models.backbones import MobileNetV2
from torch import nn

from siampolarmask_mm.registry import MODELS


@MODELS.register_module()
class SOTMobileNetV2(MobileNetV2):
    """MobileNetV2 whose deep layers stay at stride 8, dilated instead of strided.

    The weights are those of mmdet's MobileNetV2. Crops of 8 n + 1 pixels (129, 257) keep
    the features of template and search aligned.

    Args:
        out_indices: layers whose features are returned, 0 to 6. Layers 2, 4 and 6 have 32,
            96 and 320 channels at ``widen_factor`` 1; layers 0 and 1, for a MaskRefiner, 16
            at stride 2 and 24 at stride 4. Layers after the last are left out.
        **kwargs: of mmdet's MobileNetV2.

    Raises:
        ValueError: if there is no such layer, or the last one is not at stride 8.

    Source: the dilation is SiamRPN++'s (arXiv:1812.11703, section 3.2) for ResNet-50.
    """

    def __init__(self, out_indices: tuple[int, ...] = (2, 4, 6), **kwargs: object) -> None:
        if not set(out_indices) <= set(range(7)) or max(out_indices) < 2:
            raise ValueError(
                'layers 0 to 6, of which 2 to 6 are at stride 8, expected, got '
                f'out_indices {out_indices}'
            )
        super().__init__(out_indices=out_indices, **kwargs)
        self.frozen_stages = min(self.frozen_stages, max(out_indices) + 1)
        self.layers = self.layers[: max(out_indices) + 1]
        for name, _ in list(self.named_children()):
            if name != 'conv1' and name not in self.layers:
                delattr(self, name)
        dilation = 1
        for name in self.layers[2:]:
            for block in getattr(self, name):
                conv = block.depthwise_conv.conv
                conv.dilation = conv.padding = (dilation, dilation)
                if conv.stride != (1, 1) and name != 'layer3':
                    conv.stride = (1, 1)
                    dilation *= 2  # what follows sees its input half as densely sampled

    def train(self, mode: bool = True) -> nn.Module:
        """Keep frozen layers and, with ``norm_eval``, all batch norms in test mode."""
        super().train(mode)
        if self.frozen_stages >= 0:
            self.conv1.eval()  # which MobileNetV2 forgets
        return self
