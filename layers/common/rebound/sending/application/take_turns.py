"""Who goes first at an address that customers share, right before a message that goes to each address once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.customers.domain import Customer
from rebound.eligibility.application.shared_addresses import FindSharers
from rebound.messages.domain.messages import had_its_message
from rebound.sending.domain.recipients import ClaimedChunk, Recipient

if TYPE_CHECKING:
    from rebound.campaigns.ports import SharedAddressLedger
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.shared_addresses import Sharers
    from rebound.eligibility.ports import FrequencyBook
    from rebound.messages.ports import MessageLog


class Turn(Enum):
    """What becomes of a recipient whose address others have, or had, too."""

    CLAIM = auto()
    """The message may be theirs, if they are the first to claim the address."""
    MADE_WAY = auto()
    """Somebody else goes first; it is remembered that they were left out for that."""


class TakeTurns(Struct, frozen=True, kw_only=True):
    """Lets one customer at each address have the message: the one with the smallest id who may get it now.

    Whoever is not that one makes way, and so does whoever was changed since the campaign began: they may have come to
    an address that has had its message. When everybody else is accounted for, those who made way at an address where
    nobody was handed the message are recalled (``RecallRecipients``), the smallest id first, and nobody is before them.
    """

    shared_addresses: SharedAddressLedger
    customers: CustomerBook
    frequencies: FrequencyBook
    messages: MessageLog
    whereabouts: Whereabouts

    def __call__(self, claimed: ClaimedChunk, recipients: Sequence[Recipient], now: datetime) -> Mapping[str, Turn]:
        """The turns of recipients who may be sent to, by customer; none for those whose address is theirs alone."""
        campaign = claimed.campaign
        if not campaign.once_per_address:
            return {}
        find = FindSharers(self.customers, self.frequencies, claimed.business, campaign, self.whereabouts)
        found = find({r.customer_id: r.contact for r in recipients if r.contact is not None}, now)
        sharing = frozenset(claimed.chunk.sharing)
        turns: dict[str, Turn] = {}
        for recipient in recipients:
            customer_id = recipient.customer_id
            sharers = found.get(customer_id)
            if sharers is not None and not find.can_be_rendered_for(recipient.customer):
                continue
            if sharers is not None and sharers.have_others_since(customer_id, campaign.started_at):
                turns[customer_id] = self._turn(claimed, recipient, sharers)
                if turns[customer_id] is Turn.MADE_WAY:
                    self._make_way(claimed, customer_id, sharers.key.digest)
            elif customer_id in sharing or _may_have_come(recipient.customer, campaign.started_at):
                # The others have gone since, and one of them may have been handed it.
                turns[customer_id] = Turn.CLAIM
        return turns

    def _turn(self, claimed: ClaimedChunk, recipient: Recipient, sharers: Sharers) -> Turn:
        campaign, customer_id = claimed.campaign, recipient.customer_id
        has_changed = campaign.started_at is not None and recipient.customer.updated_at > campaign.started_at
        if campaign.recalling or has_changed:
            served = self._served(claimed, customer_id, sharers)
            if served is not None:
                # They had the address to themselves, and claimed nothing: now it must be known.
                self.shared_addresses.claim(claimed.chunk.key.campaign_id, sharers.key.digest, served)
                return Turn.MADE_WAY
        if campaign.recalling:
            return Turn.CLAIM
        return Turn.MADE_WAY if has_changed or sharers.is_behind(customer_id) else Turn.CLAIM

    def _served(self, claimed: ClaimedChunk, customer_id: str, sharers: Sharers) -> str | None:
        """Another customer who was handed the message at the address, perhaps when it was theirs alone."""
        keys = [claimed.message_key(other) for other in sharers.customers if other != customer_id]
        messages = self.messages.get_many(keys)
        return next(
            (
                key.customer_id
                for key, message in messages.items()
                if had_its_message(message) and message.contact == sharers.key
            ),
            None,
        )

    def claim(self, claimed: ClaimedChunk, recipient: Recipient) -> bool:
        """Claim the address of a recipient for them; where another has it, they make way."""
        digest, customer_id = recipient.shared_address or "", recipient.customer_id
        if self.shared_addresses.claim(claimed.chunk.key.campaign_id, digest, customer_id):
            return True
        self._make_way(claimed, customer_id, digest)
        return False

    def _make_way(self, claimed: ClaimedChunk, customer_id: str, digest: str) -> None:
        self.shared_addresses.make_way(claimed.chunk.key, digest, customer_id)


def _may_have_come(customer: Customer, since: datetime | None) -> bool:
    """Whether a customer may have come to their address since a time."""
    if since is None or customer.updated_at <= since:
        return False
    return bool(customer.former_contacts) or customer.created_at > since
