"""Copies of emails about appointments: to whom they go, what decides about them, and that each goes out once."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.frequency import FrequencyCap
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.links import Purpose
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.sending.domain.single_messages import Posted
from rebound.templates.domain.content import EmailContent, TextContent
from tests.fakes.making import BUSINESS_ID, at, business, contact_key, customer, id_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import Chaos, World

APPOINTMENT: Final = "a-7"
DAY: Final = timedelta(days=1)
GONE: Final = "Permanent/General"
DESK: Final = "desk@example.com"
BEA: Final = customer(2)
"""Named by her id."""
SAYS: Final = EmailContent("See you, ##{{first_name}}", text="To ##{{email}}, see you soon.")


def salon(*cc: str, chaos: Chaos | None = None, seed: int = 0, **given: Any) -> World:
    world = World(business(**given), seed=seed, ranges=1)
    world.chaos = chaos or Chaos()
    world.add(customer(1, cc=cc), BEA, customer(3, email=None))
    return world


def confirm(world: World, timing: Timing | None = None, **given: Any) -> Posted:
    """An email about an appointment to the first customer."""
    asked: dict[str, Any] = {"category": Category.TRANSACTIONAL, "channel": Channel.EMAIL, "content": SAYS}
    asked |= {"customer_id": id_of(1), "appointment_id": APPOINTMENT, "timing": timing}
    return world.post_message.posted(BUSINESS_ID, **(asked | given))


def handed(world: World) -> list[str]:
    return sorted(each.to for each in world.mailer.handed)


def copies(world: World) -> dict[str, Message]:
    """By address."""
    return {each.address: each for each in world.messages.rows.values() if each.copy_of is not None}


def test_everybody_named_gets_one_copy_in_a_row_of_its_own() -> None:
    ana = customer(1).email or ""
    world = salon(BEA.customer_id, DESK, "Desk@Example.com", str(BEA.email), ana.upper(), id_of(1))
    posted = confirm(world)
    world.rest()
    found = copies(world)

    assert handed(world) == sorted([ana, str(BEA.email), DESK])
    assert set(found) == {BEA.email, DESK}
    for copy in found.values():
        assert (copy.copy_of, copy.key.customer_id) == (posted.message.key.message_id, id_of(1))
        assert (copy.status, copy.appointment_id) == (MessageStatus.DELIVERED, APPOINTMENT)
    assert world.messages.rows[posted.message.key].copy_of is None


def test_a_copy_says_what_the_email_says_with_links_of_its_own() -> None:
    world = salon(DESK)
    posted = confirm(world)
    world.rest()
    sent = {each.to: each for each in world.mailer.handed}
    own, copy = sent[customer(1).email or ""], sent[DESK]

    assert own.subject == copy.subject
    said, tokens = zip(*((each.body, _token(each.body)) for each in (own, copy)), strict=True)
    assert said[0].replace(tokens[0], "") == said[1].replace(tokens[1], "")
    links = [world.follow_links.show(token, Purpose.PREFERENCES).link for token in tokens]
    assert [each.message.message_id for each in links] == [
        posted.message.key.message_id,
        copies(world)[DESK].key.message_id,
    ]
    assert [world.follow_links.show(token, Purpose.PREFERENCES).address for token in tokens] == [
        customer(1).email,
        DESK,
    ]


def _token(text: str) -> str:
    return text.split("/preferences/")[1].split(maxsplit=1)[0]


def stopped(scope: Scope = Scope.ALL) -> ConsentEvidence:
    return ConsentEvidence(at(-5), scope, opted_out=True, source=ConsentSource.STAFF)


def test_each_copy_is_decided_on_its_own_contact() -> None:
    world = salon(BEA.customer_id, DESK, id_of(3), id_of(9))
    world.know(contact_key(2, Channel.EMAIL), stopped())
    posted = confirm(world)
    world.rest()
    told = Counter((each.status, each.reason) for each in world.messages.rows.values() if each.copy_of is not None)

    assert handed(world) == sorted([str(customer(1).email), DESK])
    assert told == {
        (MessageStatus.DELIVERED, None): 1,
        (MessageStatus.EXCLUDED, "opted_out"): 1,
        (MessageStatus.EXCLUDED, "no_address"): 1,
        (MessageStatus.EXCLUDED, "not_found"): 1,
    }
    assert world.messages.rows[posted.message.key].status is MessageStatus.DELIVERED


def test_what_keeps_the_email_from_the_customer_alone_keeps_no_copy_back() -> None:
    world = salon(DESK)
    world.know(contact_key(1, Channel.EMAIL), stopped())
    confirm(world)
    world.rest()

    assert handed(world) == [DESK]


@pytest.mark.parametrize(
    ("given", "profile"),
    [
        ({"appointment_id": None}, {}),
        ({"channel": Channel.SMS}, {}),
        ({"category": Category.REMINDER}, {"reminders_email": False}),
    ],
)
def test_no_copy_of_what_names_no_appointment_or_is_no_email_or_never_sent(
    given: dict[str, Any], profile: dict[str, Any]
) -> None:
    world = salon()
    world.add(customer(4, cc=(DESK,), **profile))
    if given.get("channel") is Channel.SMS:
        given = {**given, "content": TextContent("See you")}
    confirm(world, customer_id=id_of(4), **given)
    world.rest()

    assert copies(world) == {}
    assert DESK not in handed(world)


def test_copies_go_and_stay_with_the_time_of_the_email() -> None:
    world = salon(DESK)
    starts_at = world.clock.now() + 30 * DAY
    confirm(world, Timing(appointment_at=starts_at, lead=DAY), category=Category.REMINDER)
    world.live_until(starts_at - 2 * DAY)
    waiting = copies(world)
    world.steer_appointment.reschedule(BUSINESS_ID, APPOINTMENT, starts_at + 10 * DAY)
    world.live_until(starts_at + 8 * DAY)
    moved = handed(world)
    world.live_until(starts_at + 10 * DAY)

    assert (waiting, moved, handed(world)) == ({}, [], sorted([str(customer(1).email), DESK]))


def test_a_cancelled_email_has_no_copies() -> None:
    world = salon(DESK)
    confirm(world, Timing(world.clock.now() + 30 * DAY))
    world.steer_appointment.cancel(BUSINESS_ID, APPOINTMENT)
    world.rest()

    assert (handed(world), copies(world)) == ([], {})


def test_copies_are_outside_caps() -> None:
    cap = FrequencyCap("A day", (Category.TRANSACTIONAL,), 1, 1)
    world = salon(BEA.customer_id, DESK, frequency_caps=(cap,))
    confirm(world)
    world.rest()
    first = handed(world)
    confirm(world, appointment_id=None)
    world.post_message.posted(
        BUSINESS_ID,
        customer_id=BEA.customer_id,
        category=Category.TRANSACTIONAL,
        channel=Channel.EMAIL,
        content=SAYS,
    )
    world.rest()

    assert first == sorted([str(customer(1).email), str(BEA.email), DESK])
    assert handed(world) == sorted([*first, str(BEA.email)]), "the copies took nobody's place"


def test_a_bounce_flags_the_address_of_the_copy_and_no_other() -> None:
    world = salon(BEA.customer_id)
    world.outcomes[str(BEA.email)] = ((Outcome.FAILED, GONE, 1.0),)
    confirm(world)
    world.rest()
    flags = {
        number: world.contacts.get_many([key])[key].verdict(business().policy).invalid
        for number in (1, 2)
        for key in [contact_key(number, Channel.EMAIL)]
    }

    assert flags == {1: False, 2: True}
    assert [world.customers.get(BUSINESS_ID, id_of(each)).failed_email for each in (1, 2)] == [False, True]


def test_a_flag_keeps_back_a_copy_of_what_sells_alone() -> None:
    world = salon(BEA.customer_id)
    world.know(contact_key(2, Channel.EMAIL), Failure(at(-9), "m0", Provider.SES, GONE))
    confirm(world)
    confirm(world, category=Category.MARKETING)
    world.rest()

    assert handed(world) == sorted([str(customer(1).email)] * 2 + [str(BEA.email)])


CALLS: Final = [
    *("messages.record", "chunks.add", "campaigns.add", "appointments.record", "chunk_queue.put"),
    *("customers.get_many", "chunks.mark", "chunks.finish", "mailer.send"),
]


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_each_goes_out_once_whenever_a_sender_dies(call: str, side: str, nth: int) -> None:
    world = salon(BEA.customer_id, DESK)
    confirm(world)
    reached = 0

    def here(where: Boundary) -> None:
        nonlocal reached
        if world.step == "send_email" and where == call and where.side == side:
            reached += 1
            if reached == nth:
                raise WorkerDiedError(where)

    world.checkpoint = here
    world.rest()
    found = copies(world)

    assert Counter(handed(world)).most_common(1)[0][1] == 1
    assert set(found) == {BEA.email, DESK}
    for each in found.values():
        is_out = each.address in handed(world)
        assert is_out or each.status is MessageStatus.UNCERTAIN, each
        assert each.status in (MessageStatus.DELIVERED, MessageStatus.SENT, MessageStatus.UNCERTAIN)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 30), death=st.sampled_from([0.0, 0.02]), duplicate=st.sampled_from([0.0, 0.1]))
def test_no_address_gets_two_whatever_goes_wrong(seed: int, death: float, duplicate: float) -> None:
    world = salon(BEA.customer_id, DESK, str(BEA.email), chaos=Chaos(death=death, duplicate=duplicate), seed=seed)
    confirm(world)
    world.rest()

    assert max(Counter(handed(world)).values(), default=1) == 1
    assert set(copies(world)) == {BEA.email, DESK}
    assert all(each.status is not MessageStatus.QUEUED for each in world.messages.rows.values())


def test_who_has_nobody_named_costs_nothing() -> None:
    world = salon()
    calls: list[str] = []
    confirm(world)
    world.checkpoint = lambda where: calls.append(f"{world.step}:{where}") if where.side == "before" else None
    world.rest()
    sent = [each for each in calls if each.startswith("send_email:")]

    assert sent.count("send_email:customers.get_many") == 1
    assert "send_email:campaigns.add" not in sent


def test_what_is_kept_of_copies_goes_with_the_customer() -> None:
    world = salon(DESK)
    confirm(world)
    world.rest()
    key = copies(world)[DESK].key
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.rest()
    world.forget_customers.contents(BUSINESS_ID, [id_of(1)])

    assert world.messages.rows[key].shown_address is None
    assert DESK not in str([world.campaigns.get(BUSINESS_ID, f"single-{key.message_id}")])
