"""One run: from frames to results, until the video ends or the user stops it."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from types import FrameType, TracebackType

from tqdm import tqdm

from siampolarmask_mm.video.reading import Frame, FrameReader
from siampolarmask_mm.video.results import ResultFolder
from siampolarmask_mm.video.tracking import TrackState, VideoTracker

# tqdm's own, but for the rate, of which that gives seconds per frame where it is below 1.
BAR = '{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}{postfix}]'
FRAMES_BETWEEN_SAVES = 100  # as many are tracked again after a crash at most


class StopOnSignal:
    """Within it, Ctrl-C and SIGTERM let the frame at hand be finished; the second kills.

    Attributes:
        wanted: whether one came.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopOnSignal:
        # Only the main thread may ask for signals.
        is_main = threading.current_thread() is threading.main_thread()
        for number in (signal.SIGINT, signal.SIGTERM) if is_main else ():
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.wanted = True
        signal.signal(number, self._before[number])


def track_video(
    reader: FrameReader,
    tracker: VideoTracker,
    results: ResultFolder,
    prompts: dict,
    *,
    progress: bool = True,
) -> bool:
    """Track a video's objects and write what is found.

    Whatever ends the run, what was done is written, and all files are closed.

    Args:
        reader: of frames.
        tracker: that follows.
        results: to write to; where they have a memory, the run goes on from there.
        prompts: arguments of `VideoTracker.init`.
        progress: show a bar with frames per second and confidences.

    Returns:
        Whether the video was followed to its end; else the user stopped.

    Raises:
        OSError: if results cannot be written.
        ValueError: if the video has no frame, or the prompts do not fit the first one.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(StopOnSignal())
        bar = None  # until the first frame is done, which may not fit the prompts
        run = _Run(tracker, results, prompts)
        stack.callback(run.save)
        stack.callback(results.close)  # goes first, and frees the space that was reserved
        for frame in reader:
            state = run.step(frame)
            if bar is None:
                bar = stack.enter_context(_show_progress(reader, progress))
            bar.update()
            if state is not None:
                bar.set_postfix_str(summary(state), refresh=False)
            if stop.wanted:
                return False
        if run.snapshot is None:
            raise ValueError(f'a video with frames expected, {reader.name} has none')
    return True


def _show_progress(reader: FrameReader, progress: bool) -> tqdm:
    return tqdm(
        total=reader.num_frames,
        unit=' frames',
        bar_format=BAR if reader.num_frames else None,
        disable=not progress,
    )


class _Run:
    """What goes from frame to frame."""

    def __init__(self, tracker: VideoTracker, results: ResultFolder, prompts: dict) -> None:
        self.tracker = tracker
        self.results = results
        self.prompts = prompts
        self.snapshot = results.memory
        if self.snapshot is not None:
            tracker.recall(self.snapshot['tracker'])

    def step(self, frame: Frame) -> TrackState | None:
        if self.snapshot is not None and frame.number < self.snapshot['done']:
            self.results.redraw(frame)
            return None
        is_first = self.snapshot is None
        if is_first:
            state = self.tracker.init(frame.image, **self.prompts)
        else:
            state = self.tracker.update(frame.image)
        self.results.write(frame, state)
        # Of a frame whose results could not be written, the tracker's memory is not kept.
        self.snapshot = self.results.snapshot(frame.number + 1, self.tracker.remember())
        if is_first or frame.number % FRAMES_BETWEEN_SAVES == 0:
            self.save()
        return state

    def save(self) -> None:
        if self.snapshot is not None:
            self.results.save(self.snapshot)


def summary(state: TrackState) -> str:
    """Each object's label with its confidence, for a line of progress."""
    parts = [
        f'{label}: lost' if lost else f'{label}: {confidence:.2f}'
        for label, confidence, lost in zip(
            state.labels, state.confidences, state.lost, strict=True
        )
    ]
    return ' '.join(parts)
