"""Who goes first at an address that customers share, right before a message that goes to each address once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.eligibility.application.shared_addresses import FindSharers
from rebound.messages.domain.messages import MessageStatus, had_its_message
from rebound.sending.domain.recipients import ClaimedChunk, Recipient

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.ports import SharedAddressLedger
    from rebound.contacts.ports import ContactBook
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook, Departures
    from rebound.eligibility.application.shared_addresses import Sharers
    from rebound.eligibility.ports import FrequencyBook
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import MessageLog

A_REMOVAL_TAKES: Final = timedelta(minutes=1)
"""A departure is noted before the deletion: so much later, at most, the customer may still have been sent to."""


class Turn(Enum):
    """What becomes of a recipient whose address others have, or had, too."""

    CLAIM = auto()
    """The message may be theirs, if they are the first to claim the address."""
    MADE_WAY = auto()
    """Somebody else goes first; it is remembered that they were left out for that."""


class TakeTurns(Struct, frozen=True, kw_only=True):
    """Lets one customer at each address have the message: the one with the smallest id who may get it now.

    Whoever is not that one makes way, and so does whoever was changed since the campaign began: they may have come to
    an address that has had its message, from a customer who is still listed there or from one who was deleted
    (``Departures``). When everybody else is accounted for, those who made way at an address where nobody was handed the
    message are recalled (``RecallRecipients``), the smallest id first, and nobody is before them.
    """

    shared_addresses: SharedAddressLedger
    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    departures: Departures
    frequencies: FrequencyBook
    messages: MessageLog
    whereabouts: Whereabouts

    def __call__(self, claimed: ClaimedChunk, recipients: Sequence[Recipient], now: datetime) -> Mapping[str, Turn]:
        """The turns of recipients who may be sent to, by customer; none for those whose address is theirs alone."""
        campaign = claimed.campaign
        if not campaign.once_per_address:
            return {}
        find = FindSharers(
            self.customers,
            self.contacts,
            self.summaries,
            self.frequencies,
            claimed.business,
            campaign,
            self.whereabouts,
        )
        found = find({r.customer_id: r.contact for r in recipients if r.contact is not None}, now)
        sharing = frozenset(claimed.chunk.sharing)
        turns: dict[str, Turn] = {}
        for recipient in recipients:
            customer_id = recipient.customer_id
            sharers = found.get(customer_id)
            if sharers is not None and not find.can_be_rendered_for(recipient.customer):
                continue
            if sharers is not None and not sharers.have_others_since(customer_id, campaign.started_at):
                sharers = None
            turn = self._turn(claimed, recipient, sharers, was_shared=customer_id in sharing)
            if turn is not None:
                turns[customer_id] = turn
            if turn is Turn.MADE_WAY:
                self._make_way(claimed, customer_id, _digest(recipient))
        return turns

    def _turn(
        self, claimed: ClaimedChunk, recipient: Recipient, sharers: Sharers | None, *, was_shared: bool
    ) -> Turn | None:
        campaign, customer_id = claimed.campaign, recipient.customer_id
        began = campaign.started_at
        has_changed = began is not None and recipient.customer.updated_at > began
        if has_changed or _may_have_lost_sharers(recipient, began) or (campaign.recalling and sharers is not None):
            served = self._served(claimed, recipient, sharers)
            if served is not None:
                # They had the address to themselves, and claimed nothing: now it must be known.
                self.shared_addresses.claim(claimed.chunk.key.campaign_id, _digest(recipient), served)
                return Turn.MADE_WAY
        if sharers is None:
            # The others have gone since, and one of them may have claimed it.
            return Turn.CLAIM if was_shared or campaign.recalling else None
        if campaign.recalling:
            return Turn.CLAIM
        return Turn.MADE_WAY if has_changed or sharers.is_behind(customer_id) else Turn.CLAIM

    def _served(self, claimed: ClaimedChunk, recipient: Recipient, sharers: Sharers | None) -> str | None:
        """Another customer who was handed the message at the address, perhaps when it was theirs alone.

        Of those who were deleted nobody can tell whether their message is just being handed over. They count as served
        until everybody is accounted for, when the message log knows.
        """
        campaign, digest = claimed.campaign, _digest(recipient)
        others = sharers.customers if sharers is not None else {}
        departed = frozenset(self._departed(claimed, recipient))
        keys = {id_: claimed.message_key(id_) for id_ in (*others, *departed) if id_ != recipient.customer_id}
        messages = self.messages.get_many(list(keys.values())) if keys else {}
        for id_, key in keys.items():
            message = messages.get(key)
            if message is None or not had_its_message(message):
                # Their message may be left out already, and else is open.
                if id_ in departed and not campaign.recalling and not _is_left_out(message):
                    return id_
            elif message.contact.digest == digest or (
                message.is_address_guessed and _has_moved(others.get(id_), campaign)
            ):
                return id_
        return None

    def _departed(self, claimed: ClaimedChunk, recipient: Recipient) -> Collection[str]:
        """Who was deleted since the campaign began and had the recipient's address."""
        began = claimed.campaign.started_at
        if began is None or recipient.contact is None:
            return ()
        return self.departures.since(recipient.contact.key, began - A_REMOVAL_TAKES)

    def claim(self, claimed: ClaimedChunk, recipient: Recipient) -> bool:
        """Claim the address of a recipient for them; where another has it, they make way."""
        digest, customer_id = recipient.shared_address or "", recipient.customer_id
        if self.shared_addresses.claim(claimed.chunk.key.campaign_id, digest, customer_id):
            return True
        self._make_way(claimed, customer_id, digest)
        return False

    def _make_way(self, claimed: ClaimedChunk, customer_id: str, digest: str) -> None:
        self.shared_addresses.make_way(claimed.chunk.key, digest, customer_id)


def _may_have_lost_sharers(recipient: Recipient, began: datetime | None) -> bool:
    departed_at = recipient.contact.departed_at if recipient.contact is not None else None
    return began is not None and departed_at is not None and departed_at >= began - A_REMOVAL_TAKES


def _is_left_out(message: Message | None) -> bool:
    return message is not None and message.status is not MessageStatus.QUEUED


def _has_moved(customer: Customer | None, campaign: Campaign) -> bool:
    """Whether a customer may have had another address when the campaign began; of one who was deleted it is unknown."""
    return customer is None or campaign.started_at is None or customer.updated_at > campaign.started_at


def _digest(recipient: Recipient) -> str:
    return recipient.contact.key.digest if recipient.contact is not None else ""
