"""What lets mmtrack 1.0.0rc1 run on released mmcv, mmdet, numpy and torch.

Each patch is a context manager that surrounds the import of the module it concerns.
``install`` has Python call it at that moment, so that importing this package loads
nothing, cannot fail, and changes nothing that the program does not use. A patch acts
only where the installed versions need it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.abc
import importlib.util
import pickle
import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec

Patch = Callable[[], contextlib.AbstractContextManager]

PATCHES: dict[str, list[Patch]] = {}


def around_import_of(*modules: str) -> Callable[[Callable], Patch]:
    """Register a generator function as what surrounds the import of each module."""

    def register(function: Callable) -> Patch:
        patch = contextlib.contextmanager(function)
        for module in modules:
            PATCHES.setdefault(module, []).append(patch)
        return patch

    return register


def install() -> None:
    """Apply every patch when its module is imported, or now if it already was."""
    if any(isinstance(finder, _PatchingFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _PatchingFinder())
    for module in PATCHES:
        if module in sys.modules:
            with _patched(module):
                pass


def _patched(module: str) -> contextlib.ExitStack:
    stack = contextlib.ExitStack()
    for patch in PATCHES[module]:
        stack.enter_context(patch())
    return stack


class _PatchingFinder(importlib.abc.MetaPathFinder):
    """Lets the other finders find a module and surrounds its execution."""

    def __init__(self) -> None:
        self._asking: set[str] = set()

    def find_spec(
        self,
        fullname: str,
        path: object = None,  # noqa: ARG002
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname not in PATCHES or fullname in self._asking:
            return None
        self._asking.add(fullname)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._asking.discard(fullname)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_patched(module: types.ModuleType) -> None:
            with _patched(fullname):
                execute(module)

        spec.loader.exec_module = execute_patched
        return spec


def _release(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, '2.1.0rc1' -> (2, 1, 0)."""
    numbers = re.match(r'\d+(\.\d+)*', version)
    return tuple(int(number) for number in numbers.group().split('.')) if numbers else ()


@around_import_of('mmtrack', 'mmcls')
def accept_released_versions() -> Iterator[None]:
    """Let mmtrack 1.0.0rc1 and mmcls 1.0.0rc6 accept mmcv 2.x and mmdet 3.x.

    Both assert at import that mmcv is below 2.0.0 (mmcls: 2.1.0) and mmdet below 3.0.0:
    they are older than the releases. While they are imported, released versions pose as
    the last candidates that they accept.
    """
    posing = []
    for name, first_release, candidate in (
        ('mmcv', (2, 0, 0), '2.0.0rc4'),
        ('mmdet', (3, 0, 0), '3.0.0rc6'),
    ):
        package = importlib.import_module(name)
        if _release(package.__version__) >= first_release:
            posing.append((package, package.__version__, candidate))
    try:
        for package, _, candidate in posing:
            package.__version__ = candidate
        yield
    finally:
        for package, version, _ in posing:
            package.__version__ = version


@around_import_of('mmtrack.models.track_heads.stark_head')
def name_the_missing_transformer() -> Iterator[None]:
    """Let mmtrack import without mmdet's ``Transformer``, gone since mmdet 3.0.0rc6.

    Only STARK needs it. Where it is missing, building STARK says so.
    """
    layers = importlib.import_module('mmdet.models.layers')
    if hasattr(layers, 'Transformer'):
        yield
        return

    class Transformer:
        """Stands where mmdet's ``Transformer`` was."""

        def __init__(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002
            mmdet = importlib.import_module('mmdet')
            raise ImportError(
                'STARK needs mmdet.models.layers.Transformer, which mmdet has up to '
                f'3.0.0rc5; mmdet {mmdet.__version__} is installed'
            )

    layers.Transformer = Transformer
    try:
        yield
    finally:
        del layers.Transformer


@around_import_of('mmtrack.datasets.transforms.loading')
def restore_numpy_bool() -> Iterator[None]:
    """Give numpy 1.24 to 1.26 the ``np.bool`` that LoadTrackAnnotations uses.

    numpy before 1.24 still has it, numpy 2 has it again.
    """
    numpy = importlib.import_module('numpy')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # numpy before 1.24 warns of its own np.bool
        missing = not hasattr(numpy, 'bool')
    if missing:
        numpy.bool = numpy.bool_
    yield


@around_import_of('mmengine.runner.checkpoint')
def trust_mmengine_checkpoints() -> Iterator[None]:
    """Let torch 2.6 and later load the checkpoints that mmengine writes.

    ``torch.load`` now refuses all but a few types. mmengine 0.10 stores its message hub:
    ``HistoryBuffer`` objects, which hold numpy arrays and, by name, their own methods
    (pickled as ``getattr``). Exactly these are allowed; ``getattr`` of anything else
    stays an error, so that a hostile file cannot run code.
    """
    yield
    torch = importlib.import_module('torch')
    if _release(torch.__version__) < (2, 6):
        return
    numpy = importlib.import_module('numpy')
    multiarray = importlib.import_module(
        'numpy._core.multiarray' if hasattr(numpy, '_core') else 'numpy.core.multiarray'
    )
    torch.serialization.add_safe_globals(
        [
            importlib.import_module('mmengine.logging').HistoryBuffer,
            (_method_of_history_buffer, 'builtins.getattr'),
            numpy.ndarray,
            numpy.dtype,
            *{type(numpy.dtype(kind)) for kind in ('f4', 'f8', 'i4', 'i8', 'b1')},
            *(
                (getattr(multiarray, function), f'numpy.{core}.multiarray.{function}')
                for function in ('_reconstruct', 'scalar')
                for core in ('core', '_core')
            ),
        ]
    )


def _method_of_history_buffer(owner: object, name: str) -> object:
    """What stands for ``getattr`` while a checkpoint is read."""
    history_buffer = importlib.import_module('mmengine.logging').HistoryBuffer
    if owner is not history_buffer or name not in ('min', 'max', 'current', 'mean'):
        raise pickle.UnpicklingError(
            f'a checkpoint may name a statistic of HistoryBuffer, not {name!r} of {owner!r}'
        )
    return getattr(owner, name)


@around_import_of('mmengine.dist.utils')
def distribute_without_cuda() -> Iterator[None]:
    """Let mmengine 0.10 start several processes on machines without CUDA.

    Its launchers call ``torch.cuda.set_device`` whatever the backend, gloo for example.
    """
    yield
    torch = importlib.import_module('torch')
    utils = importlib.import_module('mmengine.dist.utils')
    if torch.cuda.is_available():
        return
    for name in ('_init_dist_pytorch', '_init_dist_slurm', '_init_dist_mpi'):
        setattr(utils, name, _without_set_device(getattr(utils, name)))


def _without_set_device(launch: Callable) -> Callable:
    @functools.wraps(launch)
    def launch_on_cpu(*args: object, **kwargs: object) -> None:
        cuda = importlib.import_module('torch').cuda
        set_device, cuda.set_device = cuda.set_device, lambda device: None  # noqa: ARG005
        try:
            launch(*args, **kwargs)
        finally:
            cuda.set_device = set_device

    return launch_on_cpu


@around_import_of('mmtrack.evaluation.metrics.mot_challenge_metrics')
def do_without_trackeval() -> Iterator[None]:
    """Let mmtrack import without trackeval, which only its MOTChallengeMetric uses."""
    if importlib.util.find_spec('trackeval') is not None:
        yield
        return
    sys.modules['trackeval'] = _AbsentModule('trackeval')
    try:
        yield
    finally:
        del sys.modules['trackeval']


class _AbsentModule(types.ModuleType):
    """Raises an error that names the module to install when it is used."""

    def __getattr__(self, name: str) -> object:
        if name.startswith('__'):
            raise AttributeError(name)
        raise ImportError(f'{self.__name__} is not installed: pip install {self.__name__}')


@around_import_of('vot.region')
def name_the_states_of_vot() -> Iterator[None]:
    """Give vot-toolkit 0.6 and later the ``Special.UNKNOWN`` etc. of mmtrack's VOT metric.

    The toolkit has moved these codes of a frame's state from ``Special`` elsewhere.
    """
    yield
    special = importlib.import_module('vot.region').Special
    for name, code in dict(UNKNOWN=0, INITIALIZATION=1, FAILURE=2).items():
        if not hasattr(special, name):
            setattr(special, name, code)


@around_import_of('mmengine.config.utils')
def name_our_configs() -> Iterator[None]:
    """Let a config inherit from ``siampolarmask_mm::``.

    mmengine 0.10 resolves ``package::`` for a fixed list of packages.
    """
    yield
    utils = importlib.import_module('mmengine.config.utils')
    utils.MODULE2PACKAGE.setdefault('siampolarmask_mm', 'siampolarmask_mm')


def _join_scope_of_mmtrack(part: str, module: str) -> None:
    """Load our modules with mmtrack's, whose registries then know our names as well."""

    def load_ours_too() -> Iterator[None]:
        yield
        importlib.import_module(f'siampolarmask_mm.{module}')

    around_import_of(f'mmtrack.{part}')(load_ours_too)


for _part, _module in dict(
    models='models',
    datasets='datasets',
    evaluation='evaluation.davis_metric',
    visualization='visualization',
).items():
    _join_scope_of_mmtrack(_part, _module)
