"""Who gets an event: the bus, and the webhooks that name it; who asks for nothing pays nothing."""

import json
from collections.abc import Sequence
from copy import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.events import (
    EVENTS,
    MESSAGE_EVENTS,
    ConsentChanged,
    ContactInvalidated,
    ContactOptedOut,
    DomainEvent,
    MessageDelivered,
    MessageExcluded,
    MessageFailed,
)
from rebound.kernel.ids import derived_ulid, time_of
from rebound.kernel.pages import RowChange
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import TESTED
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.templates.domain.content import EmailContent
from rebound.webhooks.domain.webhooks import DeliveryStatus, DeliveryTask, Posted
from tests.contract.events.test_domain_events import problems
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, business, contact_key, customer, id_of, message
from tests.fakes.streams import written
from tests.fakes.world import Chaos, World

URL: Final = "https://hooks.example.com/in"
BOUNCE: Final = Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX)
COMPLAINT: Final = ConsentEvidence(at(2), Scope.MARKETING, True, ConsentSource.COMPLAINT, "m1")
FINAL: Final = (MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.BOUNCED, MessageStatus.EXCLUDED)


def a_day(world: World) -> None:
    """Two customers at one address, which bounces and complains."""
    world.add(customer(1, external_id="crm-1"), customer(2, email="ana1@example.com"))
    world.know(contact_key(1), BOUNCE)
    world.know(contact_key(1), COMPLAINT)
    for change in world.contacts.stream.take():
        world.project_contacts(written(change))


def tasks(world: World) -> list[DeliveryTask]:
    return [waiting.body for waiting in world.webhook_queue.queue.messages.values()]


def payloads(world: World) -> list[dict[str, Any]]:
    return [json.loads(task.body or "") for task in tasks(world)]


@given(st.lists(st.frozensets(st.sampled_from(EVENTS), min_size=1), max_size=3))
def test_each_webhook_gets_the_events_that_it_names_and_the_bus_gets_them_all_the_same(
    wanted: list[frozenset[str]],
) -> None:
    world = World()
    for number, events in enumerate(wanted):
        world.webhook_service.put(BUSINESS_ID, f"hook-{number}", URL, sorted(events))
    a_day(world)
    told = [type(event).__name__ for event in world.domain_events.published]

    assert told == ["ContactInvalidated", "ContactOptedOut", "ConsentChanged"]
    assert sorted((task.webhook_id, task.type) for task in tasks(world)) == sorted(
        (f"hook-{number}", name) for number, events in enumerate(wanted) for name in told if name in events
    )


def test_what_is_posted_is_what_the_bus_carries_and_keeps_to_its_schema() -> None:
    world = World()
    world.webhook_service.put(BUSINESS_ID, "crm", URL, EVENTS)
    a_day(world)

    assert len(payloads(world)) == 3
    for payload, event in zip(payloads(world), world.domain_events.published, strict=True):
        assert problems(payload["type"], payload["data"]) == []
        assert payload["id"] == payload["data"]["event_id"] == event.event_id
        assert payload["occurred_at"] == payload["data"]["occurred_at"]
        assert payload["business_id"] == payload["data"]["business_id"] == BUSINESS_ID


def test_the_clients_own_ids_stand_beside_ours_in_the_same_order() -> None:
    world = World()
    a_day(world)
    known = {id_of(1): "crm-1", id_of(2): None}

    assert len(world.domain_events.published) == 3
    for event in world.domain_events.published:
        assert isinstance(event, ContactInvalidated | ContactOptedOut | ConsentChanged)
        assert event.external_ids == tuple(known[customer_id] for customer_id in event.customer_ids)


def test_an_event_that_is_told_again_is_the_same_and_others_are_others() -> None:
    world = World()
    world.webhook_service.put(BUSINESS_ID, "crm", URL, EVENTS)
    world.add(customer(1))
    world.know(contact_key(1), BOUNCE, COMPLAINT, replace(COMPLAINT, scope=Scope.LOYALTY))
    changes = world.contacts.stream.take()
    for _ in range(2):
        for change in changes:
            world.project_contacts(written(change))
    ids = [event.event_id for event in world.domain_events.published]

    assert len(ids) == 8
    assert ids[:4] == ids[4:]
    assert len(set(ids)) == 4
    world.webhook_queue.queue.redeliveries = ()
    while waiting := world.webhook_queue.queue.receive(world.random):
        world.deliver_webhook(waiting[0].body)
        world.webhook_queue.queue.delete(waiting[0].name)
    assert len(world.webhook_poster.posted) == 4


@given(st.datetimes().map(lambda naive: at(naive.microsecond)), st.text(), st.text())
def test_a_ulid_that_is_made_of_what_happened_has_its_time_and_only_its_name(moment: Any, one: str, other: str) -> None:
    made = derived_ulid(moment, one)

    assert len(made) == 26
    assert abs((time_of(made) - moment).total_seconds()) < 0.001
    assert (made == derived_ulid(moment, other)) == (one == other)


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_who_has_no_webhook_and_names_no_event_of_messages_pays_for_no_message_and_no_row() -> None:
    world = World()
    a_day(world)
    world.messages.record([single(MessageStatus.DELIVERED)])
    world.project_messages(change(MessageStatus.SENT, MessageStatus.DELIVERED))

    assert tasks(world) == []
    assert world.webhook_deliveries.rows == {}
    assert all(type(event).__name__ not in MESSAGE_EVENTS for event in world.domain_events.published)


# --- single messages --------------------------------------------------------------------------------------------------


def single(status: MessageStatus, **given: Any) -> Message:
    times = {"delivered_at": at(5), "failed_at": at(6)}
    return message(1, status, campaign_id=None, appointment_id="a-1", **times, **given)


def change(before: MessageStatus | None, after: MessageStatus, **given: Any) -> RowChange[Message]:
    earlier = None if before is None else single(before)
    return RowChange(earlier, single(after, **given), "change-1", at(9))


def told_of(world: World, *changes: RowChange[Message]) -> Sequence[DomainEvent]:
    for each in changes:
        world.project_messages(each)
    return world.domain_events.published


@pytest.mark.parametrize("status", FINAL)
def test_a_test_of_a_campaign_has_no_event(status: MessageStatus) -> None:
    sent = change(None, status)
    tried = replace(sent, after=replace(sent.after, key=replace(sent.after.key, customer_id=TESTED)))

    assert told_of(asking(*MESSAGE_EVENTS), sent)
    assert not told_of(asking(*MESSAGE_EVENTS), tried)


def asking(*named: str) -> World:
    world = World(business(message_events=named))
    world.add(customer(1, external_id="crm-1"))
    return world


def test_what_became_of_a_single_message_is_told_with_all_ids_that_a_client_has() -> None:
    world = asking(*MESSAGE_EVENTS)
    delivered, failed, excluded = told_of(
        world,
        change(MessageStatus.SENT, MessageStatus.DELIVERED),
        change(MessageStatus.DELIVERED, MessageStatus.BOUNCED, reason="bounce:mailbox_does_not_exist"),
        change(MessageStatus.QUEUED, MessageStatus.EXCLUDED, reason="opted_out"),
    )
    ids = (BUSINESS_ID, single(MessageStatus.SENT).key.message_id, id_of(1), "a-1", Channel.EMAIL, Category.MARKETING)
    more = {"occurred_at": at(9), "external_id": "crm-1"}

    assert replace(delivered, event_id=None) == MessageDelivered(*ids, at(5), "change-1", **more)  # type: ignore[arg-type]
    assert replace(failed, event_id=None) == MessageFailed(
        *ids,
        "bounced",
        "bounce:mailbox_does_not_exist",
        at(6),
        "change-1",
        **more,  # type: ignore[arg-type]
    )
    assert replace(excluded, event_id=None) == MessageExcluded(*ids, "opted_out", "change-1", **more)  # type: ignore[arg-type]


@given(st.sampled_from(MessageStatus), st.none() | st.sampled_from(MessageStatus))
def test_an_end_is_told_once_and_nothing_else_is(after: MessageStatus, before: MessageStatus | None) -> None:
    told = told_of(asking(*MESSAGE_EVENTS), change(before, after))

    assert len(told) == (after in FINAL and before is not after)


@pytest.mark.parametrize("name", MESSAGE_EVENTS)
def test_the_bus_gets_the_events_of_messages_that_the_business_names_and_a_webhook_those_that_it_names(
    name: str,
) -> None:
    world = asking(name)
    world.webhook_service.put(BUSINESS_ID, "crm", URL, ["MessageFailed"])
    told = told_of(world, *(change(MessageStatus.QUEUED, status) for status in FINAL))

    assert {type(event).__name__ for event in told} == {name}
    assert [task.type for task in tasks(world)] == ["MessageFailed"] * 2


def test_who_has_gone_is_told_of_without_an_id_of_the_clients() -> None:
    [event] = told_of(World(business(message_events=MESSAGE_EVENTS)), change(None, MessageStatus.EXCLUDED))

    assert isinstance(event, MessageExcluded)
    assert event.external_id is None


def test_a_message_that_is_posted_ends_in_an_event() -> None:
    world = asking("MessageDelivered")
    world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.TRANSACTIONAL,
        channel=Channel.EMAIL,
        content=EmailContent("Hi", None, "Hello"),
    )
    world.rest()

    assert [type(event) for event in world.domain_events.published] == [MessageDelivered]


@settings(max_examples=40)
@given(st.integers(0, 1 << 20), st.integers(0, 4))
def test_whoever_dies_on_the_way_each_event_arrives_and_ends_delivered(seed: int, failures: int) -> None:
    world = World(business(message_events=MESSAGE_EVENTS), seed=seed)
    world.webhook_service.put(BUSINESS_ID, "crm", URL, EVENTS)
    answers = [Posted(500)] * failures
    world.webhook_poster.answer = lambda _: answers.pop() if answers else Posted(200)
    world.add(customer(1, external_id="crm-1"))
    world.know(contact_key(1), BOUNCE, COMPLAINT)
    world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.TRANSACTIONAL,
        channel=Channel.EMAIL,
        content=EmailContent("Hi", None, "Hello"),
    )
    world.chaos = Chaos(death=0.05, duplicate=0.2)
    world.rest()
    told = {event.event_id for event in world.domain_events.published}
    posted = {json.loads(body)["id"] for _, body, _ in world.webhook_poster.posted}

    assert {type(event) for event in world.domain_events.published} >= {ContactInvalidated, ConsentChanged}
    assert posted == told
    assert {each.status for each in world.webhook_deliveries.rows.values()} == {DeliveryStatus.DELIVERED}
    assert {each.delivery_id for each in world.webhook_deliveries.rows.values()} == told
