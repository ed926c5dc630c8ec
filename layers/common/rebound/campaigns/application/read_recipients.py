"""Whom a campaign was for: its messages, and who was left out and why, as lists and as a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import replace
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct

from rebound.campaigns.domain.campaigns import Campaign, queued_message
from rebound.campaigns.domain.chunks import LEFT_OUT, Chunk, ChunkState
from rebound.customers.domain import Customer
from rebound.kernel.ids import CUSTOMER_IDS
from rebound.kernel.pages import Page, not_a_cursor, read_cursor, write_cursor
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message, MessageStatus

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.campaigns.application.campaign_service import CampaignService
    from rebound.campaigns.ports import ChunkLedger, ExpansionLedger, TallyBook
    from rebound.customers.ports import CustomerBook
    from rebound.messages.ports import MessageLog

MOST_LOOKED_AT: Final = 20_000
"""Messages that are looked at for one page of those with a status; a page is shorter when there are not enough."""
_MAX_DIGITS: Final = 6
_LEFT_OUT: Final = re.compile(rf"{LEFT_OUT}#[0-9]{{3}}#[0-9]{{7}}\.[0-9]{{1,6}}")
"""A place among those whom the expansion left out. Its cursor has no dot, which that of a ``Place`` has."""


class Place(Struct, frozen=True):
    """A place among a campaign's messages: how many of a page of chunks were seen, and the cursor of that page."""

    seen: int = 0
    page: str | None = None

    def written(self) -> str:
        """The cursor that continues there."""
        return f"{self.seen}.{self.page or ''}"

    @classmethod
    def read(cls, cursor: str | None) -> Self:
        """The place of a cursor. Raises ``InvalidInputError``."""
        if cursor is None:
            return cls()
        seen, _, page = cursor.partition(".")
        return cls(_number(seen), page or None)


class Recipient(Struct, frozen=True):
    """A message and its customer; ``None`` for one who has been deleted since."""

    message: Message
    customer: Customer | None


class ExcludedCustomer(Struct, frozen=True):
    """Who was left out of a campaign, and why; ``customer`` is ``None`` when there is none of this id (any more)."""

    customer_id: str
    reason: str
    customer: Customer | None


class ExcludedCustomers(Struct, frozen=True):
    """A page of those who were left out.

    It is not ``complete`` for a campaign that began under a version that kept only how many its expansion left out.
    """

    page: Page[ExcludedCustomer]
    complete: bool


class ReadRecipients(Struct, frozen=True, kw_only=True):
    """Reads the recipients of one campaign at a time; what its expansion left out, and then its chunks, in order."""

    view: CampaignService
    expansion: ExpansionLedger
    chunks: ChunkLedger
    messages: MessageLog
    tallies: TallyBook
    customers: CustomerBook

    def __call__(
        self, business_id: str, campaign_id: str, *, status: MessageStatus | None, limit: int, cursor: str | None
    ) -> Page[Message]:
        """The campaign's messages in the order of its chunks, those not handed over as ``queued``.

        Raises ``NotFoundError``, and ``InvalidInputError`` for an invalid cursor.
        """
        return self._messages(self.view.find(business_id, campaign_id), status, limit, cursor)

    def _messages(
        self, campaign: Campaign, status: MessageStatus | None, limit: int, cursor: str | None, most: int | None = None
    ) -> Page[Message]:
        found, after = self._found(
            campaign, Place.read(cursor), limit, lambda message: status in (None, message.shown_status), most
        )
        return Page(found, None if after is None else after.written())

    def rows(
        self, business_id: str, campaign_id: str, *, status: MessageStatus | None, limit: int, cursor: str | None
    ) -> Page[Recipient]:
        """The same with the customers, for a file."""
        campaign = self.view.find(business_id, campaign_id)
        return self.rows_of(campaign, status=status, limit=limit, cursor=cursor)

    def rows_of(
        self,
        campaign: Campaign,
        *,
        status: MessageStatus | None,
        limit: int,
        cursor: str | None,
        most: int | None = None,
    ) -> Page[Recipient]:
        """The same of a campaign that has been read; a page ends once ``most`` messages were looked at for it."""
        page = self._messages(campaign, status, limit, cursor, most)
        known = self.customers.get_many(campaign.business_id, [message.key.customer_id for message in page.items])
        return Page([Recipient(m, known.get(m.key.customer_id)) for m in page.items], page.next_cursor)

    def excluded(
        self, business_id: str, campaign_id: str, *, reason: str | None, limit: int, cursor: str | None
    ) -> ExcludedCustomers:
        """Who was left out, first by the expansion and then right before the send; only for one ``reason`` if given.

        Raises ``NotFoundError``, and ``InvalidInputError`` for an invalid cursor.
        """
        campaign = self.view.find(business_id, campaign_id)
        return self.excluded_of(campaign, reason=reason, limit=limit, cursor=cursor)

    def excluded_of(
        self, campaign: Campaign, *, reason: str | None, limit: int, cursor: str | None, most: int | None = None
    ) -> ExcludedCustomers:
        """The same of a campaign that has been read; a page ends once ``most`` messages were looked at for it.

        With ``most``, those of the expansion and those of right before the send are on pages of their own.
        """
        found: list[tuple[str, str]] = []
        after: str | None = None
        if cursor is None or "." not in cursor:
            for place, customer_id, why in self._left_out(campaign, cursor, reason):
                if len(found) == limit:
                    break
                found.append((customer_id, why))
                after = place
            else:
                cursor, after = None, None
        if after is None and most is not None and found:
            after = Place().written() if self._are_left_out_later(campaign, reason) else None
        elif after is None:
            messages, place_after = self._left_out_later(campaign, Place.read(cursor), limit - len(found), reason, most)
            found += [(message.key.customer_id, message.reason or "") for message in messages]
            after = None if place_after is None else place_after.written()
        known = self.customers.get_many(campaign.business_id, [customer_id for customer_id, _ in found])
        items = [ExcludedCustomer(customer_id, why, known.get(customer_id)) for customer_id, why in found]
        return ExcludedCustomers(Page(items, after), campaign.run_id is None or campaign.names_left_out)

    def became_of(self, campaign: Campaign, customer_ids: Collection[str]) -> Mapping[str, tuple[MessageStatus, str]]:
        """What became of some of those whom a campaign was for: the status and its reason, empty for none.

        Whoever was left out is excluded. Ids of others, and of those who have not come to their turn, are not in it.
        """
        if campaign.run_id is None:
            return {}
        ids = [each for each in dict.fromkeys(customer_ids) if CUSTOMER_IDS.fullmatch(each)]
        keys = [MessageKey(campaign.business_id, each, campaign.message_id(each)) for each in ids]
        known = self.messages.get_many(keys)
        found = {key.customer_id: (each.shown_status, each.reason or "") for key, each in known.items()}
        missing = set(ids) - found.keys()
        for page in self.expansion.left_out(campaign.campaign_id) if missing else ():
            for why, left_out in page.by_reason.items():
                found |= dict.fromkeys(missing.intersection(left_out), (MessageStatus.EXCLUDED, why))
        return found

    def _left_out(self, campaign: Campaign, cursor: str | None, reason: str | None) -> Iterator[tuple[str, str, str]]:
        """Whom the expansion left out: the cursor after each, the customer's id, the reason."""
        place = read_cursor(cursor, _LEFT_OUT) or ""
        first, _, seen = place.rpartition(".")
        for page in self.expansion.left_out(campaign.campaign_id, first or None):
            skipped = int(seen) if page.name == first else 0
            everybody = [(id_, why) for why, ids in page.by_reason.items() for id_ in ids]
            for number, (customer_id, why) in enumerate(everybody[skipped:], start=skipped + 1):
                if reason in (None, why):
                    yield write_cursor(f"{page.name}.{number}"), customer_id, why

    def _left_out_later(
        self, campaign: Campaign, place: Place, limit: int, reason: str | None, most: int | None
    ) -> tuple[Sequence[Message], Place | None]:
        """Who was left out right before the send. Where the counts know of nobody, no message is read."""
        if not self._are_left_out_later(campaign, reason):
            return (), None
        return self._found(
            campaign,
            place,
            limit,
            lambda message: message.status is MessageStatus.EXCLUDED and reason in (None, message.reason),
            most,
        )

    def _are_left_out_later(self, campaign: Campaign, reason: str | None) -> bool:
        labels = self.tallies.counts(campaign.campaign_id)
        prefix = f"{MessageStatus.EXCLUDED}:"
        return any(label == f"{prefix}{reason}" if reason else label.startswith(prefix) for label in labels)

    def _found(
        self, campaign: Campaign, place: Place, limit: int, wanted: Callable[[Message], bool], most: int | None
    ) -> tuple[Sequence[Message], Place | None]:
        """Up to ``limit`` messages from a place on, and the place behind them; ``None`` at the end.

        Chunks are not begun once ``most`` messages were looked at.
        """
        found: list[Message] = []
        looked_at = 0
        while True:
            page, passed = self.chunks.page(campaign.campaign_id, place.page), 0
            for chunk in page.items:
                if chunk.key.fell_back is not None:
                    # Its recipients are those of a chunk of texts.
                    continue
                size = len(chunk.customer_ids)
                if passed + size > place.seen:
                    if len(found) == limit or looked_at >= (most or MOST_LOOKED_AT):
                        return found, place
                    looked_at += size
                    for message in self._messages_of(campaign, chunk)[max(place.seen - passed, 0) :]:
                        if len(found) == limit:
                            return found, place
                        place = replace(place, seen=place.seen + 1)
                        if wanted(message):
                            found.append(message)
                passed += size
            if page.next_cursor is None:
                return found, None
            place = Place(0, page.next_cursor)

    def _messages_of(self, campaign: Campaign, chunk: Chunk) -> Sequence[Message]:
        keys = [MessageKey(campaign.business_id, c, campaign.message_id(c)) for c in chunk.customer_ids]
        known = self.messages.get_many(keys)
        is_pending, split = chunk.state is ChunkState.PENDING, campaign.split

        def held_until(customer_id: str) -> datetime | None:
            chosen_at = None if split is None else split.waits_until(customer_id)
            return (chosen_at or chunk.not_before) if is_pending else None

        waiting = [
            replace(queued_message(campaign, key, chunk.created_at, address=""), held_until=held_until(key.customer_id))
            for key in keys
        ]
        return [known.get(message.key) or message for message in waiting]


def _number(digits: str) -> int:
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS):
        raise not_a_cursor()
    return int(digits)
