"""Texts for which the plan has no room go by email where that may be: once, by one of the two, and nobody is lost."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import replace
from datetime import time, timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import RECIPIENT_LIMIT, Bundle, Business, Switches
from rebound.businesses.domain.frequency import FrequencyCap
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.businesses.domain.text_plan import TextPlan
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import ChunkState
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ReboundError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import Throttled
from rebound.sending.application import run_campaign
from rebound.sending.domain.recipients import Refused, Unknown
from rebound.sending.domain.single_messages import MessageChange
from rebound.templates.domain.content import Content, EmailContent, TextContent
from rebound.text_plans.application.meter_texts import MeterTexts
from rebound.text_plans.domain import Entry, name_of
from tests.contract.campaigns import fakes
from tests.contract.campaigns.fakes import adds_up
from tests.contract.messages.fakes import PUBLIC_URL
from tests.fakes.making import (
    BUSINESS_ID,
    NO_SUCH_MAILBOX,
    SHORT_GREETING,
    at,
    business,
    contact_key,
    customer,
    id_of,
)
from tests.fakes.watching import Boundary, BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos, World

NIGHT: Final = QuietWindow(time(3), time(8), frozenset(Category))
"""The day begins at four where the numbers are (UTC-8)."""


@contextmanager
def room_for(may_go: Callable[[int], bool] = lambda _: False) -> Iterator[None]:
    """The plan has room for the texts of some customers, by number: as if others had used up the rest in between."""
    reserve = MeterTexts.reserve
    numbers = {id_of(number): number for number in range(1, 400)}

    def for_some(self: MeterTexts, business_: Business, wanted: Mapping[MessageKey, int]) -> Mapping[MessageKey, Entry]:
        own = {key: segments for key, segments in wanted.items() if may_go(numbers[key.customer_id])}
        return reserve(self, business_, own)

    with patch.object(MeterTexts, "reserve", for_some):
        yield


def planned(included: int = 1000, **settings_: Any) -> Business:
    return business(text_plan=TextPlan(included), **settings_)


def salon(customers: int = 1, **settings_: Any) -> World:
    world = World(planned(**settings_), ranges=1)
    world.add(*(customer(number) for number in range(1, customers + 1)))
    return world


def post(world: World, content: Content = SHORT_GREETING, number: int = 1, **given: Any) -> Message:
    defaults: dict[str, Any] = {"category": Category.ONE_TO_ONE, "channel": Channel.SMS}
    return world.post_message(BUSINESS_ID, customer_id=id_of(number), content=content, **{**defaults, **given})


def logged(world: World, message: Message) -> Message:
    return world.messages.rows[message.key]


def by(world: World) -> dict[str, list[str]]:
    """Who was handed what, by channel."""
    return {
        "sms": [handed.to for handed in world.twilio_texter.handed],
        "email": [handed.to for handed in world.mailer.handed],
    }


def opted_out(world: World, number: int, channel: Channel = Channel.EMAIL, scope: Scope = Scope.ALL) -> None:
    world.know(contact_key(number, channel), ConsentEvidence(at(-9), scope, True, ConsentSource.PROVIDER))


# --- a message to one person ------------------------------------------------------------------------------------------


def test_a_text_for_which_there_is_no_room_goes_by_email_under_the_same_message() -> None:
    world = salon()
    posted = post(world)
    with room_for():
        world.rest()

    found = world.steer_message.get(BUSINESS_ID, posted.key.message_id).message
    assert by(world) == {"sms": [], "email": ["ana1@example.com"]}
    assert (found.status, found.channel, found.address) == ("delivered", Channel.EMAIL, "ana1@example.com")
    assert (found.provider, found.queued_at) == (Provider.SES, posted.queued_at)
    assert all(chunk.state is ChunkState.DONE for chunk in world.chunks.rows.values())
    [email] = world.mailer.emails
    assert (email.content.subject, email.content.text.split("\n")[0]) == ("Salon Juniper", "Hi Ana1")


def test_a_text_for_which_there_is_room_stays_one() -> None:
    world = salon()
    posted = post(world)
    with room_for(lambda _: True):
        world.rest()

    assert by(world) == {"sms": ["+14155560001"], "email": []}
    assert logged(world, posted).channel is Channel.SMS


def flagged(world: World, number: int) -> None:
    world.know(contact_key(number), Failure(at(-9), "old", Provider.SES, NO_SUCH_MAILBOX))


def with_settings(world: World, **given: Any) -> None:
    world.businesses.replace(replace(world.businesses.get(BUSINESS_ID), **given))


KEPT_FROM_EMAIL: Final[dict[str, Callable[[World], object]]] = {
    "no address": lambda world: world.customer_service.change(BUSINESS_ID, id_of(1), {"email": None}),
    "no consent": lambda world: opted_out(world, 1),
    "no consent to what sells": lambda world: opted_out(world, 1, scope=Scope.MARKETING),
    "a flag": lambda world: flagged(world, 1),
    "emails are switched off": lambda world: with_settings(world, switches=Switches(email=False)),
    "no sender": lambda world: with_settings(world, email_from=None),
}


@pytest.mark.parametrize("because", KEPT_FROM_EMAIL)
def test_who_may_not_get_the_email_is_left_out_because_of_the_plan(because: str) -> None:
    world = salon()
    KEPT_FROM_EMAIL[because](world)
    view = world.post(Channel.SMS)
    with room_for():
        view = world.run(view.campaign.campaign_id)

    assert by(world) == {"sms": [], "email": []}
    assert view.audience.excluded == {"text_plan_exhausted": 1}
    assert (view.audience.targeted, view.fell_back_to_email) == (0, 0)
    [message] = world.messages.rows.values()
    assert (message.status, message.reason, message.channel) == ("excluded", "text_plan_exhausted", Channel.SMS)


@pytest.mark.parametrize("because", ["a flag", "no consent to what sells"])
def test_a_flag_or_a_no_to_marketing_does_not_keep_a_message_to_one_person_from_email(because: str) -> None:
    world = salon()
    KEPT_FROM_EMAIL[because](world)
    post(world)
    with room_for():
        world.rest()

    assert by(world)["email"] == ["ana1@example.com"]


def test_an_opt_out_of_texts_is_none_of_emails_and_the_other_way_round() -> None:
    world = salon(2)
    opted_out(world, 1, Channel.SMS)
    view = world.post(Channel.SMS)
    with room_for():
        view = world.run(view.campaign.campaign_id)

    assert by(world) == {"sms": [], "email": ["ana2@example.com"]}
    assert view.audience.excluded == {"opted_out": 1}


@pytest.mark.parametrize(
    ("answer", "status"), [(Unknown("ReadTimeoutError"), "uncertain"), (Refused("21211"), "bounced")]
)
def test_a_text_that_was_handed_over_never_goes_by_email(answer: Any, status: str) -> None:
    """Whether or not it went out: a text that was refused has its answer."""
    world = salon()
    world.twilio_texter.answer("+14155560001", answer)
    posted = post(world)
    world.rest()
    with room_for():
        world.clock.move(timedelta(hours=1))
        world.rest()

    assert by(world)["email"] == []
    assert logged(world, posted).status == status


def test_a_text_that_was_throttled_and_then_has_no_room_goes_by_email() -> None:
    world = salon()
    world.twilio_texter.answer("+14155560001", Throttled("ACCOUNT_THROTTLED"))
    post(world)
    while not world.twilio_texter.handed:
        assert world._tick()
    with room_for():
        world.rest()

    assert by(world) == {"sms": ["+14155560001"], "email": ["ana1@example.com"]}
    assert world.twilio_texter.went_out == Counter()


def test_an_email_waits_for_the_end_of_the_night_of_emails_and_can_be_changed_and_cancelled_meanwhile() -> None:
    for does, sent in (("nothing", 1), ("change", 1), ("cancel", 0)):
        world = salon(quiet_hours=QuietHours(sms=None, email=NIGHT))
        posted = post(world)
        with room_for():
            world.live_until(world.clock.now() + timedelta(seconds=30))
            waiting = world.steer_message.get(BUSINESS_ID, posted.key.message_id).message
            assert (waiting.status, waiting.channel) == ("queued", Channel.EMAIL)
            assert waiting.held_until is not None
            if does == "change":
                change = MessageChange(content=lambda _: TextContent("Come tomorrow"))
                world.steer_message.change(BUSINESS_ID, posted.key.message_id, change)
            if does == "cancel":
                world.steer_message.cancel(BUSINESS_ID, posted.key.message_id)
            world.rest()

        assert len(world.mailer.handed) == sent, does
        assert logged(world, posted).status == ("delivered" if sent else "cancelled")
        if does == "change":
            assert world.mailer.handed[0].body.startswith("Come tomorrow")
        if sent:
            assert world.clock.now() >= waiting.held_until


class CancelsBeside:
    """Cancels a message at the nth boundary of the sender of texts, as another process."""

    def __init__(self, world: World, posted: Message, number: int) -> None:
        self.said: str | None = None
        self._world, self._posted, self._left = world, posted, number
        world.checkpoint = self

    def __call__(self, _: Boundary) -> None:
        if self._world.step != "send_text" or self.said is not None:
            return
        self._left -= 1
        if self._left == 0:
            self.said = "cancelled"
            try:
                self._world.steer_message.cancel(BUSINESS_ID, self._posted.key.message_id)
            except ReboundError as error:
                self.said = type(error).__name__


def test_a_message_that_is_cancelled_on_its_way_to_email_goes_out_by_neither() -> None:
    """At every boundary of the sender of texts: it is cancelled, or it was too late and the email goes out."""
    said: set[str] = set()
    for number in range(1, 200):
        world = salon()
        posted = post(world)
        beside = CancelsBeside(world, posted, number)
        with room_for():
            world.rest()
        if beside.said is None:
            break
        said.add(beside.said)
        expected = [] if beside.said == "cancelled" else ["ana1@example.com"]
        assert by(world) == {"sms": [], "email": expected}, (number, beside.said)
        assert logged(world, posted).status == ("delivered" if expected else "cancelled")
    assert said == {"cancelled", "ConflictError"}


def test_a_change_of_the_time_of_what_fell_back_holds() -> None:
    world = salon(quiet_hours=QuietHours(sms=None, email=NIGHT))
    posted = post(world)
    later = world.clock.now() + timedelta(days=2)
    with room_for():
        world.live_until(world.clock.now() + timedelta(seconds=30))
        world.steer_message.change(
            BUSINESS_ID, posted.key.message_id, MessageChange(timing=lambda before: type(before)(later))
        )
        world.live_until(later - timedelta(minutes=1))
        assert world.mailer.handed == []
        world.rest()

    assert by(world) == {"sms": [], "email": ["ana1@example.com"]}
    assert world.clock.now() >= later


# --- what the email says ----------------------------------------------------------------------------------------------


def test_the_email_says_what_was_given_for_it() -> None:
    world = salon()
    given_ = EmailContent("See you ##{{first_name}}", "<h1>Soon, ##{{first_name}}</h1>")
    post(world, TextContent("Soon", given_))
    with room_for():
        world.rest()

    [email] = world.mailer.emails
    assert email.content.subject == "See you Ana1"
    assert "<h1>Soon, Ana1</h1>" in email.content.html


def test_an_email_that_sells_offers_to_unsubscribe_where_the_text_had_its_own_link() -> None:
    world = salon()
    view = world.post(Channel.SMS, content=TextContent("20% off & more. Stop: ##{{stop_url}}"))
    with room_for():
        world.run(view.campaign.campaign_id)

    [email] = world.mailer.emails
    assert f"20% off & more. Stop: {PUBLIC_URL}/v1/unsubscribe/" in email.content.text
    assert "20% off &amp; more." in email.content.html
    assert "List-Unsubscribe" in email.headers
    assert "{{" not in email.content.text + email.content.html + email.content.subject


# --- campaigns --------------------------------------------------------------------------------------------------------


def test_some_of_a_campaign_fall_back_and_everything_adds_up() -> None:
    world = salon(7)
    view = world.post(Channel.SMS, category=Category.REMINDER)
    with room_for(lambda number: number <= 3):
        view = world.run(view.campaign.campaign_id)

    assert sorted(by(world)["sms"]) == [f"+1415556{n:04d}" for n in (1, 2, 3)]
    assert sorted(by(world)["email"]) == [f"ana{n}@example.com" for n in (4, 5, 6, 7)]
    assert (view.audience.targeted, view.results[MessageStatus.DELIVERED], view.fell_back_to_email) == (7, 7, 4)
    assert world.mailer.calls == 1
    assert adds_up(view)
    assert view.campaign.status is CampaignStatus.COMPLETED
    recipients = world.read_recipients(BUSINESS_ID, view.campaign.campaign_id, status=None, limit=50, cursor=None)
    assert Counter(message.channel for message in recipients.items) == {Channel.SMS: 3, Channel.EMAIL: 4}


def test_the_bounce_of_an_email_that_stood_in_for_a_text_flags_that_address() -> None:
    world = salon(2)
    world.outcomes["ana1@example.com"] = ((Outcome.FAILED, NO_SUCH_MAILBOX, 1.0),)
    view = world.post(Channel.SMS)
    with room_for():
        view = world.run(view.campaign.campaign_id)

    assert view.results[MessageStatus.BOUNCED] == 1
    key = contact_key(1)
    assert world.contacts.get_many([key])[key].verdict(business().policy).invalid
    with patch.object(fakes, "CHUNKS_A_PAGE", 1):
        world.ask_for_rollback(BUSINESS_ID, view.campaign.campaign_id)
        world.rest()
    assert not world.contacts.get_many([key])[key].verdict(business().policy).invalid
    rollback = world.campaigns.get(BUSINESS_ID, view.campaign.campaign_id).rollback
    assert rollback is not None
    assert rollback.bounces == 1


def test_a_message_that_fell_back_counts_once_under_the_caps() -> None:
    cap = FrequencyCap("Weekly", tuple(Category), at_most=2, within_days=7)
    world = salon(frequency_caps=(cap,))
    for _ in range(3):
        view = world.post(Channel.SMS)
        with room_for():
            view = world.run(view.campaign.campaign_id)

    assert by(world)["email"] == ["ana1@example.com"] * 2
    assert view.audience.excluded == {"frequency_cap": 1}


def test_what_sells_goes_to_each_email_address_once() -> None:
    world = World(planned(), ranges=1)
    world.add(*(customer(number, email="family@example.com") for number in (1, 2, 3)))
    world.add(*(customer(number, mobile_phone="+14155570000") for number in (4, 5)))
    view = world.post(Channel.SMS)
    with room_for():
        view = world.run(view.campaign.campaign_id)

    found = Counter(by(world)["email"])
    assert found["family@example.com"] == 1
    assert set(found.values()) == {1}
    # Nobody was texted at the number of four and five, so each of them is written to.
    assert {"ana4@example.com", "ana5@example.com"} <= set(found)
    assert adds_up(view)
    assert view.results[MessageStatus.QUEUED] == 0


def test_a_pause_keeps_emails_back_and_a_resume_brings_them() -> None:
    world = salon(4)
    view = world.post(Channel.SMS)
    campaign_id = view.campaign.campaign_id
    with room_for():
        world.begin(campaign_id)
        while not any(chunk.key.fell_back for chunk in world.chunks.rows.values()):
            assert world._happens()
        world.steer_campaign.pause(BUSINESS_ID, campaign_id)
        world.rest()
        assert world.mailer.handed == []
        world.steer_campaign.resume(BUSINESS_ID, campaign_id)
        world.end(campaign_id)
        world.rest()

    assert len(world.mailer.handed) == 4


def test_a_cancellation_ends_those_who_fell_back() -> None:
    world = salon(4)
    view = world.post(Channel.SMS)
    campaign_id = view.campaign.campaign_id
    with room_for():
        world.begin(campaign_id)
        while not any(chunk.key.fell_back for chunk in world.chunks.rows.values()):
            assert world._happens()
        world.steer_campaign.cancel(BUSINESS_ID, campaign_id)
        world.rest()

    view = world.campaign_service.get(BUSINESS_ID, campaign_id)
    assert world.mailer.handed == []
    assert view.results[MessageStatus.CANCELLED] == 4
    assert adds_up(view)


def test_a_plan_lets_as_many_segments_out_as_it_has_and_the_rest_goes_by_email() -> None:
    world = World(planned(10), ranges=1)
    world.add(*(customer(number) for number in range(1, 15)))
    campaigns = [world.post(Channel.SMS).campaign.campaign_id for _ in range(2)]
    for campaign_id in campaigns:
        world.begin(campaign_id)
    for campaign_id in campaigns:
        world.end(campaign_id)
    world.rest()

    views = [world.campaign_service.get(BUSINESS_ID, campaign_id) for campaign_id in campaigns]
    assert (len(world.twilio_texter.handed), len(world.mailer.handed)) == (10, 18)
    assert sum(view.fell_back_to_email for view in views) == 18
    assert [view.results[MessageStatus.DELIVERED] for view in views] == [14, 14]
    assert world.text_ledger.month(BUSINESS_ID, "2026-11").used == 10


def test_after_an_upgrade_the_texts_of_a_running_campaign_go_on_as_texts() -> None:
    world = World(planned(2), ranges=1)
    world.add(*(customer(number) for number in range(1, 10)))
    with patch.object(run_campaign, "CHUNK_SIZE", 3):
        campaign_id = world.post(Channel.SMS).campaign.campaign_id
        world.begin(campaign_id)
    while not world.mailer.handed:
        assert world._tick()
    by_email = len(world.mailer.handed)
    with_settings(world, text_plan=TextPlan(1000))
    world.end(campaign_id)
    world.rest()

    assert (len(world.twilio_texter.handed), len(world.mailer.handed)) == (9 - by_email, by_email)
    assert by_email < 7


# --- whatever happens -------------------------------------------------------------------------------------------------

KINDS: Final = ("both", "no email", "no consent", "flagged", "shared email", "shared phone", "both shared")


def kind_of_customer(number: int, kind: str) -> Any:
    given_: dict[str, Any] = {}
    if kind == "no email":
        given_["email"] = None
    if kind in ("shared email", "both shared"):
        given_["email"] = "family@example.com"
    if kind in ("shared phone", "both shared"):
        given_["mobile_phone"] = "+14155570000"
    return customer(number, **given_)


@settings(max_examples=48)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=9),
    roomy=st.sets(st.integers(1, 9)),
    category=st.sampled_from((Category.MARKETING, Category.REMINDER)),
    seed=st.integers(0, 10**6),
    death=st.sampled_from((0.0, 0.02, 0.08)),
    duplicate=st.sampled_from((0.0, 0.3)),
    upgraded=st.booleans(),
    night=st.booleans(),
    capped=st.booleans(),
)
def test_nobody_is_sent_to_twice_or_lost(
    kinds: list[str],
    roomy: Collection[int],
    category: Category,
    seed: int,
    death: float,
    duplicate: float,
    upgraded: bool,
    night: bool,
    capped: bool,
) -> None:
    quiet = QuietHours(sms=None, email=NIGHT) if night else None
    caps = (FrequencyCap("Weekly", tuple(Category), at_most=1, within_days=7),) if capped else ()
    settings_: dict[str, Any] = {"quiet_hours": quiet} if quiet is not None else {}
    world = World(planned(frequency_caps=caps, **settings_), seed=seed, ranges=1)
    world.chaos = Chaos(death=death, duplicate=duplicate, early=duplicate)
    for number, kind in enumerate(kinds, 1):
        world.add(kind_of_customer(number, kind))
        if kind == "no consent":
            opted_out(world, number)
        if kind == "flagged":
            flagged(world, number)
    asked: Counter[int] = Counter()

    def may_go(number: int) -> bool:
        asked[number] += 1
        return number in roomy or (upgraded and asked[number] > 1)

    with patch.object(run_campaign, "CHUNK_SIZE", 3), room_for(may_go):
        view: CampaignView = world.post(Channel.SMS, category=category)
        view = world.run(view.campaign.campaign_id)

    texts, emails = world.twilio_texter.went_out, world.mailer.went_out
    event(f"texts: {bool(texts)}, emails: {bool(emails)}, deaths: {bool(world.deaths)}")
    assert all(count == 1 for count in (texts + emails).values()), "sent to twice"
    assert adds_up(view)
    assert view.audience.matched == len(kinds)
    assert view.results[MessageStatus.QUEUED] == 0
    assert all(chunk.state is ChunkState.DONE for chunk in world.chunks.rows.values())
    rows = world.messages.rows.values()
    targeted = [row for row in rows if row.fell_back is not None and row.status is not MessageStatus.EXCLUDED]
    assert view.fell_back_to_email == len(targeted)
    assert not {name_of(row.key) for row in rows if row.fell_back is not None} & set(world.text_ledger.rows)
    for row in rows:
        if row.key in texts or row.key in emails:
            # All are delivered, however early their receipts came.
            assert row.status is MessageStatus.DELIVERED
        if row.status is MessageStatus.DELIVERED:
            assert (texts if row.channel is Channel.SMS else emails)[row.key] == 1
        if row.reason == Exclusion.TEXT_PLAN_EXHAUSTED:
            assert row.channel is Channel.SMS
    for number, kind in enumerate(kinds, 1):
        if kind in ("no email", "no consent") and not death:
            [row] = [row for row in rows if row.key.customer_id == id_of(number)]
            is_text = row.channel is Channel.SMS
            assert is_text
    if category.is_promotional:
        for script in (world.mailer, world.twilio_texter):
            shared = Counter(handed.to for handed in script.handed if handed.went_out)
            assert all(count == 1 for count in shared.values())


class StopsAt:
    """Stops a sender at its nth boundary."""

    def __init__(self, world: World, number: int, breaks: type[Exception]) -> None:
        self.left = number
        self._world, self._breaks = world, breaks
        world.checkpoint = self

    def __call__(self, where: Boundary) -> None:
        if self._world.step in ("send_text", "send_email"):
            self.left -= 1
            if self.left == 0:
                raise self._breaks(str(where))


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("breaks", [WorkerDiedError, BrokenCallError])
def test_a_sender_stopped_at_any_boundary_of_falling_back_loses_nobody(single: bool, breaks: type[Exception]) -> None:
    for number in range(1, 500):
        world = salon(2)
        stops = StopsAt(world, number, breaks)
        with room_for():
            if single:
                post(world)
                world.rest()
            else:
                view = world.run(world.post(Channel.SMS).campaign.campaign_id)
                assert adds_up(view)
                assert view.results[MessageStatus.QUEUED] == 0, number
        if stops.left > 0:
            break
        assert by(world)["sms"] == []
        assert all(count == 1 for count in world.mailer.went_out.values()), number
        lost = [m for m in world.messages.rows.values() if m.status not in ("delivered", "uncertain")]
        assert lost == [], number
    assert number > 20


@pytest.mark.parametrize("size", [7, 50])
def test_without_the_marketing_bundle_no_more_go_by_email_than_may_in_a_day(size: int) -> None:
    world = salon(90, bundles=frozenset({Bundle.PREMIUM}))
    with patch.object(run_campaign, "CHUNK_SIZE", size), room_for():
        done = world.run(world.post(channel=Channel.SMS, content=SHORT_GREETING).campaign.campaign_id)
        again = world.run(world.post(channel=Channel.SMS, content=SHORT_GREETING, name="More").campaign.campaign_id)

    assert by(world)["sms"] == []
    assert len(by(world)["email"]) == RECIPIENT_LIMIT - 1
    assert done.audience.excluded == {Exclusion.TEXT_PLAN_EXHAUSTED: 90 - (RECIPIENT_LIMIT - 1)}
    assert again.audience.excluded == {Exclusion.TEXT_PLAN_EXHAUSTED: 90}
    assert adds_up(done)
    assert adds_up(again)


def test_a_message_to_one_person_is_no_bulk() -> None:
    world = salon(90, bundles=frozenset({Bundle.PREMIUM}))
    with room_for():
        for number in range(1, 91):
            post(world, number=number)
        world.rest()

    assert len(by(world)["email"]) == 90
