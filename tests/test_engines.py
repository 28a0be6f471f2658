"""Work in other processes: all results come back, errors too, and no process is left behind."""

import contextlib
import sys
import textwrap

import psutil
import pytest

from biaskit import engines
from biaskit.engines import Pool
from biaskit.errors import SweepError, WorkerError


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work_for_tests.py").write_text(
        textwrap.dedent(
            '''
            import os
            from biaskit.errors import SweepError

            def refuse(setup, tasks):
                for task in tasks:
                    if task == setup:
                        raise SweepError(f"{task} is refused")
                    yield task

            def die(setup, tasks):
                for task in tasks:
                    if task == setup:
                        os._exit(1)
                    yield task

            class Unreadable:
                def __reduce__(self):
                    return int, ("no number",)

            def unreadable(setup, tasks):
                for task in tasks:
                    yield Unreadable()

            def look_ahead(setup, tasks):
                """Takes the second task before it gives the result of the first"""
                first = next(tasks)
                for second in tasks:
                    print("a library that prints", flush=True)
                    yield first, second
                    first = second
                yield first, None
            '''
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "work_for_tests"
    sys.modules.pop("work_for_tests", None)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("n", [0, 1, 50])
def test_every_task_comes_back_once(n, workers):
    with Pool("biaskit.engines:echo", ["same"] * workers) as pool:
        found = sorted(pool.run(iter(range(n))))
    assert found == [("same", k) for k in range(n)]
    assert not psutil.Process().children()


def test_large_tasks_and_results_do_not_lock_each_other():
    "Both pipes are full at once: a process that reads and a parent that writes would wait for ever"
    large = b"x" * 3_000_000
    with Pool("biaskit.engines:echo", [None, None]) as pool:
        assert sum(len(task) for _, task in pool.run(iter([large] * 8))) == 8 * len(large)


def test_an_error_raised_on_purpose_keeps_its_words(work):
    with Pool(f"{work}:refuse", [7, 7]) as pool, pytest.raises(SweepError, match=r"^7 is refused$"):
        list(pool.run(iter(range(30))))
    assert not psutil.Process().children()


def test_a_process_that_dies_is_an_error_and_no_silence(work):
    with (
        Pool(f"{work}:die", [3]) as pool,
        pytest.raises(WorkerError, match="a working process died"),
    ):
        list(pool.run(iter(range(30))))
    assert not psutil.Process().children()


@pytest.mark.parametrize("n", range(1, 12))
def test_leaving_waits_for_no_result_that_will_never_come(work, n):
    "A process may die while a task for it is on its way, at any moment"
    with Pool(f"{work}:die", [n % 3, 99]) as pool, contextlib.suppress(WorkerError):
        list(pool.run(iter(range(n))))
    assert not psutil.Process().children()


def test_work_may_take_the_next_task_before_it_is_done_with_this_one(work):
    with Pool(f"{work}:look_ahead", [None]) as pool:
        results = pool.run(iter(range(2)))
        # What is printed there goes to stderr, and spoils no result.
        assert next(results) == (0, 1)


def test_tasks_are_taken_no_faster_than_they_are_done():
    taken = []
    with Pool("biaskit.engines:echo", [None]) as pool:
        results = pool.run(taken.append(k) or k for k in range(10_000))
        next(results)
        # In the queue, in the process, one in the hand, and those done meanwhile.
        assert len(taken) < 500
        results.close()


def test_the_work_is_found_by_name():
    assert engines.find_work("biaskit.engines:echo") is engines.echo


def test_a_result_that_cannot_be_read_is_an_error_and_no_waiting(work):
    with Pool(f"{work}:unreadable", [None]) as pool, pytest.raises(WorkerError, match="no number"):
        list(pool.run(iter(range(3))))
