"""The bus of domain events: the fake, and EventBridge."""

import json
from copy import replace
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.channels import Channel
from rebound.kernel.events import ContactInvalidated, ContactRestored, DomainEvent
from rebound.platform.adapters.aws import MAX_BATCH_BYTES, batches_by_size
from rebound.platform.adapters.domain_events import EventBridgeDomainEvents, NotPublishedError
from rebound.platform.ports import DomainEvents
from tests.contract.platform.fakes import RecordingDomainEvents
from tests.fakes.aws import fake_aws, make
from tests.fakes.making import BUSINESS_ID, at, id_of

INVALIDATED = ContactInvalidated(
    BUSINESS_ID,
    Channel.EMAIL,
    (id_of(1),),
    "bounce:mailbox_full",
    at(0),
    3,
    "change-3",
    event_id="01M7WD7TG01S4X28SMQ7ZXA3B3",
    occurred_at=at(1),
    external_ids=("crm-1",),
)


RESTORED = ContactRestored(BUSINESS_ID, Channel.SMS, (id_of(1), id_of(2)), 4, "change-4")


def test_events_are_put_on_the_bus_under_their_own_names() -> None:
    with fake_aws():
        client = make("events")
        with Stubber(client) as stub:
            answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
            stub.add_response("put_events", answer, {"Entries": ANY})
            sent: list[Any] = []
            client.meta.events.register(
                "before-parameter-build.events.PutEvents", lambda params, **_: sent.append(params)
            )
            events: DomainEvents = EventBridgeDomainEvents(client, "bus")
            events.publish([INVALIDATED, RESTORED])
        (call,) = sent

    assert [entry["DetailType"] for entry in call["Entries"]] == ["ContactInvalidated", "ContactRestored"]
    assert {(entry["Source"], entry["EventBusName"]) for entry in call["Entries"]} == {("rebound", "bus")}
    assert json.loads(call["Entries"][0]["Detail"]) == {
        "business_id": BUSINESS_ID,
        "channel": "email",
        "customer_ids": [id_of(1)],
        "reason": "bounce:mailbox_full",
        "since": "2026-11-20T12:00:00.000Z",
        "version": 3,
        "change_id": "change-3",
        "event_id": "01M7WD7TG01S4X28SMQ7ZXA3B3",
        "occurred_at": "2026-11-20T12:00:01.000Z",
        "external_ids": ["crm-1"],
    }


def test_many_events_are_all_published_and_a_failed_entry_is_an_error(on_aws: bool) -> None:
    many: list[DomainEvent] = [replace(RESTORED, version=n) for n in range(25)]
    fake = RecordingDomainEvents()
    if not on_aws:
        fake.publish(many)
        assert fake.published == many
        return
    client = make("events")
    with Stubber(client) as stub:
        for size in (10, 10, 5):
            stub.add_response(
                "put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * size}, {"Entries": ANY}
            )
        EventBridgeDomainEvents(client, "bus").publish(many)
        stub.assert_no_pending_responses()
        stub.add_response(
            "put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Internal"}]}, {"Entries": ANY}
        )
        with pytest.raises(NotPublishedError):
            EventBridgeDomainEvents(client, "bus").publish(many[:1])


@given(st.lists(st.integers(0, 300_000), max_size=30))
def test_a_call_takes_as_many_as_it_may_and_no_more_bytes_than_it_may(sizes: list[int]) -> None:
    batches = list(batches_by_size(["x" * size for size in sizes]))

    assert [place for batch in batches for place in batch] == list(range(len(sizes)))
    for batch, following in zip(batches, [*batches[1:], None], strict=bool(batches)):
        size = sum(sizes[place] for place in batch)
        assert len(batch) == 1 or (len(batch) <= 10 and size <= MAX_BATCH_BYTES)
        # Another one would have been too many.
        if following is not None:
            assert len(batch) == 10 or size + sizes[following[0]] > MAX_BATCH_BYTES
