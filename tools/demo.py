"""Track objects in a video: python tools/demo.py VIDEO --config NAME --checkpoint FILE."""

from __future__ import annotations

import sys

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.video.command import main

if __name__ == '__main__':
    sys.exit(main(['track', *sys.argv[1:]]))
