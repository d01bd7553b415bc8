"""SiamPolarMask: track an object in video and give its mask, as an OpenMMLab plugin."""

from siampolarmask_mm.openmmlab import install

__version__ = '0.1.0'

install()
