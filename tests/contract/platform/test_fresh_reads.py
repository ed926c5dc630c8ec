"""What must be read as it is now asks DynamoDB for that. No emulator gives old rows, so the requests are looked at."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.kernel.provider_codes import Provider
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, at, chunk, contact_key, id_of, message_key
from tests.fakes.troubles import recorded_requests

NUMBER: Final = contact_key(1, Channel.SMS)
FRESH: Final[Mapping[str, Callable[[EveryPorts], object]]] = {
    "whether a campaign is halted": lambda ports: ports.campaigns.get(BUSINESS_ID, CAMPAIGN_ID),
    "the campaigns that there are": lambda ports: ports.campaigns.page(BUSINESS_ID, 5, None),
    "how far a range is expanded": lambda ports: ports.expansion.get(CAMPAIGN_ID, 0),
    "which ranges are expanded": lambda ports: ports.expansion.list(CAMPAIGN_ID),
    "who holds a chunk": lambda ports: ports.chunks.claim(chunk().key, "me", at(), timedelta(seconds=9)),
    "which chunks a resume finds": lambda ports: ports.chunks.page(CAMPAIGN_ID, None),
    "which chunk is opened again": lambda ports: ports.chunks.reopen(chunk().key, [id_of(1)], at()),
    "what a campaign waits for": lambda ports: ports.chunks.holds(CAMPAIGN_ID),
    "what was counted": lambda ports: ports.tallies.counts(CAMPAIGN_ID),
    "up to where it was counted": lambda ports: ports.tallies.position(CAMPAIGN_ID, "shard"),
    "a customer who is edited": lambda ports: ports.customers.get(BUSINESS_ID, id_of(1)),
    "customers who are edited": lambda ports: ports.customers.get_many(BUSINESS_ID, [id_of(1)], as_of_now=True),
    "the customers that there are": lambda ports: ports.customers.page(BUSINESS_ID, limit=5),
    "whose flag is to be copied": lambda ports: ports.customers.copy_flag(contact_key(), id_of(1), invalid=True),
    "what is known of addresses": lambda ports: ports.contacts.get_many([contact_key()]),
    "which places are taken": lambda ports: ports.frequencies.get_many(BUSINESS_ID, [id_of(1)]),
    "what became of messages": lambda ports: ports.messages.get_many([message_key()]),
    "the newest messages": lambda ports: ports.messages.page(BUSINESS_ID, id_of(1), 5, None),
    "what was delivered": lambda ports: ports.messages.deliveries(contact_key(), [id_of(1)], at()),
    "whose a receipt is": lambda ports: ports.messages.find_by_provider_id(Provider.SNS, "id"),
    "which questions are open": lambda ports: ports.appointments.asked(NUMBER),
    "who was deleted": lambda ports: ports.departures.since(contact_key(), at()),
    "of whom something is known": lambda ports: ports.activity.known_of(BUSINESS_ID, [id_of(1)]),
    "a business's settings": lambda ports: ports.businesses.get(BUSINESS_ID),
}
STALE: Final[Mapping[str, Callable[[EveryPorts], object]]] = {
    "those whom an expansion comes to": lambda ports: ports.customers.read_range(BUSINESS_ID, "0", "f", None, 5),
    "those who are decided on": lambda ports: ports.customers.get_many(BUSINESS_ID, [id_of(1)]),
    "their addresses at the expansion": lambda ports: ports.contacts.get_many([contact_key()], consistent=False),
    "their places, which are then reserved": lambda ports: ports.frequencies.get_many(
        BUSINESS_ID, [id_of(1)], consistent=False
    ),
    "messages at the first look": lambda ports: ports.messages.get_many([message_key()], consistent=False),
    "whether a chunk is worth a turn": lambda ports: ports.chunks.state(chunk().key),
}
"""Read at half the price, because a later step looks again."""


@pytest.mark.parametrize("what", FRESH)
def test_what_has_just_been_written_is_seen(over_dynamodb: EveryPorts, what: str) -> None:
    assert set(_asked_for(over_dynamodb, FRESH[what])) == {True}


@pytest.mark.parametrize("what", STALE)
def test_what_is_looked_at_again_is_read_at_half_the_price(over_dynamodb: EveryPorts, what: str) -> None:
    assert set(_asked_for(over_dynamodb, STALE[what])) == {False}


def _asked_for(ports: EveryPorts, read: Callable[[EveryPorts], object]) -> Iterator[bool]:
    """For each read of it, whether it is as of now."""
    with recorded_requests() as asked, suppress(NotFoundError):
        read(ports)
    for operation, body in asked:
        if operation == "BatchGetItem":
            yield from (_is_fresh(keys) for keys in body["RequestItems"].values())
        elif operation in {"GetItem", "Query"}:
            yield _is_fresh(body)


def _is_fresh(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("ConsistentRead", False))
