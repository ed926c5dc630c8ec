"""Half-open recovery: one message at a time, further and further apart, to what is flagged for a cause that passes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.campaigns.domain.campaigns import Campaign
from rebound.contacts.domain.contacts import Contact, Recovery, is_recoverable, next_try_at
from rebound.contacts.domain.reachability import (
    HIGHEST_COUNT,
    REACHABLE,
    STANDARD_POLICY,
    STRICT_POLICY,
    Cleared,
    ClearedBy,
    Evidence,
    Failure,
    Reachability,
    Tried,
    Voided,
    policy_of,
)
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Send, decide
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider, all_codes, look_up
from rebound.kernel.receipts import MessageKey, Outcome
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import Lane, Throttled
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.templates.domain.content import TextContent
from tests.contract.campaigns.fakes import adds_up
from tests.fakes import strategies
from tests.fakes.making import (
    BUSINESS_ID,
    NO_SUCH_MAILBOX,
    SOFT,
    at,
    business,
    campaign,
    contact_key,
    customer,
    id_of,
)
from tests.fakes.watching import Turns, WorkerDiedError
from tests.fakes.world import Chaos, World

FULL = "Transient/MailboxFull"
DAY = timedelta(days=1)
ANA = customer()
REMINDER = campaign(category=Category.REMINDER)
PROMOTIONAL = tuple(category for category in Category if category.is_promotional)
OTHERS = tuple(category for category in Category if not category.is_promotional)
SPACED, PROBING, BOTH = Recovery(spaced=True), Recovery(probe_marketing=True), Recovery(True, True)
EMPTY = Reachability()


def full(at_: datetime, message_id: str = "m1") -> Failure:
    return Failure(at_, message_id, Provider.SES, FULL)


def days(number: float) -> datetime:
    """So many days after the noon of all tests."""
    return at(0) + number * DAY


# --- the schedule -----------------------------------------------------------------------------------------------------


def test_tries_are_1_2_4_up_to_32_days_after_the_last_failure() -> None:
    state, now, spacings = EMPTY, at(0), []
    for number in range(9):
        state = state.join(full(now, f"m{number}"))
        due = next_try_at(state, STANDARD_POLICY)
        assert due is not None
        spacings.append((due - now).days)
        now = due

    assert spacings == [1, 2, 4, 8, 16, 32, 32, 32, 32]


@pytest.mark.parametrize("count", [1, 5, HIGHEST_COUNT])
def test_the_first_try_is_a_day_after_the_flag_however_many_failures_it_took(count: int) -> None:
    policy = policy_of("custom", {"unreachable": count})
    state = EMPTY.join(*(Failure(days(n), f"m{n}", Provider.SES, SOFT) for n in range(count - 1)))
    assert next_try_at(state, policy) is None

    spacings = []
    for number in range(count - 1, count + 7):
        state = state.join(Failure(days(number), f"m{number}", Provider.SES, SOFT))
        due = next_try_at(state, policy)
        assert due is not None
        spacings.append((due - days(number)).days)
    assert spacings == [1, 2, 4, 8, 16, 32, 32, 32]


def test_two_failures_of_one_message_are_one_step() -> None:
    once = EMPTY.join(full(at(0)))
    twice = once.join(Failure(at(9), "m1", Provider.SES, "Transient/General"))

    assert (next_try_at(once, STANDARD_POLICY), next_try_at(twice, STANDARD_POLICY)) == (at(0) + DAY, at(9) + DAY)


def test_a_try_without_a_word_counts_as_failed_when_it_was_tried_and_its_word_changes_the_time_only() -> None:
    silent = EMPTY.join(full(at(0)), Tried(days(1), "m2"))
    told = silent.join(full(days(1) + timedelta(minutes=3), "m2"))

    assert next_try_at(silent, STANDARD_POLICY) == days(3)
    assert next_try_at(told, STANDARD_POLICY) == days(3) + timedelta(minutes=3)
    # Silent for ever, it goes on at the same pace.
    assert next_try_at(silent.join(Tried(days(3), "m3")), STANDARD_POLICY) == days(5)


def test_a_try_that_was_cleared_is_forgotten_and_the_schedule_begins_again() -> None:
    state = EMPTY.join(full(at(0)), Tried(days(1), "m2"), Cleared(days(1.1), ClearedBy.DELIVERY, "m2"))
    again = state.join(full(days(40), "m9"))

    assert state == Reachability(Cleared(days(1.1), ClearedBy.DELIVERY, "m2"))
    assert next_try_at(again, STANDARD_POLICY) == days(41)


def test_what_was_voided_counts_neither_as_a_failure_nor_as_a_try() -> None:
    state = EMPTY.join(full(at(0)), full(days(1), "m2"), Tried(days(3), "m3"))

    assert next_try_at(state, STANDARD_POLICY) == days(3 + 4)
    assert next_try_at(state.join(Voided("m3")), STANDARD_POLICY) == days(1 + 2)
    assert next_try_at(state.join(Voided("m2"), Voided("m3")), STANDARD_POLICY) == days(1)
    assert next_try_at(state.join(Voided("m1"), Voided("m2")), STANDARD_POLICY) is None


@given(st.lists(strategies.evidence, max_size=8))
def test_a_try_says_nothing_about_the_address(evidence: list[Evidence]) -> None:
    said = [item for item in evidence if not isinstance(item, Tried)]

    assert EMPTY.join(*evidence).verdict(STANDARD_POLICY) == EMPTY.join(*said).verdict(STANDARD_POLICY)
    assert EMPTY.join(*evidence).failures == EMPTY.join(*said).failures


@given(st.lists(strategies.evidence, max_size=8))
def test_of_all_tries_the_latest_is_kept_unless_the_address_was_good_later(evidence: list[Evidence]) -> None:
    cleared = max((e.at for e in evidence if isinstance(e, Cleared)), default=None)
    tries = [e for e in evidence if isinstance(e, Tried) and (cleared is None or e.at > cleared)]

    assert EMPTY.join(*evidence).tried == max(tries, key=lambda t: (t.at, t.message_id), default=None)


@given(st.lists(strategies.evidence, max_size=12))
def test_only_what_is_flagged_for_causes_that_pass_is_ever_due_and_never_at_once(evidence: list[Evidence]) -> None:
    state = EMPTY.join(*evidence)
    due = next_try_at(state, STANDARD_POLICY)
    lasting = [f for f in state.counted_failures if not look_up(f.provider, f.code).recoverable]

    assert (due is not None) == (
        state.verdict(STANDARD_POLICY).invalid and not EMPTY.join(*lasting).verdict(STANDARD_POLICY).invalid
    )
    assert due is None or all(due >= f.at + DAY for f in state.counted_failures)


def test_causes_that_pass_are_full_mailboxes_and_what_was_out_of_reach() -> None:
    passing = {(row.provider, row.code) for row in all_codes() if row.recoverable}

    assert passing == {
        (Provider.SES, "Transient/MailboxFull"),
        (Provider.SES, "Transient/General"),
        (Provider.SES, "Transient/General/NoReport"),
        (Provider.SES, "Transient/CustomTimeoutExceeded"),
        (Provider.SES, "smtp/4"),
        (Provider.SNS, "Phone is currently unreachable/unavailable"),
        (Provider.SNS, "Phone carrier is currently unreachable/unavailable"),
        (Provider.TWILIO, "30003"),
        (Provider.TWILIO, "30006"),
    }
    assert not look_up(Provider.SES, "nobody knows").recoverable


def test_what_passes_depends_on_what_the_policy_counts() -> None:
    both = EMPTY.join(full(at(0)), Failure(at(1), "m2", Provider.SES, NO_SUCH_MAILBOX))

    assert not is_recoverable(both, STANDARD_POLICY)
    assert next_try_at(both, policy_of("custom", {"invalid": 2})) == at(1) + DAY
    assert next_try_at(EMPTY.join(full(at(0))), STRICT_POLICY) is None


# --- the decision -----------------------------------------------------------------------------------------------------


def decided(state: Reachability, what: Campaign, recovery: Recovery, now: datetime) -> Decision:
    return decide(ANA, Contact(contact_key(), state), business(recovery=recovery), what, now)


@given(
    st.lists(strategies.evidence, max_size=8),
    st.sampled_from(Category),
    st.integers(0, 40),
    st.booleans(),
)
def test_without_the_options_nothing_depends_on_tries_or_time(
    evidence: list[Evidence], category: Category, later: int, exclude: bool
) -> None:
    state = EMPTY.join(*evidence)
    what = campaign(category=category, exclude_failed=exclude)
    kept_away = category.is_promotional and exclude and state.verdict(STANDARD_POLICY).invalid

    assert decided(state, what, Recovery(), days(later)) == (
        Exclusion.INVALID_CONTACT if kept_away else Send("ana1@example.com")
    )


@pytest.mark.parametrize("category", OTHERS)
@pytest.mark.parametrize("recovery", [SPACED, BOTH], ids=["spaced", "both"])
def test_spaced_leaves_everything_but_marketing_out_until_the_try_is_due(
    category: Category, recovery: Recovery
) -> None:
    state, what = EMPTY.join(full(at(0))), campaign(category=category)

    assert decided(state, what, recovery, days(1) - timedelta(seconds=1)) is Exclusion.WAITING_FOR_RETRY
    assert decided(state, what, recovery, days(1)) == Send("ana1@example.com", is_try=True)
    assert decided(state, what, PROBING, at(1)) == Send("ana1@example.com")


@pytest.mark.parametrize("category", PROMOTIONAL)
@pytest.mark.parametrize("recovery", [PROBING, BOTH], ids=["probing", "both"])
def test_probing_lets_marketing_through_when_the_try_is_due(category: Category, recovery: Recovery) -> None:
    state, what = EMPTY.join(full(at(0))), campaign(category=category)

    assert decided(state, what, recovery, days(1) - timedelta(seconds=1)) is Exclusion.INVALID_CONTACT
    assert decided(state, what, recovery, days(1)) == Send("ana1@example.com", is_try=True)
    assert decided(state, what, SPACED, days(99)) is Exclusion.INVALID_CONTACT


@pytest.mark.parametrize("category", list(Category))
def test_an_address_that_does_not_exist_gets_what_it_got_without_the_options(category: Category) -> None:
    gone, what = EMPTY.join(Failure(at(0), "m1", Provider.SES, NO_SUCH_MAILBOX)), campaign(category=category)

    for later in (0, 1, 99):
        assert decided(gone, what, BOTH, days(later)) == decided(gone, what, Recovery(), days(later))


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize(
    "override", [{"exclude_failed": False}, {"include_customer_ids": frozenset({ANA.customer_id})}], ids=str
)
def test_who_is_wanted_all_the_same_does_not_wait_and_is_no_try(category: Category, override: dict[str, Any]) -> None:
    state = EMPTY.join(full(at(0)))

    assert decided(state, campaign(category=category, **override), BOTH, at(1)) == Send("ana1@example.com")


# --- the send ---------------------------------------------------------------------------------------------------------


def salon(recovery: Recovery, customers: int = 1, channel: Channel = Channel.EMAIL, **more: int) -> World:
    """A salon whose customers' addresses were flagged a day ago for a cause that passes, and still fail."""
    world = World(business(recovery=recovery), **more)
    for number in range(1, customers + 1):
        who = customer(number)
        world.add(who)
        key, address = contact_key(number, channel), who.address(channel)
        provider, code = (Provider.SES, FULL) if channel is Channel.EMAIL else (Provider.TWILIO, "30003")
        needed = 1 if channel is Channel.EMAIL else 5
        world.know(key, *(Failure(days(-1) - timedelta(seconds=1 + n), f"o{n}", provider, code) for n in range(needed)))
        world.outcomes[str(address)] = ((Outcome.FAILED, code, 1.0),)
    return world


def send(world: World, category: Category, channel: Channel = Channel.EMAIL, **given: object) -> dict[str, int]:
    """Run a campaign; who was left out, by reason."""
    view = world.run(world.post(channel, category=category, **given).campaign.campaign_id)
    assert adds_up(view)
    return {reason: count for reason, count in view.audience.excluded.items() if count}


def test_a_spaced_reminder_is_tried_once_and_then_waits_twice_as_long() -> None:
    world = salon(SPACED)
    assert send(world, Category.REMINDER) == {}
    failed = world.contacts.rows[contact_key()].next_try_at(STANDARD_POLICY)
    assert send(world, Category.REMINDER) == {"waiting_for_retry": 1}
    assert send(world, Category.MARKETING) == {"invalid_contact": 1}
    assert len(world.mailer.handed) == 1
    assert failed is not None
    assert timedelta(days=2) <= failed - at(0) < timedelta(days=2, minutes=1)
    world.clock.move_to(failed)
    assert send(world, Category.REMINDER) == {}


def test_a_probe_that_is_delivered_clears_the_flag_and_everything_goes_out_again() -> None:
    world = salon(PROBING)
    world.outcomes["ana1@example.com"] = ((Outcome.DELIVERED, None, 1.0),)
    assert send(world, Category.MARKETING) == {}
    contact = world.contacts.rows[contact_key()]
    assert contact.verdict(STANDARD_POLICY) == REACHABLE
    assert contact.reachability.tried is None
    assert send(world, Category.MARKETING) == {}
    assert world.customers.get(BUSINESS_ID, id_of(1)).failed_email is False


@pytest.mark.parametrize("channel", list(Channel))
def test_whoever_shares_an_address_shares_its_try(channel: Channel) -> None:
    world = salon(BOTH, channel=channel)
    for number in (2, 3, 4):
        world.add(customer(number, email=ANA.email, mobile_phone=ANA.mobile_phone))

    assert send(world, Category.REMINDER, channel) == {"waiting_for_retry": 3}
    assert len(world.mailer.handed) + len(world.twilio_texter.handed) == 1


@pytest.mark.parametrize("channel", list(Channel))
def test_a_throttled_try_is_the_same_try_when_it_comes_again(channel: Channel) -> None:
    world = salon(BOTH, channel=channel)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    script.answer(ANA.address(channel) or "", Throttled("slower"), Throttled("slower"))
    before = world.contacts.writes

    assert send(world, Category.MARKETING, channel) == {}
    assert len(script.handed) == 3
    assert set(script.went_out.values()) == {1}
    assert world.contacts.writes == before + 2, "the try and its failure"


def test_a_try_of_which_no_word_comes_is_followed_by_the_next_on_the_same_schedule() -> None:
    world = salon(PROBING)
    world.outcomes["ana1@example.com"] = ()
    assert send(world, Category.MARKETING) == {}
    tried = world.clock.now()
    assert send(world, Category.MARKETING) == {"invalid_contact": 1}
    world.clock.move_to(tried + 2 * DAY)
    assert send(world, Category.MARKETING) == {}
    assert len(world.mailer.handed) == 2


def test_what_cannot_be_rendered_takes_no_try() -> None:
    world = salon(BOTH, channel=Channel.SMS)
    content = TextContent("##{{gender}}")

    assert send(world, Category.REMINDER, Channel.SMS, content=content) == {"cannot_render": 1}
    assert world.contacts.rows[contact_key(1, Channel.SMS)].reachability.tried is None
    assert send(world, Category.REMINDER, Channel.SMS) == {}


@pytest.mark.parametrize("channel", list(Channel))
def test_healthy_contacts_and_those_flagged_for_good_cost_no_write_at_the_send(channel: Channel) -> None:
    world = World(business(recovery=BOTH))
    world.add(*(customer(number) for number in range(1, 40)))
    bad = (Provider.SES, NO_SUCH_MAILBOX) if channel is Channel.EMAIL else (Provider.TWILIO, "30005")
    world.know(contact_key(1, channel), Failure(at(-5), "m", *bad))
    for number in range(1, 40):
        world.outcomes[str(customer(number).address(channel))] = ()
    before = world.contacts.writes

    assert send(world, Category.REMINDER, channel) == {}
    assert world.contacts.writes == before


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("seed", range(40))
def test_campaigns_at_the_same_time_make_one_try(channel: Channel, seed: int) -> None:
    world = salon(BOTH, customers=2, channel=channel, seed=seed, ranges=1)
    ids = [
        world.post(channel, category=category).campaign.campaign_id
        for category in (Category.REMINDER, Category.MARKETING, Category.TRANSACTIONAL)
    ]
    for campaign_id in ids:
        world.plan_campaign(BUSINESS_ID, campaign_id)
        world.expand_campaign(BUSINESS_ID, campaign_id, 0, lambda: True)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    assert [world.campaign_service.get(BUSINESS_ID, id_).audience.targeted for id_ in ids] == [2, 2, 2]

    turns = Turns(seed)
    world.checkpoint = turns.checkpoint
    tasks = [ChunkTask(row.key, len(row.remaining), Lane.PROMPT) for row in world.chunks.rows.values()]
    turns.run([partial(world._send, channel, task, f"worker-{n}") for n, task in enumerate(tasks)])
    world.checkpoint = lambda _: None
    world.rest()

    assert sorted(script.addresses) == sorted(str(customer(n).address(channel)) for n in (1, 2))
    views = [world.run(campaign_id) for campaign_id in ids]
    assert all(adds_up(view) for view in views)
    assert sum(view.audience.targeted for view in views) == 2


def die_at(world: World, where: str, times: int) -> Callable[[], bool]:
    """Let the worker die at the nth checkpoint of this name; whether it came to that."""
    seen = 0

    def checkpoint(name: str) -> None:
        nonlocal seen
        seen += name == where
        if seen == times and name == where:
            raise WorkerDiedError

    world.checkpoint = checkpoint
    return lambda: seen >= times


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("times", [1, 2])
def test_a_worker_that_dies_at_the_try_leaves_one_that_its_successor_makes(channel: Channel, times: int) -> None:
    world = salon(BOTH, channel=channel)
    died = die_at(world, "contacts.save", times)
    world.chaos = Chaos()

    view = world.run(world.post(channel, category=Category.REMINDER).campaign.campaign_id)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    assert died()
    assert adds_up(view)
    assert view.audience.targeted == 1
    assert view.results[MessageStatus.BOUNCED] == 1
    assert len(script.handed) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from(Channel), st.sampled_from([0.0, 0.02, 0.1]))
def test_whatever_dies_or_comes_twice_an_address_is_tried_once(seed: int, channel: Channel, death: float) -> None:
    world = salon(BOTH, customers=4, channel=channel, seed=seed)
    world.add(customer(5, email=ANA.email, mobile_phone=ANA.mobile_phone))
    world.chaos = Chaos(death=death, duplicate=0.1, early=0.2)
    views = [
        world.run(world.post(channel, category=category).campaign.campaign_id)
        for category in (Category.REMINDER, Category.MARKETING)
    ]
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter

    assert all(adds_up(view) for view in views)
    assert len(script.addresses) == len(set(script.addresses)) <= 4


def test_a_message_to_one_person_that_has_to_wait_says_so_in_the_client_log() -> None:
    world = salon(SPACED)
    world.clock.move_to(at(0) - timedelta(hours=2))
    world.know(contact_key(), full(at(0) - timedelta(hours=3), "m2"))
    queued = world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.REMINDER,
        channel=Channel.EMAIL,
        content=REMINDER.content,
    )
    world.rest()
    row: Message = world.messages.rows[MessageKey(BUSINESS_ID, id_of(1), queued.key.message_id)]

    assert (row.status, row.reason) == (MessageStatus.EXCLUDED, "waiting_for_retry")
    assert world.mailer.handed == []


# --- the settings -----------------------------------------------------------------------------------------------------


def test_an_option_that_is_left_out_keeps_its_value() -> None:
    world = World()
    assert world.settings_of_business.get(BUSINESS_ID).recovery == Recovery()
    changes = ({"spaced": True}, {"probe_marketing": True}, {"spaced": False})
    seen = [world.settings_of_business.change(BUSINESS_ID, {"recovery": c}) for c in changes]

    assert [found.recovery for found in seen] == [SPACED, BOTH, PROBING]
    assert world.settings_of_business.change(BUSINESS_ID, {"name": "New"}).recovery == PROBING
