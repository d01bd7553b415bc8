"""in_threads gives what a loop gives, several at once where a GPU is in use."""

import threading
import time

import pytest
import torch

from siampolarmask_mm.threads import in_threads


@pytest.fixture
def gpu_in_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: True)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures('gpu_in_use')
def test_results_keep_their_order():
    assert in_threads(lambda a, b: a - b, range(9), [1] * 9) == list(range(-1, 8))


@pytest.mark.usefixtures('gpu_in_use')
def test_two_calls_run_at_once_and_each_on_one_core():
    both = threading.Barrier(2, timeout=20)  # a loop would wait for ever

    def meet(_):
        both.wait()
        return torch.get_num_threads()

    assert in_threads(meet, range(2)) == [1, 1]
    assert torch.get_num_threads() == 2


def test_without_a_gpu_the_caller_s_thread_does_all(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: False)
    here = threading.current_thread()
    assert in_threads(lambda _: threading.current_thread(), range(3)) == [here] * 3


@pytest.mark.usefixtures('gpu_in_use')
def test_a_failure_is_raised():
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda a: 1 / a, [1, 0, 1])


@pytest.mark.usefixtures('gpu_in_use')
def test_after_a_failure_nothing_goes_on():
    begun, ended = [], []

    def work(number):
        begun.append(number)
        if number == 0:
            raise RuntimeError
        time.sleep(0.05)
        ended.append(number)

    with pytest.raises(RuntimeError):
        in_threads(work, range(20))
    assert sorted(ended) == sorted(set(begun) - {0})  # what began has ended
    assert len(begun) < 20
    time.sleep(0.1)
    assert len(begun) == len(ended) + 1


def test_as_many_of_each_argument_are_expected():
    with pytest.raises(ValueError, match='shorter'):
        in_threads(max, [1, 2], [3])
