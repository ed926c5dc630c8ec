"""What is due: one suite against the fake and the table."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rebound.timers.domain import SHARDS, Timer
from tests.fakes.house import EveryPorts
from tests.fakes.making import at

MOMENT = timedelta(microseconds=1)


def found(ports: EveryPorts, until: float, limit: int = 100) -> list[Timer]:
    """All that is due, page by page, the earliest first."""
    all_due: list[Timer] = []
    for shard in range(SHARDS):
        after: Timer | None = None
        while page := ports.timers.due(shard, at(until), after, limit):
            assert len(page) <= limit
            all_due.extend(page)
            after = page[-1]
    return sorted(all_due)


def test_what_is_due_is_found_in_the_order_of_its_time_and_nothing_else(ports: EveryPorts) -> None:
    timers = [Timer(at(second), "message", f"email#salon#{number}") for number, second in enumerate((9, 3, 5, 7, 3))]
    ports.timers.put(timers)
    of_each = [ports.timers.due(shard, at(9), None, 100) for shard in range(SHARDS)]

    assert found(ports, 2) == []
    assert found(ports, 5) == sorted(timer for timer in timers if timer.due_at <= at(5))
    assert all(list(page) == sorted(page) for page in of_each)
    assert {timer for page in of_each for timer in page} == set(timers)


def test_a_time_is_exact_to_the_microsecond(ports: EveryPorts) -> None:
    ports.timers.put([Timer(at(5) + MOMENT, "message", "a")])

    assert found(ports, 5) == []
    assert len(ports.timers.due(Timer(at(5), "message", "a").shard, at(5) + MOMENT, None, 10)) == 1


def test_pages_go_on_behind_what_was_removed_meanwhile(ports: EveryPorts) -> None:
    timers = [Timer(at(number), "message", "the same") for number in range(7)]
    ports.timers.put(timers)
    shard = timers[0].shard
    first = ports.timers.due(shard, at(100), None, 3)
    ports.timers.remove(first)

    assert list(ports.timers.due(shard, at(100), first[-1], 100)) == timers[3:]
    assert list(ports.timers.due(shard, at(100), None, 100)) == timers[3:]


def test_the_same_again_is_one_and_may_be_removed_twice(ports: EveryPorts) -> None:
    timer = Timer(at(5), "message", "sms#salon#with#marks")
    ports.timers.put([timer, timer])
    ports.timers.put([timer])

    assert found(ports, 5) == [timer]
    ports.timers.remove([timer])
    ports.timers.remove([timer])
    assert found(ports, 5) == []


def test_any_number_is_removed(ports: EveryPorts) -> None:
    timers = [Timer(at(5), "message", str(number)) for number in range(60)]
    ports.timers.put(timers)

    assert found(ports, 5, limit=7) == sorted(timers)
    ports.timers.remove(timers)
    assert found(ports, 5) == []


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_timer_is_always_in_the_same_one_of_the_shards(kind: str, key: str) -> None:
    assert Timer(at(1), kind, key).shard == Timer(at(2), kind, key).shard in range(SHARDS)
