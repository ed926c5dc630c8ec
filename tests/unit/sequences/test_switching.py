"""Switching off and on, and deleting, at any moment and by anybody: what is sent follows, and nothing is lost."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from copy import replace
from datetime import timedelta
from typing import Final

import pytest

from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.campaigns.domain.chunks import ChunkState
from rebound.kernel.errors import ChangedMeanwhileError, ConcurrentChangeError, ConflictError, NotFoundError
from rebound.messages.domain.messages import MessageStatus
from rebound.sequences.application.sequence_service import Wanted, tag_of
from rebound.sequences.domain.enrolments import LeftBecause, Stage
from rebound.sequences.domain.sequences import Late, SequenceStatus
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import Boundary, Turns, WorkerDiedError
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, definition_of, send, wait

OFF: Final = SequenceStatus.OFF
ON: Final = SequenceStatus.ON
PEOPLE: Final = 3


def of(people: int = PEOPLE, seed: int = 0) -> SequenceWorld:
    world = SequenceWorld(business(), seed=seed)
    world.add(*map(customer, range(people)))
    return world


def enrol(world: SequenceWorld, number: int) -> None:
    world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), f"e{number}")


def switch(world: SequenceWorld, status: SequenceStatus | None, late: Late | None = None) -> None:
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, status, late)


def carriers(world: SequenceWorld) -> list[Campaign]:
    return [each for each in world.campaigns.rows.values() if each.sequence_id is not None]


def words(world: SequenceWorld) -> Counter[tuple[str, str]]:
    return Counter((each.key.customer_id, each.subject) for each in world.mailer.handed if each.went_out)


class Bursts(Turns):
    """Turns of several steps each: what is rare when all take one step at a time."""

    def _hand_on(self) -> None:
        if self._current not in self._waiting or self._random.random() < 0.1:
            super()._hand_on()
        self._turn.notify_all()


class Disorder:
    """Requests and workers at the same time, each of which may die at any call of a port and comes again."""

    def __init__(self, world: SequenceWorld, seed: int, death: float = 0.05) -> None:
        self.world = world
        self.death = death
        self.turns = Bursts(seed) if seed % 2 else Turns(seed)
        self.chance = random.Random(seed)  # noqa: S311 - the same in every run
        self.deaths = 0
        self._mortal: set[int] = set()
        world.checkpoint = self._checkpoint

    def _checkpoint(self, where: Boundary) -> None:
        self.turns.checkpoint(where)
        if threading.get_ident() in self._mortal and self.chance.random() < self.death:
            self.deaths += 1
            raise WorkerDiedError(where)

    def asks(self, *wanted: tuple[SequenceStatus, Late]) -> Callable[[], None]:
        """A client that asks for one after the other, and for each until it is answered."""

        def ask() -> None:
            self._mortal.add(threading.get_ident())
            for status, late in wanted:
                while True:
                    try:
                        switch(self.world, status, late)
                    except (WorkerDiedError, ConcurrentChangeError):
                        continue
                    break

        return ask

    def works(self, *doings: Callable[[], bool], times: int = 12) -> Callable[[], None]:
        def work() -> None:
            self._mortal.add(threading.get_ident())
            for _ in range(times):
                for doing in doings:
                    doing()

        return work


@pytest.mark.parametrize("seed", range(60))
def test_whoever_switches_at_the_same_moment_everything_goes_out_once_when_it_is_on(seed: int) -> None:
    world = of(seed=seed)
    disorder = Disorder(world, seed)
    world.set_up(send("one"), wait(HOUR), send("two"), wait(HOUR), send("three"))
    for number in range(PEOPLE):
        enrol(world, number)
    for _ in range(3):
        asked = [[(disorder.chance.choice([OFF, ON]), Late.GO_ON) for _ in range(3)] for _ in range(2)]
        disorder.turns.run(
            [
                *(disorder.asks(*one) for one in asked),
                disorder.works(world._go_on, world._send_one),
                disorder.works(world._send_one, world._run_requeue),
            ]
        )
        if disorder.chance.random() < 0.5:
            world.run_jobs()
        world.live_until(world.clock.now() + timedelta(minutes=disorder.chance.choice([1, 30, 90])))
    if not world.sequence_service.get(BUSINESS_ID, SEQUENCE_ID).is_on:
        sent = len(world.mailer.handed)
        world.live_until(world.clock.now() + DAY)
        assert len(world.mailer.handed) == sent
    switch(world, ON)
    world.run_jobs()
    world.live_until(world.clock.now() + 3 * DAY)

    assert disorder.deaths
    assert set(words(world).values()) == {1}
    # Of whom a sender has died with, nobody knows whether it went out.
    known = {(each.key.customer_id, each.campaign_id): each.status for each in world.messages.rows.values()}
    assert len(known) == 3 * PEOPLE
    assert set(known.values()) <= {MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNCERTAIN}
    assert {each.state for each in world.chunks.rows.values()} == {ChunkState.DONE}
    assert {each.standing for each in world.enrolments.rows.values()} == {Stage.LEFT}
    assert {each.status for each in carriers(world)} == {CampaignStatus.SENDING}


@pytest.mark.parametrize("seed", range(200))
def test_whoever_switches_while_a_sender_puts_aside_what_it_has_it_goes_out_when_it_is_on(seed: int) -> None:
    world = of(seed=seed)
    disorder = Disorder(world, seed, death=0)
    world.set_up(send("one"))
    for number in range(PEOPLE):
        enrol(world, number)
        while world._go_on():
            pass
    switch(world, disorder.chance.choice([OFF, ON]))
    every = [OFF, ON, OFF, ON, OFF, ON]
    asked = [[(each, Late.GO_ON) for each in every[disorder.chance.randrange(6) :]] for _ in range(2)]
    senders = [disorder.works(world._send_one, times=3) for _ in range(2)]
    requeues = disorder.works(world._run_requeue, times=2)
    disorder.turns.run([*(disorder.asks(*one) for one in asked), *senders, requeues])
    switch(world, ON)
    world.live_until(NOON + DAY)

    assert words(world) == {(id_of(number), "one"): 1 for number in range(PEOPLE)}
    assert {each.state for each in world.chunks.rows.values()} == {ChunkState.DONE}


def test_whoever_switches_off_in_the_middle_of_switching_on_leaves_nothing_aside_for_good() -> None:
    reached = 0
    for call in range(100):
        world = of()
        world.set_up(send("one"))
        for number in range(PEOPLE):
            enrol(world, number)
            while world._go_on():
                pass
        switch(world, OFF)
        world._send_one()
        left = [call]

        def meanwhile(_: Boundary) -> None:
            left[0] -= 1  # noqa: B023
            if left[0] < 0:  # noqa: B023
                world.checkpoint = world._perhaps_die  # noqa: B023
                switch(world, OFF)  # noqa: B023
                while world._run_requeue() or world._send_one():  # noqa: B023
                    pass
                world.checkpoint = meanwhile  # noqa: B023

        world.checkpoint = meanwhile
        switch(world, ON)
        world.checkpoint = world._perhaps_die
        if left[0] >= 0:
            break
        reached += 1
        switch(world, ON)
        world.live_until(NOON + DAY)
        assert words(world) == {(id_of(number), "one"): 1 for number in range(PEOPLE)}
    assert reached > 10


def test_while_it_is_off_nothing_is_handed_over_of_what_is_on_its_way(world: SequenceWorld) -> None:
    world.set_up(send("one"))
    for number in range(PEOPLE):
        enrol(world, number)
    while not any(queue.messages for queue in world.chunk_queue.queues.values()):
        world._happens()
    switch(world, OFF)
    world.live_until(NOON + DAY)
    assert not world.mailer.handed
    switch(world, ON)
    world.run_jobs()
    world.live_until(NOON + 2 * DAY)

    assert words(world) == {(id_of(number), "one"): 1 for number in range(PEOPLE)}


@pytest.fixture
def world() -> SequenceWorld:
    return of()


def held(world: SequenceWorld) -> None:
    """The breaker has paused all that carries messages."""
    for before in carriers(world):
        world.campaigns.replace(before, replace(before, status=CampaignStatus.PAUSED, paused_because="breaker"))


@pytest.mark.parametrize("since", [timedelta(minutes=1), 2 * HOUR])
def test_what_the_breaker_holds_is_let_go_by_nobody_but_who_switches_on(world: SequenceWorld, since: timedelta) -> None:
    world.set_up(send("one"), wait(2 * DAY), send("two"))
    enrol(world, 1)
    world.live_until(NOON + HOUR)
    switch(world, OFF)
    world.clock.move(HOUR)
    switch(world, ON)
    held(world)
    world.clock.move(since)
    found = world.sequence_service.get(BUSINESS_ID, SEQUENCE_ID)
    other = definition_of(send("another"))
    for wanted in (
        Wanted(name=found.name, status=ON, definition=found.definition, late=found.late),
        Wanted(name="Renamed", status=ON, definition=found.definition),
        Wanted(name="Renamed", status=ON, definition=other, late=Late.LAPSE),
    ):
        world.sequence_service.put(BUSINESS_ID, SEQUENCE_ID, wanted)
    switch(world, None, Late.GO_ON)
    switch(world, ON)
    enrol(world, 2)
    assert {each.paused_because for each in carriers(world)} == {"breaker"}
    switch(world, OFF)
    assert {each.paused_because for each in carriers(world)} == {"breaker"}
    switch(world, ON)

    assert [(each.status, each.window) for each in carriers(world)] == [(CampaignStatus.SENDING, 1)]


def test_what_the_breaker_has_had_set_aside_goes_out_after_off_and_on(world: SequenceWorld) -> None:
    world.set_up(send("one"))
    enrol(world, 1)
    world.live_until(NOON + HOUR)
    held(world)
    enrol(world, 2)
    world.live_until(NOON + 2 * HOUR)
    assert words(world) == {(id_of(1), "one"): 1}
    switch(world, OFF)
    switch(world, ON)
    world.run_jobs()
    world.live_until(NOON + DAY)

    assert words(world) == {(id_of(1), "one"): 1, (id_of(2), "one"): 1}


@pytest.mark.parametrize("call", ["chunks.add", "chunk_queue.put", "campaigns.add", "enrolments.replace"])
@pytest.mark.parametrize("is_redriven", [True, False])
def test_who_was_in_the_middle_of_a_step_whose_task_is_a_dead_letter_goes_on_by_redriving_or_by_off_and_on(
    world: SequenceWorld, call: str, is_redriven: bool
) -> None:
    world.set_up(send("one"), wait(HOUR), send("two"))
    enrol(world, 1)

    def broken(where: Boundary) -> None:
        if where == call and where.side == "after":
            raise WorkerDiedError(where)

    world.checkpoint = broken
    [(name, lost)] = world.step_queue.queue.messages.items()
    assert world._go_on()
    world.step_queue.queue.delete(name)
    world.checkpoint = world._perhaps_die
    world.live_until(NOON + DAY)
    assert not world.enrolment(id_of(1)).is_over
    if is_redriven:
        world.step_queue.queue.send(lost.body)
    else:
        switch(world, OFF)
        switch(world, ON)
        world.run_jobs()
    world.live_until(NOON + 2 * DAY)

    assert words(world) == {(id_of(1), "one"): 1, (id_of(1), "two"): 1}
    assert world.enrolment(id_of(1)).is_over


def test_with_whom_a_worker_died_before_it_was_off_leaves_where_what_is_late_lapses() -> None:
    reached: Counter[bool] = Counter()
    for call in range(100):
        world = of()
        world.set_up(send("one"), wait(DAY), send("two"))
        enrol(world, 1)
        dies_at(world, call, world._go_on)
        if not world.step_queue.queue.messages:
            break
        was_doing = world.enrolment(id_of(1)).standing is Stage.DOING
        reached[was_doing] += 1
        switch(world, OFF)
        world.live_until(NOON + 3 * DAY)
        switch(world, ON, Late.LAPSE)
        world.live_until(NOON + 3 * DAY + HOUR)
        world.run_jobs()
        world.live_until(NOON + 9 * DAY)
        assert words(world) == {}
        assert world.enrolment(id_of(1)).left_because is LeftBecause.LAPSED
    assert reached[False] > 1
    assert reached[True] > 5


@pytest.mark.parametrize("is_job_first", [True, False])
@pytest.mark.parametrize("then", [[None], [OFF, ON]])
def test_what_was_late_lapses_by_what_was_said_as_it_was_switched_on(
    world: SequenceWorld, is_job_first: bool, then: list[SequenceStatus | None]
) -> None:
    minute = HOUR / 60
    world.set_up(wait(HOUR), send("one"))
    enrol(world, 0)
    world.live_until(NOON + 30 * minute)
    enrol(world, 1)
    world.live_until(NOON + 35 * minute)
    switch(world, OFF)
    world.clock.move_to(NOON + 70 * minute)
    switch(world, ON, Late.LAPSE)
    # The job is still to come.
    for status in then:
        world.clock.move(15 * minute)
        switch(world, status, Late.GO_ON)
    if is_job_first:
        world.run_jobs()
    world.live_until(NOON + DAY)
    world.run_jobs()

    assert words(world) == {(id_of(1), "one"): 1}
    assert world.enrolment(id_of(0)).left_because is LeftBecause.LAPSED


def calls_of(world: SequenceWorld, do: Callable[[], object]) -> Counter[str]:
    """How often each port is called by a request."""
    calls: Counter[str] = Counter()
    world.checkpoint = lambda where: calls.update([str(where)])
    do()
    world.checkpoint = world._perhaps_die
    return Counter({call: times // 2 for call, times in calls.items()})


@pytest.mark.parametrize("versions", [1, 40])
def test_off_and_on_cost_the_same_however_many_versions_there_have_been(versions: int) -> None:
    world = of()
    for version in range(versions):
        world.set_up(send(f"{version} one"), send(f"{version} two"))
        # Each begins a version of their own.
        world.add(customer(100 + version))
        enrol(world, 100 + version)
        world.live_until(world.clock.now() + timedelta(minutes=1))
    assert len(carriers(world)) == 2 * versions
    off, on = (calls_of(world, lambda status=status: switch(world, status)) for status in (OFF, ON))  # type: ignore[misc]

    assert sum(off.values()) <= 4
    assert sum(on.values()) <= 14
    assert "runner.requeue" not in on


def test_who_is_off_is_asked_of_only_where_a_sequence_sends(world: SequenceWorld) -> None:
    posted = world.post()
    calls = calls_of(world, lambda: world.run(posted.campaign.campaign_id))

    assert world.mailer.handed
    assert not [call for call in calls if call.startswith("sequence_gates")]


# --- deleting -------------------------------------------------------------------------------------------------------


def with_somebody_on_their_way() -> SequenceWorld:
    world = of()
    world.set_up(send("one"), wait(DAY), send("two"))
    enrol(world, 1)
    world.live_until(NOON + HOUR)
    enrol(world, 2)
    while not any(queue.messages for queue in world.chunk_queue.queues.values()):
        world._happens()
    return world


def deleted(world: SequenceWorld, tags: list[str] | None) -> None:
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID, tags)


def dies_at(world: SequenceWorld, call: int, do: Callable[[], object]) -> bool:
    """Whether a request has so many calls, at which it dies."""
    left = [call]

    def count(where: Boundary) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise WorkerDiedError(where)

    world.checkpoint = count
    try:
        do()
    except WorkerDiedError:
        return True
    finally:
        world.checkpoint = world._perhaps_die
        world._start_anew()
    return False


def test_who_dies_while_they_delete_asks_again_with_the_same_tag_and_nobody_changes_it_meanwhile() -> None:
    refused = 0
    for call in range(200):
        world = with_somebody_on_their_way()
        before = world.sequence_service.get(BUSINESS_ID, SEQUENCE_ID)
        tags = [tag_of(before)]
        if not dies_at(world, call, lambda: deleted(world, tags)):  # noqa: B023
            break
        found = world.sequences.rows.get((BUSINESS_ID, SEQUENCE_ID))
        if found is not None and found != before:
            refused += 1
            wanted = Wanted(name="Other", status=ON, definition=before.definition)
            for change in (
                lambda: switch(world, ON),  # noqa: B023
                lambda: world.sequence_service.put(BUSINESS_ID, SEQUENCE_ID, wanted),  # noqa: B023
                lambda: enrol(world, 0),  # noqa: B023
            ):
                with pytest.raises(ConflictError) as raised:
                    change()
                assert raised.value.code == "sequence_being_deleted"
        if found is not None:
            deleted(world, tags)
        else:
            with pytest.raises((NotFoundError, ChangedMeanwhileError)):
                deleted(world, tags)
        world.run_jobs()
        world.live_until(NOON + 3 * DAY)
        assert not world.enrolments.rows
        assert words(world) == {(id_of(1), "one"): 1}
        [cancelled] = [one for one in world.messages.rows.values() if one.key.customer_id == id_of(2)]
        assert cancelled.status is MessageStatus.CANCELLED
        assert {each.state for each in world.chunks.rows.values()} == {ChunkState.DONE}
    else:
        raise AssertionError("it always dies")
    assert refused


def test_whom_a_sequence_had_on_their_way_gets_nothing_when_another_has_its_name() -> None:
    world = with_somebody_on_their_way()
    deleted(world, None)
    world.set_up(send("of another"))
    world.run_jobs()
    enrol(world, 0)
    world.live_until(NOON + 3 * DAY)

    assert words(world) == {(id_of(1), "one"): 1, (id_of(0), "of another"): 1}
