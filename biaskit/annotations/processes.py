"""
Batches of files parsed in other processes, in an order that does not matter.

The processes are started by name and not by fork or through the caller's main module: a
script without a main guard, a notebook and a program with threads can all read boxes.
"""

import contextlib
import gc
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from queue import Empty, Full, Queue
from typing import Any

from biaskit.annotations.archive import Named
from biaskit.annotations.imagenet_xml import XmlOptions, read_xml
from biaskit.annotations.raw import RawBox, as_columns
from biaskit.annotations.repairs import Repair
from biaskit.errors import AnnotationError

__all__ = ["Batch", "Parsed", "default_workers", "parse_batch", "parse_batches", "serve"]

Batch = tuple[int, XmlOptions, list[Named]]  # number of the source, its options, files
Parsed = tuple[int, int, list[Any], list[Repair]]  # source, number of files, columns, repairs
WAITING = 2  # batches per process that may lie ready: more would only fill memory
STARTING = 4  # batches that are parsed at once before other processes are worth their start
COMMAND = "from biaskit.annotations.processes import serve; serve()"


def default_workers() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parse_batch(batch: Batch) -> Parsed:
    """Parse one batch into the columns of `RawBox`: arrays and lists, no object per row."""
    source, options, files = batch
    boxes: list[RawBox] = []
    repairs: list[Repair] = []
    for name, data in files:
        read, repaired = read_xml(name, data, options)
        boxes += read
        repairs += repaired
    return source, len(files), as_columns(boxes), repairs


def parse_batches(batches: Iterator[Batch], workers: int) -> Generator[Parsed, None, None]:
    """
    Yield every batch parsed, as soon as it is.

    Parameters
    ----------
    batches : iterator of Batch
        Read no faster than they are parsed.
    workers : int
        Processes; 1 parses here. A few batches are always parsed here.

    Raises
    ------
    AnnotationError
        If a process dies, as under a limit of memory.
    """
    for _, batch in zip(range(STARTING), batches, strict=False):
        yield parse_batch(batch)
    if workers <= 1:
        yield from map(parse_batch, batches)
        return
    first = next(batches, None)
    if first is not None:
        with _Pool(workers) as pool:
            yield from pool.run(first, batches)


class _Pool:
    """Processes, each with a thread that feeds it; leaving the block ends them all."""

    def __init__(self, workers: int) -> None:
        self._tasks: Queue[Batch | None] = Queue(WAITING * workers)
        self._results: Queue[Parsed | BaseException] = Queue()
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        self._processes = [
            subprocess.Popen(  # noqa: S603 -- our own interpreter with our own words
                [sys.executable, "-c", COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C is for the parent, who ends them
            )
            for _ in range(workers)
        ]
        self._threads = [
            threading.Thread(target=self._feed, args=(process,), daemon=True)
            for process in self._processes
        ]

    def __enter__(self) -> "_Pool":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        while True:  # a thread may wait for a task
            try:
                self._tasks.get_nowait()
            except Empty:
                break
        for _process in self._processes:
            self._tasks.put(None)
        for thread, process in zip(self._threads, self._processes, strict=True):
            thread.join()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)
            process.wait()

    def run(self, first: Batch, batches: Iterator[Batch]) -> Iterator[Parsed]:
        """Yield results as they come, taking new batches only while there is room."""
        waiting, batch, last = 0, first, False
        while waiting or not last:
            if not last:
                try:
                    self._tasks.put_nowait(batch)
                except Full:
                    pass
                else:
                    waiting += 1
                    following = next(batches, None)
                    if following is None:
                        last = True
                    else:
                        batch = following
            block = last or self._tasks.full()
            while waiting:
                try:
                    result = self._results.get(block=block)
                except Empty:
                    break
                if isinstance(result, BaseException):
                    raise AnnotationError(f"a reading process died: {result}") from result
                waiting, block = waiting - 1, False
                yield result

    def _feed(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdin is None or process.stdout is None:
            return
        try:
            while (task := self._tasks.get()) is not None:
                pickle.dump(task, process.stdin, pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()
                self._results.put(pickle.load(process.stdout))  # noqa: S301 -- our own process
        except (OSError, EOFError, pickle.UnpicklingError, ValueError) as error:
            self._results.put(error)


def _close(pipe: Any) -> None:
    with contextlib.suppress(OSError):  # the other end is gone: nothing is left to write to
        pipe.close()


def serve() -> None:
    """Parse batches from stdin to stdout until there are no more: the main of a process."""
    gc.disable()  # rows hold no cycles: looking for them would take a sixth of the time
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            batch = pickle.load(stdin)  # noqa: S301 -- written by the process that started us
        except EOFError:
            return
        pickle.dump(parse_batch(batch), stdout, pickle.HIGHEST_PROTOCOL)
        stdout.flush()
