"""
Shards of work that are pure functions, done in other processes.

The work is a generator function, named as ``module:function``, that takes a setup and an iterator
of tasks and yields one result per task, in their order. Taking an iterator lets it prepare the
next task while it does this one. Processes are started by name and not by fork or through the
caller's main module: a script without a main guard, a notebook and a program with threads can
all use them.
"""

import contextlib
import importlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, Full, Queue
from typing import Any, Self

from biaskit.errors import BiaskitError, WorkerError

__all__ = ["Pool", "default_workers", "echo", "find_work", "serve"]

Work = Callable[[Any, Iterator[Any]], Iterator[Any]]
WAITING = 2  # tasks per process that may lie ready: more would only fill memory
AHEAD = 2  # tasks that a process may hold: the one in work, and the one it may prepare
COMMAND = "from biaskit.engines import serve; serve()"


def default_workers() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def find_work(name: str) -> Work:
    """
    Return the generator function of a name.

    Examples
    --------
    >>> find_work("itertools:repeat").__name__
    'repeat'
    """
    module, _, function = name.partition(":")
    found: Work = getattr(importlib.import_module(module), function)
    return found


class Pool:
    """
    Processes that all do the same work; leaving the block ends them.

    Parameters
    ----------
    work : str
        ``module:function``, a generator function as the module's docstring says.
    setups : sequence
        One per process, to be pickled: what the work needs before its first task, such as
        which device is its own.

    Examples
    --------
    >>> with Pool("biaskit.engines:echo", ["a", "a"]) as pool:
    ...     sorted(pool.run(iter([1, 2, 3])))
    [('a', 1), ('a', 2), ('a', 3)]
    """

    def __init__(self, work: str, setups: Sequence[Any]) -> None:
        self._tasks: Queue[Any] = Queue(WAITING * len(setups))
        self._results: Queue[Any] = Queue()
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        self._processes = [
            subprocess.Popen(  # noqa: S603 -- our own interpreter with our own words
                [sys.executable, "-c", COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C is for the parent, who ends them
            )
            for _ in setups
        ]
        self._threads = []
        self._rooms = [threading.Semaphore(AHEAD) for _ in setups]
        for process, setup, room in zip(self._processes, setups, self._rooms, strict=True):
            for target in (self._feed, self._collect):
                arguments = (process, (work, setup), room)
                self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        with contextlib.suppress(Empty):
            while True:  # a thread may wait for a task
                self._tasks.get_nowait()
        for room in self._rooms:
            self._tasks.put(_NO_MORE)
            room.release()  # it may wait for a result that will never come
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)
            process.wait()

    def run(self, tasks: Iterator[Any]) -> Iterator[Any]:
        """
        Yield results as they come, taking new tasks only while there is room.

        Raises
        ------
        WorkerError
            If a process dies, as under a limit of memory.
        BiaskitError
            What the work raised on purpose.
        """
        waiting, upcoming = 0, next(tasks, _NO_MORE)
        while waiting or upcoming is not _NO_MORE:
            if upcoming is not _NO_MORE:
                try:
                    self._tasks.put_nowait(upcoming)
                except Full:
                    pass
                else:
                    waiting, upcoming = waiting + 1, next(tasks, _NO_MORE)
            block = upcoming is _NO_MORE or self._tasks.full()
            while waiting:
                try:
                    result = self._results.get(block=block)
                except Empty:
                    break
                if isinstance(result, BiaskitError):
                    raise result
                if isinstance(result, BaseException):
                    why = str(result) or type(result).__name__
                    raise WorkerError(f"a working process died: {why}") from result
                waiting, block = waiting - 1, False
                yield result

    def _feed(self, process: "subprocess.Popen[bytes]", begin: Any, room: Any) -> None:
        if process.stdin is None:
            return
        with contextlib.suppress(OSError, ValueError):  # the collector sees why
            pickle.dump(begin, process.stdin, pickle.HIGHEST_PROTOCOL)
            while True:
                room.acquire()
                task = self._tasks.get()
                if task is _NO_MORE:
                    return
                pickle.dump(task, process.stdin, pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()

    def _collect(self, process: "subprocess.Popen[bytes]", _begin: Any, room: Any) -> None:
        if process.stdout is None:
            return
        try:
            while True:
                self._results.put(pickle.load(process.stdout))  # noqa: S301 -- our own process
                room.release()  # one task less is held there
        except BaseException as error:
            self._results.put(error)
            room.release()


_NO_MORE = object()


def _close(pipe: Any) -> None:
    with contextlib.suppress(OSError):  # the other end is gone: nothing is left to write to
        pipe.close()


def serve() -> None:
    """Do the work that stdin names, on the tasks that follow there: the main of a process."""
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the results

    def tasks() -> Iterator[Any]:
        with contextlib.suppress(EOFError):
            while True:
                yield pickle.load(stdin)  # noqa: S301 -- written by the process that started us

    work, setup = pickle.load(stdin)  # noqa: S301
    try:
        for result in find_work(work)(setup, tasks()):
            pickle.dump(result, stdout, pickle.HIGHEST_PROTOCOL)
            stdout.flush()
    except BiaskitError as error:
        pickle.dump(error, stdout, pickle.HIGHEST_PROTOCOL)
        stdout.flush()


def echo(setup: Any, tasks: Iterator[Any]) -> Iterator[Any]:
    """Yield every task with the setup: the work that shows how work is done."""
    for task in tasks:
        yield setup, task
