import threading

import pytest

from ai_exec.workers.queue import Job, JobQueue, QueueClosed, QueueFull


def job(name: str) -> Job:
    return Job((name.encode(), b"", b""), lambda: b"", None)


def test_awaited_work_comes_first() -> None:
    queue = JobQueue(awaited_max=2, early_max=2)
    early = queue.submit(job("early"), awaited=False)
    awaited = queue.submit(job("awaited"), awaited=True)

    assert [queue.take(), queue.take()] == [awaited, early]


def test_equal_work_is_done_once_and_moves_up_when_awaited() -> None:
    queue = JobQueue(awaited_max=2, early_max=2)
    other = queue.submit(job("other"), awaited=False)
    wanted = queue.submit(job("wanted"), awaited=False)

    assert queue.submit(job("wanted"), awaited=True) is wanted
    assert queue.take() is wanted
    assert queue.submit(job("wanted"), awaited=True) is wanted
    queue.done(wanted)
    again = queue.submit(job("wanted"), awaited=False)
    assert again is not wanted
    assert [queue.take(), queue.take()] == [other, again]


def test_full_lines_refuse_the_newcomer() -> None:
    queue = JobQueue(awaited_max=1, early_max=1)
    first = queue.submit(job("first"), awaited=False)

    with pytest.raises(QueueFull, match="1 jobs are waiting"):
        queue.submit(job("second"), awaited=False)
    awaited = queue.submit(job("third"), awaited=True)
    with pytest.raises(QueueFull):
        queue.submit(job("fourth"), awaited=True)
    assert [queue.take(), queue.take()] == [awaited, first]


def test_closing_wakes_takers_and_returns_what_is_left() -> None:
    queue = JobQueue(awaited_max=1, early_max=1)
    taken: list[Job | None] = []
    taker = threading.Thread(target=lambda: taken.append(queue.take()))
    taker.start()
    assert queue.close() == ()
    taker.join(5)

    assert taken == [None]
    with pytest.raises(QueueClosed):
        queue.submit(job("late"), awaited=True)


def test_closing_returns_waiting_jobs() -> None:
    queue = JobQueue(awaited_max=1, early_max=1)
    early, awaited = (
        queue.submit(job("early"), awaited=False),
        queue.submit(job("awaited"), awaited=True),
    )

    assert queue.close() == (awaited, early)
    assert queue.take() is None
