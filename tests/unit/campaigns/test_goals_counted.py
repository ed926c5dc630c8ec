"""Goals that customers reach by what they do: late, twice, at the same time or after a death, the end is the same."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.activity.domain.words import ActivityTask
from rebound.inbound.domain.replies import IncomingText
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.labels import REACHED, REACHED_ANYWAY
from rebound.messages.domain.messages import HELD_OUT, Message, MessageStatus
from rebound.messages.domain.vouchers import Voucher, VoucherKind
from rebound.templates.domain.content import EmailContent
from rebound.vouchers.application.redeem_voucher import Order
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, at, business, customer, id_of, message, message_key
from tests.fakes.watching import Turns, WorkerDiedError
from tests.fakes.world import Chaos, World

DAY: Final = timedelta(days=1)
PEOPLE: Final = 3
OTHER_ID: Final = "01M7W6ARGFEXM6PVNM0V1C8F0P"
VISIT: Final = Goal(GoalKind.VISIT, 3)
PURCHASE: Final = Goal(GoalKind.PURCHASE, 2)


def messages(who: int) -> list[Message]:
    """What a customer was sent: one to visit, one to buy; the third customer was held out of the former."""
    sent = at(0) - 4 * DAY
    is_held_out = who == PEOPLE
    return [
        message(
            who,
            MessageStatus.EXCLUDED if is_held_out else MessageStatus.DELIVERED,
            key=message_key(who, CAMPAIGN_ID),
            reason=HELD_OUT if is_held_out else None,
            queued_at=sent,
            sent_at=None if is_held_out else sent,
            goal=VISIT.written,
        ),
        message(
            who,
            key=message_key(who, OTHER_ID),
            campaign_id=OTHER_ID,
            queued_at=sent,
            sent_at=sent + DAY,
            goal=PURCHASE.written,
        ),
    ]


def with_people(seed: int = 0, **chaos: float) -> World:
    world = World(business(goals_until=at(0) + 90 * DAY), seed=seed)
    world.add(*(customer(number) for number in range(1, PEOPLE + 1)))
    world.messages.record_new([each for who in range(1, PEOPLE + 1) for each in messages(who)])
    world.chaos = Chaos(**chaos)
    return world


def told(kind: str, event_id: str, who: int, days_ago: float) -> dict[str, Any]:
    moment = (at(0) - days_ago * DAY).isoformat().replace("+00:00", "Z")
    paid = {"amount": "9.00", "currency": "EUR"} if kind == "purchase" else {}
    return {"event_id": event_id, "kind": kind, "at": moment, "customer_id": id_of(who), **paid}


def say(world: World, event_id: str, word: tuple[str, int, float] | None) -> None:
    if word is None:
        world.accept_activity.take_back(BUSINESS_ID, event_id)
    else:
        assert not world.accept_activity(BUSINESS_ID, [told(word[0], event_id, *word[1:])]).errors


def expected(last: Mapping[str, tuple[str, int, float] | None], who: int) -> list[datetime | None]:
    words = [word for word in last.values() if word is not None and word[1] == who]
    times = {kind: [at(0) - days * DAY for each, _, days in words if each == kind] for kind in ("visit", "purchase")}
    return [Goal.read(each.goal or "").reached(each, times[Goal.read(each.goal or "").kind]) for each in messages(who)]


def found(world: World, who: int) -> list[datetime | None]:
    known = world.messages.get_many([each.key for each in messages(who)])
    return [known[each.key].reached_at for each in messages(who)]


def counts(world: World) -> Counter[str]:
    both = Counter(world.tallies.counts(CAMPAIGN_ID)) + Counter(world.tallies.counts(OTHER_ID))
    return Counter({label: both[label] for label in (REACHED, REACHED_ANYWAY)})


def is_as_said(world: World, last: Mapping[str, tuple[str, int, float] | None]) -> None:
    wanted = {who: expected(last, who) for who in range(1, PEOPLE + 1)}
    assert {who: found(world, who) for who in wanted} == wanted
    anyway = int(wanted[PEOPLE][0] is not None)
    reached = sum(each is not None for one in wanted.values() for each in one)
    assert counts(world) == Counter({REACHED: reached - anyway, REACHED_ANYWAY: anyway})


WORDS: Final = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.none()
        | st.tuples(
            st.sampled_from(["visit", "purchase", "check_in"]),
            st.integers(1, PEOPLE),
            st.sampled_from([0.5, 1.5, 2.5, 3.5, 5]),
        ),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(WORDS, st.integers(0, 2**32), st.integers(0, 2))
def test_in_any_order_doubled_and_after_deaths_goals_are_what_the_last_words_say(
    words: Sequence[tuple[str, tuple[str, int, float] | None]], seed: int, rests: int
) -> None:
    world = with_people(seed, death=0.05, duplicate=0.3)
    last: dict[str, tuple[str, int, float] | None] = {}
    for number, (event_id, word) in enumerate(words):
        say(world, event_id, word)
        last[event_id] = word
        if rests and number % (rests + 1) == 0:
            world.rest()
    world.rest()

    is_as_said(world, last)


def apply_part(world: World, task: ActivityTask) -> None:
    world.apply_activity(task)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(WORDS, st.integers(0, 2**32))
def test_parts_that_are_applied_at_the_same_time_end_as_the_last_words_say(
    words: Sequence[tuple[str, tuple[str, int, float] | None]], seed: int
) -> None:
    world = with_people(seed)
    last: dict[str, tuple[str, int, float] | None] = {}
    for event_id, word in words:
        say(world, event_id, word)
        last[event_id] = word
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint
    _ = world.apply_activity
    turns.run([partial(apply_part, world, task) for task in world.activity.parts])
    world.checkpoint = lambda _: None
    world.rest()

    is_as_said(world, last)


@pytest.mark.parametrize("until", [None, at(0) - timedelta(seconds=1)])
def test_a_business_without_goals_reads_and_writes_nothing_for_them(until: datetime | None) -> None:
    world = World(business(goals_until=until))
    world.add(customer(1))
    calls: list[str] = []
    world.checkpoint = calls.append
    say(world, "a", ("visit", 1, 1))
    world.rest()

    assert world.summaries.get_many(BUSINESS_ID, [id_of(1)])[id_of(1)].last_visit is not None
    assert not [each for each in calls if each.startswith("messages.") and not each.startswith("messages.stream")]


def test_a_goal_that_was_reached_stays_so_when_the_customer_is_deleted_and_comes_again() -> None:
    world = with_people()
    own = customer(4, external_id="own-4")
    world.add(own)
    world.messages.record_new([message(4, sent_at=at(0) - 4 * DAY, goal=VISIT.written)])
    say(world, "a", ("visit", 4, 3))
    world.rest()
    world.customer_service.delete(BUSINESS_ID, id_of(4))
    world.rest()
    world.add(own)
    say(world, "b", ("check_in", 4, 1))
    world.rest()
    kept = world.messages.get_many([message(4).key])[message(4).key]

    assert world.activity.read(BUSINESS_ID, id_of(4)).erased
    assert kept.reached_at == at(0) - 3 * DAY


def run_with_goal(world: World, goal: Goal, **given: Any) -> str:
    """A campaign to everybody with this goal, sent."""
    campaign_id = world.post(goal=goal, **given).campaign.campaign_id
    world.run(campaign_id)
    return campaign_id


def reached(world: World, campaign_id: str) -> int:
    world.pump_streams()
    return world.tallies.counts(campaign_id).get(REACHED, 0)


def test_a_campaign_has_its_business_listened_to_before_its_first_message() -> None:
    world = World()
    world.add(*(customer(number) for number in range(1, 4)))
    campaign_id = run_with_goal(world, VISIT)
    sent = world.clock.now()
    say(world, "a", ("visit", 1, -0.5))
    say(world, "b", ("visit", 1, -0.6))
    say(world, "c", ("visit", 2, 1))
    world.rest()

    assert reached(world, campaign_id) == 1
    until = world.businesses.get(BUSINESS_ID).goals_until
    assert until is not None
    assert until >= sent + VISIT.days


@pytest.mark.parametrize("death", [0, 0.1])
def test_a_voucher_that_is_redeemed_and_taken_back_reaches_its_goal_and_does_not(death: float) -> None:
    world = World(seed=4)
    world.add(*(customer(number) for number in range(1, 4)))
    voucher = Voucher(kind=VoucherKind.PERCENT, value="10", currency="EUR", valid_days=30)
    says = EmailContent("Gift", None, "Use ##{{voucher_code}} now")
    campaign_id = run_with_goal(world, Goal(GoalKind.REDEMPTION, 5), content=says, voucher=voucher)
    codes = {email.to: email.content.text.split()[1] for email in world.mailer.emails}
    world.chaos = Chaos(death=death)

    def again(doing: Callable[[], object]) -> None:
        for _ in range(50):
            with suppress(WorkerDiedError):
                world._mortal("redeem", doing)
                return

    def redeem(order_id: str, who: int = 1) -> None:
        order = Order(id_of(who), order_id, "20.00")
        again(lambda: world.redeem_voucher(BUSINESS_ID, codes[f"ana{who}@example.com"], order))

    def take_back(order_id: str) -> None:
        again(lambda: world.take_back_redemption(BUSINESS_ID, codes["ana1@example.com"], order_id))

    seen = []
    doings: list[Callable[[], None]] = [
        partial(redeem, "o-1"),
        partial(redeem, "o-1"),
        partial(redeem, "o-2", who=2),
        partial(take_back, "o-1"),
        partial(take_back, "o-1"),
        partial(redeem, "o-3"),
        partial(take_back, "o-1"),
    ]
    for doing in doings:
        doing()
        seen.append(reached(world, campaign_id))
    assert seen == [1, 1, 2, 1, 1, 2, 2]

    world.clock.move(6 * DAY)
    redeem("o-4", who=3)
    assert reached(world, campaign_id) == 2
    world.customer_service.delete(BUSINESS_ID, id_of(2))
    world.rest()
    assert reached(world, campaign_id) == 2


def test_an_answer_by_text_reaches_the_goal_and_a_stop_does_not() -> None:
    world = World()
    world.add(*(customer(number) for number in range(1, 5)))
    campaign_id = run_with_goal(world, Goal(GoalKind.REPLY, 2), channel=Channel.SMS)
    seen = []
    for who, body in (
        (1, "Stop"),
        (2, "When are you open?"),
        (2, "When are you open?"),
        (3, "stop texting me"),
        (3, "I’m driving right now. I’ll see your message when I get there."),
        (4, "👍"),
    ):
        text = IncomingText(f"SM{who}{body}", f"+1415556{who:04d}", "+14155550100", ("+14155550100",), body)
        world.receive_text(text)
        seen.append(reached(world, campaign_id))

    assert seen == [0, 1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("kind", "given"), [("reply", {}), ("redemption", {}), ("redemption", {"channel": Channel.SMS})]
)
def test_a_goal_that_nobody_can_reach_is_refused(kind: str, given: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        World().post(goal=Goal(GoalKind(kind), 3), **given)

    assert [each.field for each in refused.value.errors] == ["goal.kind"]
