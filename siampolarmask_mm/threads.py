"""in_threads: the same work for several objects at once, while a GPU runs the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import lru_cache

import torch
from threadpoolctl import threadpool_limits


def in_threads(work: Callable, *arguments: Iterable) -> list:
    """What ``map`` gives; on a machine whose GPU is in use, several calls at once.

    As many as torch may use threads. It pays where compiled code takes most of the time,
    since that lets other threads run. Without a GPU, the network keeps all cores busy, and
    runs slower beside threads of others than what these gain (of five objects, nothing).
    Settings of torch that belong to a thread, such as autocast, are not the caller's.

    Args:
        work: called with one of each of the arguments.
        arguments: all of one length.

    Raises:
        ValueError: if their lengths differ.
        Exception: of the first call that fails; the others have ended, or never begin.
    """
    calls = list(zip(*arguments, strict=True))
    num_threads = torch.get_num_threads()
    if not torch.cuda.is_initialized() or min(num_threads, len(calls)) < 2:
        return [work(*call) for call in calls]
    running = [_pool(num_threads).submit(work, *call) for call in calls]
    wait(running, return_when=FIRST_EXCEPTION)
    for future in running:
        future.cancel()  # does nothing to what is done, or being done
    wait(running)  # so that nothing goes on behind the caller's back
    failed = [f.exception() for f in running if not f.cancelled() and f.exception()]
    if failed:
        raise failed[0]
    return [future.result() for future in running]


@lru_cache(maxsize=1)
def _pool(num_threads: int) -> ThreadPoolExecutor:
    # A fork has no threads, but no GPU either, and does not come here.
    return ThreadPoolExecutor(num_threads, 'siampolarmask', initializer=_keep_to_one_core)


def _keep_to_one_core() -> None:
    """Have operators of torch that are called in this thread not start others."""
    torch.get_num_threads()  # torch sets the number itself when it is first asked
    threadpool_limits(1, user_api='openmp')  # of the calling thread
