"""What somebody waits for, and what ends it, told at any moment: also while a worker has them in its hands, or dies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.sequences.domain.enrolments import Enrolment, LeftBecause, Stage
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import ExitOn
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import WorkerDiedError
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, wait

VISIT: Final = Happening(kind=Kind.VISIT)
CALLS: Final = st.integers(0, 60)
"""After how many calls of ports; a sequence of two messages takes about fifty."""
MOMENTS: Final = st.integers(-2_500, 20_000).map(lambda milliseconds: NOON + timedelta(milliseconds=milliseconds))
TICKS: Final = st.sampled_from([0, 1, 90, 400]).map(lambda milliseconds: timedelta(milliseconds=milliseconds))


class Timeline:
    """A world in which each call of a port takes a while, and something is done after so many of them."""

    def __init__(self, tick: timedelta) -> None:
        self.world = SequenceWorld(business())
        self.world.add(customer(1))
        self.tick = tick
        self.calls = -1
        self.after: dict[int, list[Callable[[], None]]] = {}
        self.written: list[Enrolment] = []
        self.heard: list[datetime] = []
        """When what was told happened."""
        write = self.world.enrolments._write

        def remember(before: Enrolment | None, after: Enrolment) -> Enrolment:
            self.written.append(write(before, after))
            return self.written[-1]

        self.world.enrolments._write = remember  # type: ignore[method-assign]
        self.world.checkpoint = self._pass

    def begin(self) -> None:
        self.world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(1), "e1")
        self.calls = 0

    def _pass(self, _: str) -> None:
        if self.calls < 0:
            return
        self.world.clock.move(self.tick)
        self.calls += 1
        due = self.after.pop(self.calls, [])
        at, self.calls = self.calls, -1
        try:
            for do in due:
                do()
        finally:
            self.calls = at

    def tell(self, calls: int, kind: Kind, key: str, at: datetime) -> None:
        happened = Happened(kind=kind, key=key, at=at)

        def told() -> None:
            # What is said to have happened later than it is told has happened by then.
            self.heard.append(min(at, self.world.clock.now()))
            self.world.hear_happenings(BUSINESS_ID, id_of(1), [happened])

        self.after.setdefault(calls, []).append(told)

    def die(self, calls: int) -> None:
        def now() -> None:
            if self.world._may_die:
                raise WorkerDiedError("here")

        self.after.setdefault(calls, []).append(now)

    def live(self, duration: timedelta = HOUR) -> None:
        """So long, and whatever was to be done after more calls than there were is done then."""
        self.world.live_until(self.world.clock.now() + duration)
        self.calls = -1
        for calls in sorted(self.after):
            for do in self.after.pop(calls):
                do()
        self.world.live_until(self.world.clock.now() + duration)

    def first(self, standing: Stage, step_id: str) -> Enrolment:
        return next(each for each in self.written if each.standing is standing and each.step_id == step_id)

    @property
    def subjects(self) -> list[str]:
        return self.world.subjects(id_of(1))


@settings(deadline=None, max_examples=300)
@given(st.lists(CALLS, min_size=1, max_size=2), MOMENTS, st.none() | CALLS, TICKS)
def test_an_event_ends_the_wait_if_it_happened_since_the_wait_was_reached(
    told: list[int], at: datetime, died: int | None, tick: timedelta
) -> None:
    line = Timeline(tick)
    line.world.set_up(
        send("one"), wait(5 * DAY, for_event=VISIT), send("two"), wait(5 * DAY, for_event=VISIT), send("x")
    )
    line.begin()
    for calls in told:
        line.tell(calls, Kind.VISIT, "v1", at)
    if died is not None:
        line.die(died)
    line.live()

    reached = line.first(Stage.DOING, "1").since.replace(microsecond=0)
    counts = max(line.heard) >= reached
    assert sorted(line.subjects) == (["one", "two"] if counts else ["one"])
    assert line.world.enrolment(id_of(1)).step_id == ("4" if counts else "2")


@settings(deadline=None, max_examples=150)
@given(st.lists(CALLS, min_size=1, max_size=4), st.just(NOON + DAY) | MOMENTS, st.none() | CALLS, TICKS)
def test_an_event_ends_one_wait_however_often_it_is_told(
    told: list[int], at: datetime, died: int | None, tick: timedelta
) -> None:
    line = Timeline(tick)
    line.world.set_up(send("one"), wait(5 * DAY, for_event=VISIT), wait(5 * DAY, for_event=VISIT), send("two"))
    line.begin()
    for calls in told:
        line.tell(calls, Kind.VISIT, "v1", at)
    if died is not None:
        line.die(died)
    line.live()
    for _ in range(2):
        line.tell(0, Kind.VISIT, "v1", at)
        line.live()

    found = line.world.enrolment(id_of(1))
    assert found.standing is Stage.WAITING
    assert found.step_id in ("2", "3")


@settings(deadline=None, max_examples=150)
@given(CALLS, MOMENTS, st.none() | CALLS, TICKS)
def test_what_ends_it_ends_it_whoever_has_them_in_hand(
    told: int, at: datetime, died: int | None, tick: timedelta
) -> None:
    line = Timeline(tick)
    ends = ExitOn(Happening(kind=Kind.CANCELLATION))
    line.world.set_up(send("one"), wait(DAY), send("two"), exit_on=(ends,))
    line.begin()
    line.tell(told, Kind.CANCELLATION, "c1", at)
    if died is not None:
        line.die(died)
    line.live()
    line.live(2 * DAY)

    found = line.world.enrolment(id_of(1))
    counts = line.heard[0] >= NOON
    assert found.left_because is (LeftBecause.EXIT if counts else LeftBecause.ENDED)
    assert ("two" in line.subjects) is not counts
    assert max(line.world.mailer.went_out.values(), default=1) == 1
