"""Messages that were given up: why, and putting them back, once somebody types how many."""

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from rebound.console.http.operations.watching import TABS
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.errors import NotFoundError

QUEUES: Final = 5
"""On one page: each is asked for by a request of its own."""
LETTERS: Final = 10
MOST_REQUESTS: Final = 2
"""To read them: SQS gives few at a time."""
_NUMBER: Final = re.compile("[0-9]{1,9}")
REDRIVING: Final = timedelta(seconds=15)
"""How long one form works, within what the gateway waits."""


def show_list(visit: Visit) -> PageAnswer:
    """Some of the queues, with how many of their messages were given up."""
    names = visit.behind.ports.dead_letter_queues.names
    places = range(0, len(names), QUEUES)
    place = next((start for start in places if str(start) == visit.request.query.one("from")), 0)
    return visit.page(
        "operations_letters",
        tabs=TABS,
        tab="dead-letters",
        counts=visit.behind.dead_letter_service.waiting(names[place : place + QUEUES]),
        parts=[(start, names[start : start + QUEUES], start == place) for start in places],
    )


def show(visit: Visit, queue: str) -> PageAnswer:
    """Some messages of one queue: what they are about, and why they were given up."""
    return _queue(visit, queue)


def redrive(visit: Visit, queue: str) -> PageAnswer:
    """Put them back, when the number is right."""
    _check(visit, queue)
    typed = visit.request.form.one("number")
    waiting = visit.behind.dead_letter_service.waiting([queue])[queue]
    if typed != str(waiting):
        return _queue(visit, queue, typed=typed, is_wrong=True)
    clock = visit.behind.ports.clock
    until = clock.now() + REDRIVING
    redriven = visit.behind.dead_letter_service.redrive(queue, lambda: clock.now() < until)
    count = redriven.counts[queue]
    visit.did(name=queue, number=str(count))
    done = {"redriven": str(count), **({} if redriven.done else {"more": "1"})}
    return see(visit.request.link("operations", "dead-letters", queue, query=done))


def _check(visit: Visit, queue: str) -> None:
    if queue not in visit.behind.ports.dead_letter_queues.names:
        raise NotFoundError("queue")


def _queue(visit: Visit, queue: str, *, typed: str = "", is_wrong: bool = False) -> PageAnswer:
    _check(visit, queue)
    [found] = visit.behind.dead_letter_service.list(queue, LETTERS, MOST_REQUESTS).values()
    redriven = visit.request.query.one("redriven")
    wrong = {"number": [visit.words("operations.number_wrong", n=found.waiting)]} if is_wrong else {}
    return visit.page(
        "operations_letters_of_queue",
        HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK,
        tabs=TABS,
        tab="dead-letters",
        queue=queue,
        found=found,
        typed=typed,
        wrong=wrong,
        redriven=int(redriven) if _NUMBER.fullmatch(redriven) else None,
        more="more" in visit.request.query,
    )
