"""The winner of a campaign's variants goes to the rest: everybody once, whoever dies, and it adds up at each moment."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import datetime, time, timedelta
from itertools import count
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from rebound.businesses.domain.quiet_hours import HoldReason, QuietHours, QuietWindow
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.consent.domain.consent import ConsentEvidence
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import REST, Split, Variant
from rebound.messages.domain.winners import MOST_HOURS, Because, Choice, ChosenBy, WinnerRule
from rebound.templates.domain.content import EmailContent
from rebound.timers.domain import AHEAD
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, business, customer, id_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import Chaos, World, always

PEOPLE: Final = 150
RULE: Final = WinnerRule(4000, 24, ChosenBy.DELIVERED, 5)
A, B = (Variant(name, 5000, EmailContent(f"It is {name}", None, f"From {name}")) for name in "AB")


class Trial:
    """A campaign with variants of which the best goes to the rest."""

    def __init__(
        self,
        seed: int = 0,
        rule: WinnerRule | None = RULE,
        *,
        people: int = PEOPLE,
        ranges: int = 4,
        salon: Mapping[str, Any] = MappingProxyType({}),
        **chaos: float,
    ) -> None:
        self.people = people
        self.world = World(business(**salon), seed=seed, ranges=ranges)
        self.world.add(*(customer(number) for number in range(1, people + 1)))
        self.world.chaos = Chaos(**chaos)
        self.taken_up = Counter[str]()
        """How many chunks were put on a lane, and how many on the queue of those that are held."""
        self._count("lane", self.world.chunk_queue, lambda _, tasks, *__: len(tasks))
        self._count("held", self.world.deferred_queue, lambda tasks, _: len(tasks))
        given: dict[str, Any] = {"variants": (A, B), "content": A.content, "holdout": 1000, "winner": rule}
        self.campaign_id = self.world.post(**given).campaign.campaign_id
        self.world.begin(self.campaign_id)

    def _count(self, name: str, queue: Any, size: Callable[..., int]) -> None:
        put = queue.put

        def counted(*given: Any) -> None:
            self.taken_up[name] += size(*given)
            put(*given)

        queue.put = counted

    def requeue(self) -> None:
        while self.world.runner.requeues:
            assert self.world.requeue_campaign(*self.world.runner.requeues.pop(), None, always) is None

    @property
    def split(self) -> Split:
        found = self.world.campaigns.get(BUSINESS_ID, self.campaign_id).split
        assert found is not None
        return found

    @property
    def decides_at(self) -> datetime:
        found = self.split.decides_at
        assert found is not None
        return found

    def chosen(self) -> Choice | None:
        return self.split.chosen

    def drawn(self) -> Mapping[str | None, set[int]]:
        """Who gets what, by number."""
        found: dict[str | None, set[int]] = {name: set() for name in ("A", "B", REST, None)}
        for number in range(1, self.people + 1):
            found[self.split.variant_of(id_of(number))].add(number)
        return found

    def bounce(self, variant: str) -> None:
        """Everything that this variant says comes back."""
        for number in self.drawn()[variant]:
            self.world.outcomes[f"ana{number}@example.com"] = ((Outcome.FAILED, NO_SUCH_MAILBOX, 1.0),)

    def sent(self) -> Mapping[int, list[str]]:
        """What each was sent, by number."""
        found: dict[int, list[str]] = {}
        for email in self.world.mailer.emails:
            number = int(email.to.removeprefix("ana").partition("@")[0])
            found.setdefault(number, []).append(email.content.text.split("From ")[1][0])
        return found

    def view(self) -> CampaignView:
        self.world.pump_streams()
        view = self.world.campaign_service.get(BUSINESS_ID, self.campaign_id)
        assert sum(view.results.values()) == view.audience.targeted
        assert view.audience.matched == self.people == view.audience.targeted + sum(view.audience.excluded.values())
        held_out = view.audience.excluded.get("holdout", 0)
        parts = Counter({each.name: each.targeted for each in view.variants})
        assert all(sum(each.results.values()) == each.targeted for each in view.variants)
        # Who is held out has no variant, and is targeted until it would be sent to them.
        assert parts.total() + len(self.drawn()[None]) - held_out == view.audience.targeted
        return view

    def at_call(self, number: int, steps: Collection[str], does: Callable[["Trial", str], None]) -> Sequence[str]:
        """Let something happen at this call of these workers, once; it is in what is returned when it has."""
        calls, done = count(1), list[str]()

        def checkpoint(here: Boundary) -> None:
            if not done and self.world.step in steps and here != "timers.due" and next(calls) == number:
                done.append(here)
                does(self, here)

        self.world.checkpoint = checkpoint
        return done

    def pass_hours(self, hours: float) -> None:
        self.world.live_until(self.world.clock.now() + timedelta(hours=hours))


def die(_: Trial, here: str) -> None:
    raise WorkerDiedError(here)


@pytest.mark.parametrize("seed", range(20))
def test_the_rest_get_the_winner_and_nobody_two_whoever_dies(seed: int) -> None:
    trial = Trial(seed, death=0.01, duplicate=0.1)
    loser, winner = ("A", "B") if seed % 2 else ("B", "A")
    trial.bounce(loser)
    trial.pass_hours(20)
    drawn = trial.drawn()
    before = trial.sent()
    assert set(before) <= drawn["A"] | drawn["B"]
    assert trial.chosen() is None
    assert trial.view().results[MessageStatus.QUEUED] >= len(drawn[REST])
    assert trial.world.next_at == trial.decides_at - AHEAD

    trial.world.end(trial.campaign_id)
    trial.world.rest()
    view, sent = trial.view(), trial.sent()
    assert trial.chosen() == Choice(winner, Because.MORE)
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.results[MessageStatus.QUEUED] == 0
    assert all(len(each) == 1 for each in sent.values())
    for name, numbers in drawn.items():
        said: set[str] = {winner} if name == REST else {name} if name else set()
        assert {each for number in numbers for each in sent.get(number, [])} <= said
    # Who died while handing over leaves somebody uncertain, who is never sent to again.
    missed = set(range(1, PEOPLE + 1)) - sent.keys() - drawn[None]
    assert len(missed) <= view.results[MessageStatus.UNCERTAIN]
    assert trial.taken_up["held"] == 0
    assert view.audience.excluded.get("holdout") == len(drawn[None])


def test_each_chunk_is_taken_up_twice_however_long_they_wait() -> None:
    least = Trial(rule=None)
    trial = Trial(rule=replace(RULE, after_hours=MOST_HOURS))
    for each in (least, trial):
        each.world.end(each.campaign_id)
        each.world.rest()

    assert trial.sent().keys() == least.sent().keys()
    assert trial.taken_up == {"lane": 2 * least.taken_up["lane"]}


def test_whoever_dies_around_the_choice_leaves_nobody_behind() -> None:
    for number in count(1):
        trial = Trial()
        trial.bounce("A")
        trial.pass_hours(23.9)
        died = trial.at_call(number, {"sweep_timers", "requeue", "send_email"}, die)
        trial.pass_hours(2)
        trial.world.checkpoint = lambda _: None
        if not died or died == ["mailer.send"]:
            # The rest are handed over; what is around that is as for everybody.
            break
        assert trial.chosen() == Choice("B", Because.MORE), died
        assert trial.view().results[MessageStatus.QUEUED] == 0, died
        assert all(len(each) == 1 for each in trial.sent().values()), died
        assert trial.taken_up["held"] == 0
    assert number > 30


@pytest.mark.parametrize("asks_again", [True, False])
def test_a_hand_that_dies_while_choosing_asks_again_or_the_time_comes(asks_again: bool) -> None:
    for number in count(1):
        trial = Trial(people=40, ranges=1)
        trial.bounce("A")
        trial.pass_hours(1)
        died = trial.at_call(number, {""}, die)
        with suppress(WorkerDiedError):
            trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "A")
        trial.world.checkpoint = lambda _: None
        if asks_again:
            trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "A")
        trial.pass_hours(1 if asks_again or not died else 25)
        chosen = trial.chosen()
        assert chosen is not None
        assert {each for one in trial.drawn()[REST] for each in trial.sent()[one]} == {chosen.name}
        assert trial.view().results[MessageStatus.QUEUED] == 0
        if not died:
            break
    assert number > 5


def choose(trial: Trial) -> None:
    """Nobody is called again after that."""
    trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "A")
    trial.world.timers.rows.clear()
    trial.requeue()


def pause_choose_resume(trial: Trial) -> None:
    trial.world.steer_campaign.pause(BUSINESS_ID, trial.campaign_id)
    choose(trial)
    trial.world.steer_campaign.resume(BUSINESS_ID, trial.campaign_id)
    trial.requeue()


def cancel(trial: Trial) -> None:
    trial.world.steer_campaign.cancel(BUSINESS_ID, trial.campaign_id)
    trial.requeue()


@pytest.mark.parametrize("does", [choose, pause_choose_resume, cancel])
def test_what_is_done_while_a_chunk_is_set_aside_finds_it(does: Callable[[Trial], None]) -> None:
    for number in count(1):
        trial = Trial(people=40, ranges=1)
        done = trial.at_call(number, {"send_email"}, lambda trial, _: does(trial))
        trial.pass_hours(2)
        if not done:
            break
        assert trial.view().results[MessageStatus.QUEUED] == 0, done
        assert all(len(each) == 1 for each in trial.sent().values()), done
        if does is not cancel:
            assert {each for one in trial.drawn()[REST] for each in trial.sent()[one]} == {"A"}, done
    assert number > 20


@pytest.mark.parametrize("after_hours", [1, 3, 6])
def test_while_it_is_night_where_it_is_tried_the_time_moves(after_hours: int) -> None:
    nights = QuietHours(sms=None, email=QuietWindow(time(3), time(20)))
    trial = Trial(rule=replace(RULE, after_hours=after_hours), salon={"quiet_hours": nights})
    began, wait = trial.world.clock.now(), timedelta(hours=after_hours)
    morning = datetime.combine(began, time(20), ZoneInfo("America/Los_Angeles"))
    assert began + wait < morning
    trial.bounce("A")
    trial.world.live_until(morning - timedelta(minutes=5))
    assert not trial.sent()
    view = trial.view()
    assert view.held_because is HoldReason.QUIET_HOURS
    assert trial.decides_at > morning + wait - timedelta(minutes=30)

    trial.world.live_until(morning + wait - timedelta(minutes=5))
    drawn = trial.drawn()
    assert trial.sent().keys() == drawn["A"] | drawn["B"]
    assert trial.chosen() is None
    view = trial.view()
    assert (view.held_until, view.held_because) == (trial.decides_at, HoldReason.WINNER)

    trial.world.live_until(morning + wait + timedelta(minutes=35))
    assert trial.chosen() == Choice("B", Because.MORE)
    assert trial.sent().keys() == drawn["A"] | drawn["B"] | drawn[REST]


def test_without_deaths_nobody_is_missed() -> None:
    trial = Trial()
    trial.bounce("A")
    trial.world.end(trial.campaign_id)
    trial.world.rest()

    assert set(trial.sent()) == set(range(1, PEOPLE + 1)) - trial.drawn()[None]
    assert {name: len(numbers) > 10 for name, numbers in trial.drawn().items()} == dict.fromkeys(
        ("A", "B", REST, None), True
    )


def test_who_has_opted_out_meanwhile_does_not_get_the_winner() -> None:
    trial = Trial()
    trial.pass_hours(2)
    gone = min(trial.drawn()[REST])
    key = customer(gone).contact_key(Channel.EMAIL)
    assert key is not None
    trial.world.know(key, ConsentEvidence(trial.world.clock.now(), Scope.ALL, opted_out=True, source=ConsentSource.API))
    trial.world.end(trial.campaign_id)
    trial.world.rest()

    assert gone not in trial.sent()
    assert trial.view().audience.excluded["opted_out"] == 1


def test_staff_may_choose_before_the_time_and_once() -> None:
    trial = Trial()
    trial.bounce("A")
    trial.pass_hours(1)
    trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "A")
    trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "A")
    trial.pass_hours(1)
    sent, drawn = trial.sent(), trial.drawn()

    assert {each for number in drawn[REST] for each in sent[number]} == {"A"}
    assert trial.view().results[MessageStatus.QUEUED] == 0
    with pytest.raises(ConflictError) as refused:
        trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "B")
    assert refused.value.code == "winner_chosen"
    trial.world.end(trial.campaign_id)
    trial.pass_hours(30)
    assert trial.chosen() == Choice("A", Because.BY_HAND)
    assert trial.sent() == sent


def test_a_choice_that_there_is_not_is_refused() -> None:
    trial = Trial()
    with pytest.raises(InvalidInputError) as unknown:
        trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "C")
    assert [each.field for each in unknown.value.errors] == ["variant"]
    trial.world.steer_campaign.cancel(BUSINESS_ID, trial.campaign_id)
    with pytest.raises(ConflictError) as over:
        trial.world.choose_winner.by_hand(BUSINESS_ID, trial.campaign_id, "A")
    assert over.value.code == "campaign_ended"
    waiting = trial.world.post().campaign.campaign_id
    with pytest.raises(ConflictError) as none:
        trial.world.choose_winner.by_hand(BUSINESS_ID, waiting, "A")
    assert none.value.code == "no_winner_awaited"


@pytest.mark.parametrize("resumed_after", [1, 30])
def test_a_pause_over_the_time_keeps_the_rest_and_a_resume_sends_the_winner(resumed_after: float) -> None:
    trial = Trial()
    trial.bounce("A")
    trial.pass_hours(1)
    trial.world.steer_campaign.pause(BUSINESS_ID, trial.campaign_id)
    trial.pass_hours(resumed_after)
    drawn = trial.drawn()
    assert not drawn[REST] & trial.sent().keys()
    trial.world.steer_campaign.resume(BUSINESS_ID, trial.campaign_id)
    trial.world.end(trial.campaign_id)
    trial.world.rest()

    sent = trial.sent()
    assert {each for number in drawn[REST] for each in sent[number]} == {"B"}
    assert all(len(each) == 1 for each in sent.values())
    assert trial.view().results[MessageStatus.QUEUED] == 0


@pytest.mark.parametrize("paused_after", [0, 0.5, 25])
@pytest.mark.parametrize("resumed_after", [3, 30, 100])
@pytest.mark.parametrize("seed", range(2))
def test_what_was_not_tried_before_a_pause_is_tried_after_it(
    seed: int, paused_after: float, resumed_after: float
) -> None:
    trial = Trial(seed, death=0.01, duplicate=0.1)
    trial.bounce("A")
    if paused_after:
        trial.pass_hours(paused_after)
    trial.world.steer_campaign.pause(BUSINESS_ID, trial.campaign_id)
    tried = trial.drawn()["A"] | trial.drawn()["B"]
    assert paused_after or len(trial.sent()) < len(tried)
    trial.pass_hours(resumed_after)
    if paused_after < RULE.after_hours:
        assert trial.chosen() is None
    trial.world.steer_campaign.resume(BUSINESS_ID, trial.campaign_id)
    trial.pass_hours(2)
    assert (trial.chosen() is None) is (not paused_after or paused_after + resumed_after < RULE.after_hours - 2)
    trial.world.end(trial.campaign_id)
    trial.world.rest()

    assert trial.chosen() == Choice("B", Because.MORE)
    sent, drawn = trial.sent(), trial.drawn()
    assert {each for number in drawn[REST] for each in sent.get(number, [])} == {"B"}
    assert all(len(each) == 1 for each in sent.values())
    assert trial.view().results[MessageStatus.QUEUED] == 0


def test_a_cancelled_campaign_chooses_nothing_and_sends_nothing_more() -> None:
    trial = Trial()
    trial.pass_hours(1)
    trial.world.steer_campaign.cancel(BUSINESS_ID, trial.campaign_id)
    sent = trial.sent()
    trial.pass_hours(40)
    view = trial.view()

    assert trial.chosen() is None
    assert trial.sent() == sent
    assert view.results[MessageStatus.QUEUED] == 0
    assert view.results[MessageStatus.CANCELLED] >= len(trial.drawn()[REST])


def test_where_one_went_out_to_too_few_the_first_wins() -> None:
    trial = Trial(rule=replace(RULE, least=PEOPLE))
    trial.bounce("A")
    trial.world.end(trial.campaign_id)
    trial.world.rest()

    assert trial.chosen() == Choice("A", Because.TOO_FEW)
    assert {each for number in trial.drawn()[REST] for each in trial.sent()[number]} == {"A"}


def test_by_goal_the_one_wins_whose_people_came_though_it_arrived_less() -> None:
    world = World()
    world.add(*(customer(number) for number in range(1, PEOPLE + 1)))
    given: dict[str, Any] = {"variants": (A, B), "content": A.content, "winner": replace(RULE, by=ChosenBy.GOAL)}
    campaign_id = world.post(goal=Goal(GoalKind.VISIT, 7), **given).campaign.campaign_id
    world.begin(campaign_id)
    world.live_until(at(3600))
    split = world.campaigns.get(BUSINESS_ID, campaign_id).split
    assert split is not None
    moment = world.clock.now().isoformat()
    came = [number for number in range(1, PEOPLE + 1) if split.variant_of(id_of(number)) == "B"]
    events = [{"event_id": f"v{n}", "kind": "visit", "at": moment, "customer_id": id_of(n)} for n in came[:3]]
    assert not world.accept_activity(BUSINESS_ID, events).errors
    world.end(campaign_id)
    world.rest()
    stored = world.campaigns.get(BUSINESS_ID, campaign_id).split
    assert stored is not None
    view = world.campaign_service.get(BUSINESS_ID, campaign_id)

    assert stored.chosen == Choice("B", Because.MORE)
    assert view.goal is not None
    assert view.goal.everybody.of == PEOPLE
    assert {name: share.reached for name, share in view.goal.variants.items()} == {"A": 0, "B": 3}
    assert view.goal.variants["B"].of == len(came)


def test_a_rule_is_set_changed_and_taken_away_until_it_begins() -> None:
    world = World()
    given: dict[str, Any] = {"variants": (A, B), "content": A.content, "is_draft": True, "winner": RULE}
    campaign_id = world.post(**given).campaign.campaign_id

    def rule(**change: Any) -> WinnerRule | None:
        split = world.edit_campaign.change(BUSINESS_ID, campaign_id, CampaignChange(**change)).campaign.split
        return None if split is None else split.winner

    assert rule(name="Another") == RULE
    assert rule(holdout=500) == RULE
    assert rule(winner=replace(RULE, least=9)) == replace(RULE, least=9)
    assert rule(winner=None) is None
    assert rule(winner=RULE) == RULE
    with pytest.raises(InvalidInputError) as wrong:
        rule(winner=replace(RULE, by=ChosenBy.GOAL))
    assert [each.field for each in wrong.value.errors] == ["winner.by"]
    assert rule(variants=lambda _: ()) is None
    with pytest.raises(InvalidInputError) as none:
        rule(winner=RULE)
    assert [each.field for each in none.value.errors] == ["winner"]
