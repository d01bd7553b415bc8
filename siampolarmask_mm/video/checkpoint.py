"""A network from its config and a checkpoint that must fit it."""

from __future__ import annotations

import difflib
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from siampolarmask_mm.models import SiamPolarMask
from siampolarmask_mm.registry import MODELS

CONFIGS = Path(__file__).parents[1] / '.mim' / 'configs'
KEYS_LISTED = 20  # of each kind in an error


def read_config(config: str | Path | Config) -> Config:
    """A config, of its file or of the name of one that comes with the package.

    Raises:
        FileNotFoundError: if there is neither a file nor a name like that; it lists names
            that are close.
        ValueError: if the file cannot be read as a config.
    """
    if isinstance(config, Config):
        return config
    if Path(config).is_file():
        try:
            return Config.fromfile(config)
        except Exception as error:  # a config is a program, which may raise anything
            raise ValueError(
                f'a config expected, {config} cannot be read: '
                f'{type(error).__name__}: {error}'
            ) from error
    name = str(config).rpartition('::')[2].rpartition('/')[2].removesuffix('.py')
    shipped = {
        path.stem: path
        for path in sorted(CONFIGS.glob('**/*.py'))
        if '_base_' not in path.parts
    }
    if name not in shipped:
        close = difflib.get_close_matches(name, shipped, n=3, cutoff=0.3) or shipped
        raise FileNotFoundError(
            f'a file or the name of a config expected, got {config}; there are, '
            f'among others: {", ".join(close)}'
        )
    return Config.fromfile(shipped[name])


def load_network(
    config: str | Path | Config,
    checkpoint: str | Path,
    device: str | torch.device | None = None,
) -> SiamPolarMask:
    """The network of a config with the weights of a checkpoint, ready to track.

    Args:
        config: see `read_config`.
        checkpoint: file or address of weights, as mmengine's runner saves them.
        device: where it runs; a GPU if there is one, if not given.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
        TypeError: if the config's model is not a SiamPolarMask.
        ValueError: if the config has no model, torch has no such device, or the checkpoint
            cannot be read, or does not fit: it lists the keys that are missing, unexpected
            or of another shape.
    """
    config = read_config(config)
    if 'model' not in config:
        raise ValueError(f'a config with a model expected, got {list(config)}')
    device = find_device(device)
    with DefaultScope.overwrite_default_scope('siampolarmask_mm'):
        network = MODELS.build(config.model)
    if not isinstance(network, SiamPolarMask):
        name = type(network).__name__
        raise TypeError(f'a config of a SiamPolarMask expected, got a {name}')
    fit_weights(network, read_weights(checkpoint), str(checkpoint))
    return network.to(device).eval()


def find_device(device: str | torch.device | None = None) -> torch.device:
    """A device that torch can use; a GPU if there is one, if none is asked for.

    Raises:
        ValueError: if torch cannot use it.
    """
    if device is None:
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = str(error).partition('\n')[0]
        raise ValueError(
            f'a device as cpu, cuda or cuda:1 expected, torch cannot use {device}: {reason}'
        ) from error
    return torch.device(device)


def read_weights(checkpoint: str | Path) -> dict[str, Tensor]:
    """The weights in a file or at an address, without the prefix of parallel training.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no checkpoint.
    """
    checkpoint = str(checkpoint)
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise FileNotFoundError(f'no checkpoint at {checkpoint}')
    try:
        content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    except OSError:
        raise
    except Exception as error:  # what is no checkpoint may raise anything
        raise ValueError(f'a checkpoint expected, {checkpoint} cannot be read') from error
    weights = content.get('state_dict', content) if isinstance(content, dict) else {}
    if not weights or not all(torch.is_tensor(value) for value in weights.values()):
        raise ValueError(f'a checkpoint with a state_dict expected in {checkpoint}')
    return {name.removeprefix('module.'): value for name, value in weights.items()}


def fit_weights(network: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    """Load weights into a network that has just these.

    Args:
        network: that gets them.
        weights: by key.
        name: of the checkpoint, for the error.

    Raises:
        ValueError: if they do not fit, with the keys.
    """
    check_weights(network, weights, name)
    network.load_state_dict(weights)


def check_weights(
    network: nn.Module,
    weights: dict[str, Tensor],
    name: str,
    *,
    may_have_more: bool = False,
) -> None:
    """Refuse weights that do not fit a network.

    Args:
        network: that would get them.
        weights: by key.
        name: of the checkpoint, for the error.
        may_have_more: whether weights that the network has no place for are no error.

    Raises:
        ValueError: if they do not fit, with the keys.
    """
    own = network.state_dict()
    misshaped = [
        f'{key} {tuple(weights[key].shape)} instead of {tuple(value.shape)}'
        for key, value in own.items()
        if key in weights and weights[key].shape != value.shape
    ]
    problems = {
        'missing': [key for key in own if key not in weights],
        'unexpected': [key for key in weights if key not in own and not may_have_more],
        'of another shape': misshaped,
    }
    if any(problems.values()):
        parts = [_list(kind, keys) for kind, keys in problems.items() if keys]
        raise ValueError(f'{name} does not fit the config: ' + '; '.join(parts))


def _list(kind: str, keys: list[str]) -> str:
    shown = ', '.join(keys[:KEYS_LISTED])
    more = f' and {len(keys) - KEYS_LISTED} more' if len(keys) > KEYS_LISTED else ''
    return f'{len(keys)} {kind}: {shown}{more}'
