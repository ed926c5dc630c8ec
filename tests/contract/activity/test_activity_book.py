"""Events, pointers and parts of requests, each written by itself: one suite against the fake and the table."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from rebound.activity.adapters.activity_queue import SqsActivityQueue, decode_activity
from rebound.activity.domain.events import Event, EventKind
from rebound.activity.domain.words import ActivityTask, Cell, Kept, Place, Pointer, Word, stamp_of, time_of_stamp
from rebound.kernel.errors import ConcurrentChangeError, InvalidInputError
from tests.contract.activity.test_summaries import EVENTS, FULL
from tests.fakes.aws import make
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of

WHO: Final = id_of(1)
TASK: Final = ActivityTask(BUSINESS_ID, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 3)
EVENT: Final = Event(
    event_id="e:1", kind=EventKind.VISIT, at=at(0.123456), class_id="y#ö", amount=Decimal("1.50"), currency="EUR"
)
CELL: Final = Cell("e:1", EVENT.at, "02", EVENT, external=True)


def cells(ports: EveryPorts, business_id: str = BUSINESS_ID) -> list[Cell]:
    return list(ports.activity.read(business_id, WHO).cells)


def test_a_part_is_kept_whole_until_it_is_applied(ports: EveryPorts) -> None:
    words = [Word("a", "01"), *(Word(each.event_id, "02", WHO, each, external=True) for each in EVENTS)]
    ports.activity.stage(TASK, words)

    assert list(ports.activity.staged(TASK)) == words
    assert ports.activity.staged(replace(TASK, part=4)) == ()
    for _ in range(2):
        ports.activity.unstage(TASK)
    assert ports.activity.staged(TASK) == ()


def test_a_pointer_is_written_over_the_one_that_was_read(ports: EveryPorts) -> None:
    first, gone = Pointer("e:1", "01", "digest", Place(WHO, at(0.5))), Pointer("e:1", "02", "")
    ports.activity.point(BUSINESS_ID, first, read=None)
    for read in (None, replace(first, stamp="00")):
        with pytest.raises(ConcurrentChangeError):
            ports.activity.point(BUSINESS_ID, gone, read=read)

    assert ports.activity.pointers(BUSINESS_ID, ["e:1", "e:2"]) == {"e:1": first}
    assert ports.activity.pointers("other", ["e:1"], as_of_now=True) == {}
    ports.activity.point(BUSINESS_ID, gone, read=first)
    assert ports.activity.pointers(BUSINESS_ID, ["e:1"], as_of_now=True) == {"e:1": gone}
    assert ports.activity.pointers(BUSINESS_ID, []) == {}


def test_a_pointer_is_written_over_what_was_read_of_when_it_was_told(ports: EveryPorts) -> None:
    first, place = Pointer("e:1", "05", "digest", Place(WHO, at(0.5))), Place(WHO, at(9))
    again = Pointer("e:1", "07", "", place, first="05", soonest=timedelta(hours=-3, microseconds=7))
    earlier = replace(again, first="02")
    sooner = replace(earlier, soonest=timedelta())
    for pointer, read in ((first, None), (again, first), (earlier, again), (sooner, earlier)):
        ports.activity.point(BUSINESS_ID, pointer, read=read)
        assert ports.activity.pointers(BUSINESS_ID, ["e:1"], as_of_now=True) == {"e:1": pointer}
    for stale in (again, earlier, replace(sooner, soonest=None), replace(sooner, first=None), None):
        with pytest.raises(ConcurrentChangeError):
            ports.activity.point(BUSINESS_ID, replace(sooner, stamp="09"), read=stale)

    assert ports.activity.pointers(BUSINESS_ID, ["e:1"]) == {"e:1": sooner}
    assert [each.told for each in (first, again, earlier)] == ["05", "05", "02"]


def test_of_two_cells_of_a_place_the_later_word_stays(ports: EveryPorts) -> None:
    for cell in (CELL, replace(CELL, stamp="01", event=None), replace(CELL, event=None)):
        ports.activity.set_cell(BUSINESS_ID, WHO, cell)
    assert cells(ports) == [CELL]

    emptied = replace(CELL, stamp="03", event=None, external=False)
    ports.activity.set_cell(BUSINESS_ID, WHO, emptied)
    assert cells(ports) == [emptied]
    assert cells(ports, "other") == []


def test_all_of_a_customer_is_read_with_the_version_of_the_summary(ports: EveryPorts) -> None:
    assert ports.activity.read(BUSINESS_ID, WHO) == Kept([])
    ports.activity.set_cell(BUSINESS_ID, WHO, CELL)
    ports.activity.save_summary(BUSINESS_ID, WHO, FULL, read=0)
    first = ports.activity.read(BUSINESS_ID, WHO)
    ports.activity.save_summary(BUSINESS_ID, WHO, None, read=first.version, erased="05")
    second = ports.activity.read(BUSINESS_ID, WHO)

    assert first == Kept([CELL], FULL, first.version)
    assert first.version > 0
    assert second == Kept([CELL], None, first.version + 1, "05")


def test_of_whom_something_is_known_is_told_of_many_at_once(ports: EveryPorts) -> None:
    for number in (1, 2, 3):
        ports.activity.save_summary(BUSINESS_ID, id_of(number), FULL, read=0)
    # What was erased leaves a row, and an event that is not counted yet is not known.
    version = ports.activity.read(BUSINESS_ID, id_of(2)).version
    ports.activity.save_summary(BUSINESS_ID, id_of(2), None, read=version, erased="05")
    ports.activity.set_cell(BUSINESS_ID, id_of(4), CELL)

    asked = [id_of(number) for number in range(1, 150)]
    assert ports.activity.known_of(BUSINESS_ID, asked) == {id_of(1), id_of(3)}
    assert ports.activity.known_of("other", asked) == frozenset()
    assert ports.activity.known_of(BUSINESS_ID, []) == frozenset()


def test_what_happened_since_is_read_in_its_order_without_the_summary(ports: EveryPorts) -> None:
    ports.activity.save_summary(BUSINESS_ID, WHO, FULL, read=0)
    moments = [at(0) + timedelta(seconds=seconds) for seconds in (-0.000001, 0, 0.5, 90_000)]
    known = [Cell(f"e{number}", moment, "01", replace(EVENT, at=moment)) for number, moment in enumerate(moments)]
    for cell in reversed(known):
        ports.activity.set_cell(BUSINESS_ID, WHO, cell)

    assert list(ports.activity.since(BUSINESS_ID, WHO, at(0))) == known[1:]
    assert list(ports.activity.since(BUSINESS_ID, WHO, at(0) + timedelta(days=9))) == []
    assert list(ports.activity.since(BUSINESS_ID, id_of(2), at(0))) == []


def test_cells_are_erased_as_they_were_read_with_the_pointers_that_lead_to_them(ports: EveryPorts) -> None:
    other = replace(CELL, event_id="e:2")
    for cell in (CELL, other):
        ports.activity.set_cell(BUSINESS_ID, WHO, cell)
    elsewhere = Pointer("e:2", "09", "d", Place(id_of(2), other.at))
    ports.activity.point(BUSINESS_ID, Pointer("e:1", "02", "d", Place(WHO, CELL.at)), read=None)
    ports.activity.point(BUSINESS_ID, elsewhere, read=None)
    for _ in range(2):
        ports.activity.erase(BUSINESS_ID, WHO, [CELL, replace(other, stamp="01")])

    assert cells(ports) == [other]
    assert ports.activity.pointers(BUSINESS_ID, ["e:1", "e:2"], as_of_now=True) == {"e:2": elsewhere}


def test_events_are_listed_newest_first_page_by_page_without_what_is_gone(ports: EveryPorts) -> None:
    for number in range(7):
        moment = at(0) + timedelta(hours=number)
        event = None if number % 3 == 1 else replace(EVENT, event_id=str(number), at=moment)
        ports.activity.set_cell(BUSINESS_ID, WHO, Cell(str(number), moment, "01", event))
    ports.activity.save_summary(BUSINESS_ID, WHO, FULL, read=0)
    found, cursor = [], None
    while True:
        page = ports.activity.page(BUSINESS_ID, WHO, 2, cursor)
        found.append([event.event_id for event in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == [["6", "5"], ["3", "2"], ["0"]]
    with pytest.raises(InvalidInputError):
        ports.activity.page(BUSINESS_ID, WHO, 2, "bogus!")


def test_stamps_sort_by_time_and_never_repeat(ports: EveryPorts) -> None:
    given = [stamp for _ in range(3) for stamp in ports.stamps.next(500)]

    assert given == sorted(set(given))
    assert time_of_stamp(stamp_of(at(0.123456), "~")) == at(0.123456)
    assert stamp_of(at(1)) < stamp_of(at(1), "0") < stamp_of(at(1), "~") < stamp_of(at(2))


def test_the_queue_has_ids_and_nothing_else(on_aws: bool) -> None:
    if not on_aws:
        pytest.skip("the fake keeps what it is given")
    sqs: Any = make("sqs")
    url = sqs.create_queue(QueueName="activity")["QueueUrl"]
    tasks = [replace(TASK, part=part) for part in range(12)]
    SqsActivityQueue(sqs, url).put(tasks)
    receive: Callable[[], Any] = lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]  # noqa: E731
    found = [decode_activity(message["Body"]) for _ in range(2) for message in receive()]

    assert sorted(found, key=lambda task: task.part) == tasks
