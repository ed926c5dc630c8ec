"""Finding the voucher that a code means, and those that a customer was given."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.by_tier import children_ids
from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.errors import NotFoundError
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message
from rebound.messages.domain.vouchers import code_of, number_in, read_code
from rebound.vouchers.domain import Issued, sent_at

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook, VoucherBook
    from rebound.messages.ports import LinkKeyring, MessageLog
    from rebound.platform.ports import Clock

LOOKED_BACK: Final = timedelta(days=400)
"""As long as the log is kept."""
_AT_ONCE: Final = 100


class FindVouchers(Struct, frozen=True, kw_only=True):
    """Finds vouchers by what they were made of: nothing was kept of them when they were sent."""

    campaigns: CampaignBook
    voucher_book: VoucherBook
    messages: MessageLog
    keyring: LinkKeyring
    clock: Clock

    def by_code(self, business_id: str, zone: str, typed: str, customer_id: str) -> Issued:
        """The voucher of a customer that a code means; ``zone`` is the business's.

        Raises ``NotFoundError`` for what is none: another's, one that was made up, or one that did not go out.
        """
        code = read_code(typed)
        if code is None:
            raise NotFoundError("voucher")
        number = number_in(code)
        campaign_id = self.voucher_book.campaign_of(business_id, number)
        if campaign_id is None:
            raise NotFoundError("voucher")
        campaign = self._campaign(business_id, campaign_id)
        if campaign is None or campaign.voucher is None or campaign.voucher.number != number or not campaign.run_id:
            raise NotFoundError("voucher")
        for each in (campaign, *self._children(campaign)):
            key = MessageKey(business_id, customer_id, each.message_id(customer_id))
            if any(hmac.compare_digest(code, known) for known in self._codes(number, key)):
                message = self.messages.get_many([key]).get(key)
                issued = None if message is None else _issued(code, each, message, zone)
                if issued is not None:
                    return issued
        raise NotFoundError("voucher")

    def _children(self, campaign: Campaign) -> Iterator[Campaign]:
        """Those to whom of each tier, which give the vouchers of the campaign."""
        for child_id in children_ids(campaign):
            child = self._campaign(campaign.business_id, child_id)
            if child is not None:
                yield child

    def of_customer(self, business_id: str, zone: str, customer_id: str) -> Iterator[Issued]:
        """The vouchers that went out to a customer, newest first: those of the messages in the log that say so.

        None is looked for where the business has had no campaign with vouchers. A code is that of the key that signs
        now. Those under former keys are the same voucher (``all_codes``).
        """
        if self.voucher_book.campaign_of(business_id, 1) is None:
            return
        known: dict[str, Campaign | None] = {}
        since, before = self.clock.now() - LOOKED_BACK, None
        while True:
            page = self.messages.before(business_id, customer_id, before, _AT_ONCE)
            for message in page:
                if message.voucher is None or message.campaign_id is None:
                    continue
                if message.campaign_id not in known:
                    known[message.campaign_id] = self._campaign(business_id, message.campaign_id)
                campaign = known[message.campaign_id]
                if campaign is None or campaign.voucher is None:
                    continue
                code = next(iter(self._codes(campaign.voucher.number, message.key)))
                issued = _issued(code, campaign, message, zone)
                if issued is not None:
                    yield issued
            if len(page) < _AT_ONCE:
                return
            before = page[-1].key.message_id
            if page[-1].queued_at is not None and page[-1].queued_at < since:
                return

    def all_codes(self, issued: Issued) -> tuple[str, ...]:
        """The codes under which a voucher may have been redeemed: one for each key that is still in use."""
        return tuple(self._codes(issued.voucher.number, issued.message.key))

    def _codes(self, number: int, message: MessageKey) -> Iterator[str]:
        """The code by each key, that of the present one first."""
        keys = self.keyring.keys()
        for key_id in sorted(keys.keys, key=lambda each: each != keys.current):
            yield code_of(number, message, keys.keys[key_id])

    def _campaign(self, business_id: str, campaign_id: str) -> Campaign | None:
        try:
            return self.campaigns.get(business_id, campaign_id)
        except NotFoundError:
            return None


def _issued(code: str, campaign: Campaign, message: Message, zone: str) -> Issued | None:
    voucher, at = campaign.voucher, sent_at(message)
    if voucher is None or at is None:
        return None
    return Issued(code, campaign, voucher, message, at, voucher.begins(zone), voucher.ends(zone, at))
