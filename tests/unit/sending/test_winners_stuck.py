"""A chunk of those on whom variants are tried lies in the dead letters: nobody waits for ever, and nobody gets two."""

from collections.abc import Sequence
from copy import replace
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.campaigns.application.choose_winner import TRIED_WITHIN
from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import REST
from rebound.messages.domain.winners import LEAST_PATIENCE, Because, Choice
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.timers.domain import AHEAD, Timer
from tests.fakes.making import BUSINESS_ID, id_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import World
from tests.unit.sending.test_winners_sent import RULE, Trial, die

MOST_RECEIVES: Final = 5
"""Then a task is put to the dead letters."""
HOUR: Final = timedelta(hours=1)
SOME_MINUTES: Final = timedelta(minutes=10)
"""A worker that died holds a chunk for so long, and who is in it is counted then."""
PEOPLE: Final = 120


class Stuck(Trial):
    """With whoever has the first chunk dying, until it is mended: at once, or ``dies_at`` a call."""

    def __init__(self, seed: int = 0, *, dies_at: str | None = None, after_hours: int = 24, **given: Any) -> None:
        super().__init__(seed, replace(RULE, after_hours=after_hours), **{"people": PEOPLE, "ranges": 3, **given})
        self.dies_at = dies_at
        self.stuck: ChunkTask | None = None
        self.is_mended = False
        self.dead: list[ChunkTask] = []
        self.last_at = self.world.clock.now()
        """When the last email went out to somebody on whom a variant is tried."""
        self.choices: list[tuple[datetime, Choice]] = []
        self.writes = 0
        self.looks = 0
        self._put = self.world.timers.put
        self.world.timers.put = self._looked  # type: ignore[method-assign]
        self._replace = self.world.campaigns.replace
        self.world.campaigns.replace = self._written  # type: ignore[method-assign]
        self.world._send = self._sent  # type: ignore[method-assign]

    @property
    def of_stuck(self) -> set[int]:
        """Who is in the chunk."""
        assert self.stuck is not None
        page = self.world.chunks.page(self.campaign_id, None)
        (ids,) = (each.customer_ids for each in page.items if each.key == self.stuck.key)
        return {number for number in range(1, self.people + 1) if id_of(number) in ids}

    @property
    def tested(self) -> set[int]:
        return self.drawn()["A"] | self.drawn()["B"]

    def _written(self, before: Campaign, after: Campaign) -> None:
        self._replace(before, after)
        self.writes += 1
        chosen = None if after.split is None else after.split.chosen
        if chosen is not None and not self.choices:
            self.choices.append((self.world.clock.now(), chosen))

    def _looked(self, timers: Sequence[Timer]) -> None:
        self._put(timers)
        self.looks += len(timers)

    def _sent(self, channel: Channel, task: ChunkTask, owner: str) -> None:
        self.stuck = self.stuck or task
        emails, usual = len(self.world.mailer.emails), self.world.checkpoint
        try:
            if task.key == self.stuck.key and not self.is_mended:
                if int(owner.rpartition(":")[2]) >= MOST_RECEIVES:
                    self.dead.append(task)
                    return
                if self.dies_at is None:
                    raise WorkerDiedError("at once")
                self.world.checkpoint = self._dying
            World._send(self.world, channel, task, owner)
        finally:
            self.world.checkpoint = usual
            if len(self.world.mailer.emails) > emails and not self.choices:
                self.last_at = self.world.clock.now()

    def _dying(self, here: Boundary) -> None:
        if here == self.dies_at:
            raise WorkerDiedError(here)

    def redrive(self) -> None:
        """The operator has mended it, and puts back what lay there."""
        self.is_mended = True
        self.world.chunk_queue.put(Channel.EMAIL, self.dead)
        self.dead = []

    def steer(self, action: str) -> None:
        steer = {"pause": self.world.steer_campaign.pause, "resume": self.world.steer_campaign.resume}
        if action == "redrive":
            self.redrive()
        else:
            steer[action](BUSINESS_ID, self.campaign_id)

    def check_what_was_sent(self) -> None:
        """Nobody got two, who is tested their own, who waited the winner, and who is held out nothing."""
        sent, chosen = self.sent(), self.chosen()
        assert all(len(each) == 1 for each in sent.values())
        for name, numbers in self.drawn().items():
            own = name if name != REST else None if chosen is None else chosen.name
            assert {each for number in numbers for each in sent.get(number, [])} <= {own}


ACTIONS: Final = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["pause", "resume", "redrive"])), max_size=5)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 10**6),
    st.sampled_from([1, 5, 24, 72]),
    st.sampled_from([None, "chunks.mark", "mailer.send"]),
    ACTIONS,
    st.sampled_from([0.0, 0.01]),
)
def test_the_rest_get_the_winner_whatever_is_done_meanwhile(
    seed: int, after_hours: int, dies_at: str | None, actions: Sequence[tuple[int, str]], death: float
) -> None:
    trial = Stuck(seed, dies_at=dies_at, after_hours=after_hours, death=death, duplicate=10 * death)
    trial.bounce("A")
    for hours, action in actions:
        trial.pass_hours(hours)
        trial.steer(action)
    trial.steer("resume")
    resumed_at = trial.world.clock.now()
    was_paused = "pause" in {action for _, action in actions}
    trial.pass_hours(after_hours + 24 + 2 + after_hours)

    assert trial.choices
    (chosen_at, choice), wait = trial.choices[0], after_hours * HOUR
    assert chosen_at >= trial.last_at + wait - TRIED_WITHIN - AHEAD
    last_at = max(trial.last_at, resumed_at) if was_paused else trial.last_at
    assert chosen_at <= last_at + max(wait, LEAST_PATIENCE) + 2 * TRIED_WITHIN + SOME_MINUTES
    assert choice.name == "B" or choice.because is Because.TOO_FEW
    trial.view()
    trial.check_what_was_sent()
    others = trial.drawn()[REST] - trial.of_stuck
    assert death or others <= trial.sent().keys()

    trial.redrive()
    trial.pass_hours(1)
    trial.world.end(trial.campaign_id)
    trial.world.rest()
    view = trial.view()
    trial.check_what_was_sent()
    assert view.results[MessageStatus.QUEUED] == 0
    if not death and dies_at != "mailer.send":
        assert trial.sent().keys() == trial.tested | trial.drawn()[REST]


@pytest.mark.parametrize(("after_hours", "writes"), [(1, 3), (5, 3), (24, 2), (72, 2)])
def test_it_is_chosen_by_those_who_got_it_and_says_how_many_did_not(after_hours: int, writes: int) -> None:
    trial = Stuck(after_hours=after_hours)
    trial.bounce("A")
    trial.pass_hours(0.2)
    before, looks = trial.writes, trial.looks
    trial.pass_hours(max(after_hours, 24) - 1)
    missed = len(trial.tested & trial.of_stuck)
    assert trial.chosen() is None
    assert trial.split.untried is not None
    assert trial.split.untried.number == missed > 0
    assert trial.decides_at > trial.world.clock.now()

    trial.pass_hours(2)
    assert trial.chosen() == Choice("B", Because.MORE, missed)
    assert trial.sent().keys() == (trial.tested | trial.drawn()[REST]) - trial.of_stuck
    assert trial.writes - before == writes
    assert trial.looks - looks <= (max(after_hours, 24) + 1) * 4

    trial.redrive()
    trial.pass_hours(1)
    trial.check_what_was_sent()
    assert trial.sent().keys() == trial.tested | trial.drawn()[REST]
    assert trial.chosen() == Choice("B", Because.MORE, missed)


def test_whoever_dies_around_the_choice_leaves_nobody_behind() -> None:
    for number in count(1):
        trial = Stuck(people=60)
        trial.bounce("A")
        trial.pass_hours(24)
        assert trial.chosen() is None
        died = trial.at_call(number, {"sweep_timers", "requeue"}, die)
        trial.pass_hours(1)
        trial.world.checkpoint = lambda _: None
        assert trial.chosen() == Choice("B", Because.MORE, len(trial.tested & trial.of_stuck)), died
        assert trial.sent().keys() == (trial.tested | trial.drawn()[REST]) - trial.of_stuck, died
        trial.check_what_was_sent()
        if not died:
            break
    assert number > 20


def test_what_is_put_back_in_time_is_tried_for_as_long_as_was_asked_for() -> None:
    trial = Stuck(after_hours=5)
    trial.bounce("A")
    trial.pass_hours(20)
    assert trial.chosen() is None
    trial.redrive()
    trial.pass_hours(4.9)
    assert trial.sent().keys() == trial.tested
    assert trial.chosen() is None
    assert trial.split.untried is None
    trial.pass_hours(0.5)
    assert trial.chosen() == Choice("B", Because.MORE)
    assert trial.sent().keys() == trial.tested | trial.drawn()[REST]


def test_nothing_is_written_through_a_night_and_it_is_said_until_when_it_is_tried() -> None:
    nights = QuietHours(sms=None, email=QuietWindow(time(3), time(20)))
    trial = Stuck(after_hours=1, salon={"quiet_hours": nights})
    trial.is_mended = True
    trial.bounce("A")
    morning = datetime.combine(trial.world.clock.now(), time(20), ZoneInfo("America/Los_Angeles"))
    trial.pass_hours(0.5)
    assert morning + HOUR <= trial.decides_at <= morning + HOUR + TRIED_WITHIN
    before = trial.writes
    trial.world.live_until(morning - SOME_MINUTES)
    assert trial.writes == before
    trial.world.live_until(morning + 2 * HOUR)
    assert trial.chosen() == Choice("B", Because.MORE)
    assert trial.writes - before <= 3


def test_whoever_is_woken_twice_or_by_two_timers_looks_once() -> None:
    trial = Stuck(after_hours=72)
    trial.pass_hours(1)
    key = f"{BUSINESS_ID}#{trial.campaign_id}"
    for minutes in (1, 4, 9, 11):
        trial.world.choose_winner.woken([Timer(trial.world.clock.now() + minutes * HOUR / 60, "winner", key)])
        trial.world.clock.move(SOME_MINUTES / 10)
    assert len(trial.world.timers.rows) == 1
    trial.pass_hours(2)
    assert len(trial.world.timers.rows) == 1


def test_while_it_is_paused_nothing_is_chosen_without_them() -> None:
    trial = Stuck(after_hours=1)
    trial.pass_hours(1)
    trial.steer("pause")
    trial.pass_hours(100)
    assert trial.chosen() is None
    trial.steer("resume")
    trial.pass_hours(23)
    assert trial.chosen() is None
    trial.pass_hours(3)
    assert trial.chosen() is not None
    trial.check_what_was_sent()


def test_a_cancelled_campaign_sends_nothing_of_what_is_put_back() -> None:
    trial = Stuck()
    trial.pass_hours(1)
    sent = trial.sent()
    trial.world.steer_campaign.cancel(BUSINESS_ID, trial.campaign_id)
    trial.redrive()
    trial.pass_hours(100)
    assert trial.chosen() is None
    assert trial.sent() == sent
    assert trial.view().results[MessageStatus.QUEUED] == 0


def test_what_was_chosen_is_brought_back_by_who_asks_for_it_again() -> None:
    trial = Trial(people=40, ranges=1)
    trial.pass_hours(1)
    campaign = trial.world.campaigns.get(BUSINESS_ID, trial.campaign_id)
    # By a worker that has brought nobody back, and whom nobody calls again.
    chosen = replace(trial.split, chosen=Choice("A", Because.MORE))
    trial.world.campaigns.replace(campaign, replace(campaign, split=chosen))
    trial.world.timers.rows.clear()
    trial.pass_hours(30)
    assert not trial.sent().keys() & trial.drawn()[REST]

    with pytest.raises(ConflictError):
        trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "B")
    trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "A")
    trial.pass_hours(1)
    assert trial.sent().keys() >= trial.drawn()[REST]
    assert trial.chosen() == Choice("A", Because.MORE)


def test_what_went_out_right_before_a_pause_is_tried_after_it() -> None:
    trial = Stuck(after_hours=5)
    trial.bounce("A")
    trial.pass_hours(23.6)
    trial.redrive()
    trial.pass_hours(0.02)
    trial.steer("pause")
    assert trial.sent().keys() == trial.tested
    assert trial.split.untried is not None
    trial.pass_hours(2)
    trial.steer("resume")
    trial.pass_hours(4.8)
    assert trial.chosen() is None
    trial.pass_hours(0.5)
    assert trial.chosen() == Choice("B", Because.MORE)
