"""A batch of receipts: which of its entries come again and why, and what it costs to look."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.messages.domain.messages import Message, MessageStatus
from tests.fakes.making import (
    BUSINESS_ID,
    NO_SUCH_MAILBOX,
    at,
    business,
    customer,
    id_of,
    message,
    message_key,
    receipt,
)
from tests.fakes.world import World

TEXTS: Final = {"provider": Provider.SNS, "key": None}


def world() -> World:
    made = World()
    made.add(customer(1), customer(2))
    return made


def sns(provider_id: str) -> Receipt:
    return receipt(Outcome.DELIVERED, 5, **TEXTS, provider_id=provider_id)


def test_each_entry_says_for_itself_whether_it_must_come_again_and_whether_anybody_here_sent_it() -> None:
    made = world()
    made.messages.record([message(1, address="+14155560001", channel=Channel.SMS)])
    made.messages.remember_provider_id(Provider.SNS, "known", message_key(1))
    applied = made.apply_receipts(
        {
            "good": (sns("known"),),
            "not ours": (sns("unknown"),),
            "too early": (receipt(Outcome.DELIVERED, 1, key=message_key(2)),),
            "partly": (sns("known"), sns("unknown")),
            "of an identity": (receipt(Outcome.DELIVERED, 1, key=None),),
        }
    )

    assert applied.early == {"not ours", "too early", "partly"}
    assert applied.unclaimed == {"not ours", "partly"}
    assert applied.again == applied.early
    assert (applied.contended, applied.unanswered, applied.postponed) == (frozenset(), frozenset(), frozenset())
    assert applied.unattributed == 1
    assert made.messages.rows[message_key(1)].status is MessageStatus.DELIVERED


@pytest.mark.parametrize(
    ("stored", "reads"),
    [
        # A conditional write that succeeds proves that the row was read as it is.
        (message(1), [False]),
        # Nothing was written, so that the row may have been an old one.
        (message(1, MessageStatus.DELIVERED, delivered_at=at(1), provider=Provider.SES), [False, True]),
        (None, [False, True]),
    ],
)
def test_messages_are_read_at_half_the_price_and_again_only_where_that_proves_nothing(
    stored: Message | None, reads: list[bool]
) -> None:
    made = world()
    if stored is not None:
        made.messages.record([stored])
    asked: list[bool] = []
    read = made.messages.get_many

    def noted(keys: Sequence[MessageKey], *, consistent: bool = True) -> Mapping[MessageKey, Message]:
        asked.append(consistent)
        return read(keys, consistent=consistent)

    made.messages.get_many = noted  # type: ignore[method-assign]
    made.apply_receipts({"entry": (receipt(Outcome.DELIVERED, 1),)})

    assert asked == reads


def test_a_receipt_of_a_text_without_any_id_is_nobodys_and_does_not_come_again() -> None:
    applied = world().apply_receipts({"bare": (receipt(Outcome.DELIVERED, 5, provider=Provider.SNS, key=None),)})

    assert (applied.unattributed, applied.again, applied.unclaimed) == (1, frozenset(), frozenset())


def test_a_failure_of_somebody_who_is_gone_is_outdated_by_their_own_later_delivery() -> None:
    """The address is another customer's by now, who is not to be flagged for it."""
    made, gone = World(), id_of(2)
    made.add(customer(1, email="family@example.com"))
    of_gone: dict[str, Any] = {"address": "family@example.com", "campaign_id": None}
    early, late = (MessageKey(BUSINESS_ID, gone, message_key(number).message_id) for number in (1, 2))
    delivered = message(2, MessageStatus.DELIVERED, key=late, delivered_at=at(10), provider=Provider.SES, **of_gone)
    made.messages.record([message(1, key=early, **of_gone), delivered])
    failed: dict[str, Any] = {"key": early, "code": NO_SUCH_MAILBOX, "address": "family@example.com"}
    made.apply_receipts({"late": (receipt(Outcome.FAILED, 5, **failed),)})
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, "family@example.com")

    assert made.messages.rows[early].status is MessageStatus.BOUNCED
    assert not made.contacts.rows[key].verdict(business().policy).invalid


def test_nothing_is_learnt_of_an_address_from_a_message_that_others_keep_changing() -> None:
    made = world()
    made.messages.record([message(1)])
    made.messages.advance = lambda changes: [before.key for before, _ in changes]  # type: ignore[method-assign]
    written = made.contacts.writes
    applied = made.apply_receipts({"one": (receipt(Outcome.FAILED, 5, key=message_key(1), code=NO_SUCH_MAILBOX),)})

    assert applied.contended == applied.again == frozenset({"one"})
    assert made.contacts.writes == written
