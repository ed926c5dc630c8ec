"""A message whose worker died has the customer's address of later; its receipt knows better."""

from copy import replace
from datetime import UTC, datetime

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.messages.domain.messages import NO_RECORD, Message, MessageStatus

KEY = MessageKey("salon-juniper", "0" * 32, "01J00000000000000000000000")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DELIVERED = Receipt(Provider.SES, Outcome.DELIVERED, NOW, KEY, "provider-id", "Old@example.com")
LOST = Message(KEY, Channel.EMAIL, Category.MARKETING, "new@example.com", MessageStatus.UNCERTAIN, reason=NO_RECORD)


def test_the_receipt_says_where_a_lost_message_went() -> None:
    settled = LOST.after(DELIVERED)

    assert (settled.address, settled.status, settled.reason) == ("old@example.com", MessageStatus.DELIVERED, None)


def test_a_receipt_for_another_address_than_a_known_one_changes_nothing() -> None:
    for message in (replace(LOST, reason="no_answer_from_provider"), replace(LOST, status=MessageStatus.SENT)):
        assert message.after(DELIVERED) == message
