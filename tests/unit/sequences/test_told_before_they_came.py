"""What was told of somebody before they were a customer is heard once they are, whichever of the two comes last."""

from collections.abc import Callable, Collection, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.customers.domain import Customer
from rebound.kernel.ids import id_of_external
from rebound.sequences.application.hear_activity import TOLD_WITHIN
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Reentry
from rebound.sequences.domain.tasks import TOLD_TOGETHER, NewcomersTask
from tests.fakes.making import BUSINESS_ID, NOON, business, customer
from tests.fakes.watching import WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SequenceWorld, send, wait

VISIT: Final = Happening(kind=Kind.VISIT)
ENDS: Final = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7)
CANCELS: Final = ExitOn(Happening(kind=Kind.CANCELLATION))
TAGGED: Final = Happening(kind=Kind.TAG_ADDED, about={"tag": "vip"})
SECOND: Final = timedelta(seconds=1)
WHO: Final = id_of_external(BUSINESS_ID, "ext1")
CALLS: Final = st.integers(0, 120)
"""After how many calls of ports; an event, a customer and a message take about eighty."""
WRONG: Final = st.builds(Chaos, death=st.sampled_from([0.0, 0.02]), duplicate=st.sampled_from([0.0, 0.3]))


def newcomer(world: SequenceWorld, number: int = 1) -> Customer:
    """As they are created now."""
    now, external_id = world.clock.now(), f"ext{number}"
    known = replace(customer(number), customer_id=id_of_external(BUSINESS_ID, external_id), external_id=external_id)
    return replace(known, email=f"x{number}@example.com", created_at=now, updated_at=now)


def tell(world: SequenceWorld, event_id: str, kind: str = "visit", at: datetime | None = None, **given: Any) -> None:
    event = {"event_id": event_id, "kind": kind, "at": (at or world.clock.now()).isoformat(), "external_id": "ext1"}
    said = world.accept_activity(BUSINESS_ID, [event | given])
    assert not said.errors


def is_member(world: SequenceWorld, until: timedelta = 20 * DAY) -> None:
    ends = (world.clock.now() + until).date().isoformat()
    tell(world, "m1", "membership", membership_id="gold", status="active", until=ends)


def comes(world: SequenceWorld) -> None:
    world.add(newcomer(world))


def goes(world: SequenceWorld) -> None:
    world.remove_customer(world.customers.get(BUSINESS_ID, WHO))


def listening(seed: int = 0, chaos: Chaos | None = None, **given: Any) -> SequenceWorld:
    """A salon with a sequence for each visit, and one for memberships that end."""
    world = SequenceWorld(business(), seed=seed)
    world.set_up(send("hello"), trigger=VISIT, sequence_id="visits", **given)
    world.set_up(send("ends"), trigger=ENDS, sequence_id="members")
    world.run_jobs()
    world.chaos = chaos or Chaos()
    return world


def is_sent(world: SequenceWorld, count: int) -> None:
    """So many messages, each once; of a sender who died in the middle nobody knows whether it went out."""
    assert len(world.messages.rows) == count
    assert max(world.mailer.went_out.values(), default=1) == 1
    if not world.deaths:
        assert len(world.subjects(WHO)) == count


def ticks(world: SequenceWorld, count: int) -> None:
    for _ in range(count):
        world._happens()
        world.clock.move(SECOND)


@settings(deadline=None, max_examples=150)
@given(
    st.permutations(["visit", "member", "comes"]),
    st.lists(st.integers(0, 12), min_size=3, max_size=3),
    st.integers(0, 2**16),
    WRONG,
)
def test_they_are_sent_to_once_in_whatever_order_it_is_told_and_they_come(
    order: Sequence[str], between: Sequence[int], seed: int, wrong: Chaos
) -> None:
    world = listening(seed, wrong)
    does: dict[str, Callable[[], None]] = {
        "visit": lambda: tell(world, "v1"),
        "member": lambda: is_member(world),
        "comes": lambda: comes(world),
    }
    for each, count in zip(order, between, strict=True):
        does[each]()
        ticks(world, count)
    world.live_until(NOON + DAY)
    is_sent(world, 1)
    world.live_until(NOON + 30 * DAY)

    is_sent(world, 2)


class Moment:
    """Something is done after so many calls of ports, by any worker; and one may die."""

    def __init__(self, world: SequenceWorld, after: int, do: Callable[[], None], dies: int | None) -> None:
        self.world, self.left, self.do, self.dies = world, after, do, dies
        world.checkpoint = self

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.now()
        if self.dies is not None and self.world._may_die:
            self.dies -= 1
            if self.dies < 0:
                self.dies = None
                self.world.deaths["here"] += 1
                raise WorkerDiedError("here")

    def now(self) -> None:
        self.world.checkpoint, may_die, step = lambda _: None, self.world._may_die, self.world.step
        self.left = 0
        self.do()
        self.world.checkpoint, self.world._may_die, self.world.step = self, may_die, step

    def live(self) -> None:
        self.world.live_until(self.world.clock.now() + HOUR)
        if self.left > 0:
            self.now()
            self.world.live_until(self.world.clock.now() + HOUR)


@settings(deadline=None, max_examples=200)
@given(CALLS, st.none() | CALLS)
def test_they_come_while_it_is_being_told(after: int, dies: int | None) -> None:
    world = listening()
    tell(world, "v1")
    Moment(world, after + 1, lambda: comes(world), dies).live()

    is_sent(world, 1)


@settings(deadline=None, max_examples=200)
@given(CALLS, st.none() | CALLS)
def test_it_is_told_and_applied_while_they_are_being_told_of(after: int, dies: int | None) -> None:
    world = listening()
    comes(world)

    def told() -> None:
        tell(world, "v1")
        [task] = [each.body for each in world.activity_queue.queue.messages.values()]
        world.apply_activity(task)

    Moment(world, after + 1, told, dies).live()

    is_sent(world, 1)


@pytest.mark.parametrize(("ago", "heard"), [(TOLD_WITHIN - HOUR, ["hello"]), (TOLD_WITHIN + HOUR, [])])
def test_what_is_history_once_they_come_starts_nothing(ago: timedelta, heard: list[str]) -> None:
    world = listening()
    tell(world, "v1")
    world.live_until(NOON + ago)
    comes(world)
    world.live_until(NOON + ago + HOUR)

    assert world.subjects(WHO) == heard


@pytest.mark.parametrize("told_ago", [DAY, 10 * DAY])
def test_a_membership_that_was_told_long_before_ends_all_the_same(told_ago: timedelta) -> None:
    world = listening()
    is_member(world)
    world.live_until(NOON + told_ago)
    comes(world)
    world.live_until(NOON + 12 * DAY)
    assert world.subjects(WHO) == []
    world.live_until(NOON + 15 * DAY)

    assert world.subjects(WHO) == ["ends"]


def test_what_ended_it_before_they_came_has_ended_it() -> None:
    world = listening(exit_on=(CANCELS,))
    tell(world, "v1")
    world.live_until(NOON + HOUR)
    tell(world, "c1", "cancellation", appointment_id="a1")
    world.live_until(NOON + 2 * HOUR)
    comes(world)
    world.live_until(NOON + 3 * HOUR)

    assert world.subjects(WHO) == []


def test_a_wait_is_over_by_what_is_told_once_they_wait() -> None:
    world = SequenceWorld(business())
    world.set_up(wait(5 * DAY, for_event=Happening(kind=Kind.PURCHASE)), send("thanks"), trigger=VISIT)
    tell(world, "v1")
    tell(world, "p1", "purchase", amount="5", currency="EUR", at=NOON - HOUR)
    world.live_until(NOON + HOUR)
    comes(world)
    world.live_until(NOON + 2 * HOUR)
    assert world.subjects(WHO) == []
    tell(world, "p2", "purchase", amount="5", currency="EUR")
    world.live_until(NOON + 3 * HOUR)

    assert world.subjects(WHO) == ["thanks"]


def test_who_enters_by_what_they_did_before_they_came_is_noticed_at_once() -> None:
    world = SequenceWorld(business())
    entered = Happening(kind=Kind.SEGMENT_ENTERED)
    world.set_up(send("regular"), trigger=entered, filter={"visits": {"at_least": 1}})
    world.run_jobs()
    tell(world, "v1")
    world.live_until(NOON + HOUR)
    comes(world)
    world.live_until(NOON + HOUR + timedelta(minutes=1))

    assert world.subjects(WHO) == ["regular"]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 12), min_size=3, max_size=3), st.booleans(), st.integers(0, 2**16), WRONG)
def test_who_is_deleted_and_comes_again_is_not_sent_to_because_of_what_they_did_before(
    between: Sequence[int], is_told: bool, seed: int, wrong: Chaos
) -> None:
    world = listening(seed, wrong, reentry=Reentry.AFTER_EXIT)
    comes(world)
    tell(world, "v1")
    world.live_until(NOON + HOUR)
    ticks(world, between[0])
    goes(world)
    if is_told:
        # The log is erased within seconds.
        world.live_until(world.clock.now() + timedelta(minutes=1))
        tell(world, "v2")
        ticks(world, between[1])
    comes(world)
    ticks(world, between[2])
    world.live_until(NOON + 2 * HOUR)

    is_sent(world, 1 + is_told)


def test_whoever_is_there_again_is_told_of_by_themselves() -> None:
    world = listening()
    tell(world, "v1")
    world.live_until(NOON + HOUR)
    comes(world)
    world.pump_streams()
    goes(world)
    world.clock.move(SECOND)
    comes(world)
    # What is erased with the first is not erased yet when the queue brings the task that is about them.
    world._go_on()

    assert not world.enrolments.rows


def test_of_whom_something_is_left_to_erase_nothing_is_heard() -> None:
    world = listening()
    tell(world, "v1")
    world.live_until(NOON + HOUR)
    world.unforgotten.keep(newcomer(world))
    comes(world)
    world.live_until(NOON + 2 * HOUR)

    assert not world.enrolments.rows


def followed(world: SequenceWorld, count: int) -> tuple[int, int, list[int]]:
    """How often sequences and logs are read for so many who come at once, and how many each message tells of."""
    came = [newcomer(world, number) for number in range(1, count + 1)]
    reads = {"sequences": 0, "logs": 0}
    all_, known_of = world.sequences.all, world.activity.known_of

    def read_sequences(business_id: str) -> Any:
        reads["sequences"] += 1
        return all_(business_id)

    def read_logs(business_id: str, customer_ids: Collection[str]) -> frozenset[str]:
        reads["logs"] += 1
        return known_of(business_id, customer_ids)

    world.sequences.all = read_sequences  # type: ignore[method-assign]
    world.activity.known_of = read_logs  # type: ignore[method-assign]
    world.tell_of_newcomers(came)
    told = [each.body for each in world.step_queue.queue.messages.values()]
    return reads["sequences"], reads["logs"], [len(each.came) for each in told if isinstance(each, NewcomersTask)]


def have_logs(world: SequenceWorld, count: int) -> None:
    at = world.clock.now().isoformat()
    for number in range(1, count + 1):
        visit = {"event_id": f"v{number}", "kind": "visit", "at": at, "external_id": f"ext{number}"}
        world.accept_activity(BUSINESS_ID, [visit])
    world.live_until(world.clock.now() + HOUR)


@pytest.mark.parametrize("trigger", [None, TAGGED])
def test_where_no_sequence_listens_to_activity_newcomers_cost_one_read_together(trigger: Happening | None) -> None:
    world = SequenceWorld(business())
    if trigger is not None:
        world.set_up(send("hello"), trigger=trigger)
    have_logs(world, 3)

    assert followed(world, 100) == (1, 0, [])


def test_newcomers_without_a_log_cost_two_reads_together_and_those_with_one_share_messages() -> None:
    world = listening()
    assert followed(world, 100) == (1, 1, [])
    have_logs(world, 25)

    assert followed(world, 100) == (1, 1, [TOLD_TOGETHER, TOLD_TOGETHER, 5])


def test_who_has_no_id_of_the_business_costs_nothing() -> None:
    world = listening()
    world.tell_of_newcomers([customer(1)])

    assert not world.step_queue.queue.messages
