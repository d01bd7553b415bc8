"""Weights alone, for others: python tools/publish_model.py CHECKPOINT PUBLISHED --half."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.model_zoo import publish


def main() -> None:
    """Write them."""
    parser = ArgumentParser(description='Take the weights out of a checkpoint.')
    parser.add_argument('checkpoint', help='File or address of the checkpoint.')
    parser.add_argument('published', type=Path, help='File to write.')
    parser.add_argument(
        '--half', action='store_true', help='Store them in half precision (off).'
    )
    args = parser.parse_args()
    publish(args.checkpoint, args.published, half=args.half)
    print(f'{args.published}: {args.published.stat().st_size / 1e6:.1f} MB')


if __name__ == '__main__':
    main()
