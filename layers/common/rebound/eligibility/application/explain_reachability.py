"""Why a customer does, or does not, get a kind of message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.eligibility.application.audience import supposed_mailing
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.application.shared_addresses import FindSharers
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.explanation import SHOWN_ATTEMPTS, Explanation, explain
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.messages.domain.messages import Message
from rebound.segments.domain.selections import Selection

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.domain.contacts import Contact
    from rebound.contacts.ports import ContactBook
    from rebound.customers.application.customer_service import CustomerView
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.ports import FrequencyBook
    from rebound.messages.domain.mailing import Mailing
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.segments.application.pin_filters import PinFilters

PAGE: Final = 50
MOST_PAGES: Final = 4
"""How many pages are searched for one channel's last attempts, which may lie behind many of the other channel."""


class ExplainReachability(Struct, frozen=True, kw_only=True):
    """Explains the decision on one customer, channel and category as of now, with all the data that it rests on."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    frequencies: FrequencyBook
    pin_filters: PinFilters
    businesses: BusinessDirectory
    messages: MessageLog
    clock: Clock
    whereabouts: Whereabouts

    def __call__(
        self,
        business_id: str,
        customer_id: str,
        channel: Channel,
        category: Category,
        *,
        asks_confirmation: bool = False,
        segment_id: str | None = None,
    ) -> Explanation:
        """Explain what would happen to an ordinary message of this kind. Raises ``NotFoundError``.

        ``segment_id`` names the saved segment of its campaign, for caps that count messages of each segment apart;
        without one it is a message to this customer alone.
        """
        customer = self.customers.get(business_id, customer_id)
        key = customer.contact_key(channel)
        business = self.businesses.get(business_id)
        contact = self.contacts.get_many([key])[key] if key is not None else None
        selection = self._selection(business_id, segment_id, self.clock.now())
        supposed = supposed_mailing(
            business_id,
            channel,
            category,
            selection=selection,
            single=segment_id is None,
            asks_confirmation=asks_confirmation,
        )
        attempts = self._last_attempts(business_id, customer_id, [channel])
        return self._explain(customer, business, contact, supposed, attempts)

    def several(self, view: CustomerView, kinds: Sequence[tuple[Channel, Category]]) -> Sequence[Explanation]:
        """The same of several kinds of messages to one customer alone, who has been read; the log is read once."""
        customer, business = view.customer, view.business
        channels = sorted({channel for channel, _ in kinds})
        attempts = self._last_attempts(business.business_id, customer.customer_id, channels) if channels else []
        return [
            self._explain(
                customer,
                business,
                view.contacts.get(channel),
                supposed_mailing(business.business_id, channel, category, selection=Selection(), single=True),
                attempts,
            )
            for channel, category in kinds
        ]

    def _explain(
        self,
        customer: Customer,
        business: Business,
        contact: Contact | None,
        supposed: Mailing,
        attempts: Sequence[Message],
    ) -> Explanation:
        now, customer_id = self.clock.now(), customer.customer_id
        find_sharers = FindSharers(
            self.customers, self.contacts, self.summaries, self.frequencies, business, supposed, self.whereabouts
        )
        sharers = find_sharers({customer_id: contact}, now).get(customer_id) if contact is not None else None
        case = Case(
            customer,
            contact,
            business,
            supposed,
            now,
            known_frequencies(self.frequencies, business, supposed, [customer_id]).get(customer_id),
            self.whereabouts,
            sharers.first if sharers is not None and sharers.is_behind(customer_id) else None,
        )
        return explain(case, attempts)

    def _selection(self, business_id: str, segment_id: str | None, now: datetime) -> Selection:
        """Whom a saved segment means; everybody for none, also when it is not there (any more)."""
        selection = Selection(segment_id)
        if segment_id is None:
            return selection
        try:
            return self.pin_filters.at(business_id, self.pin_filters.selection(business_id, selection), now)
        except InvalidInputError:
            return selection

    def _last_attempts(self, business_id: str, customer_id: str, channels: Sequence[Channel]) -> list[Message]:
        """The newest messages, until each of the channels has as many as are shown, or no more are looked through."""
        found: list[Message] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = self.messages.page(business_id, customer_id, PAGE, cursor)
            # What the customer's own address was tried with.
            found.extend(each for each in page.items if each.channel in channels and not each.is_for_another)
            cursor = page.next_cursor
            numbers = Counter(each.channel for each in found)
            if cursor is None or all(numbers[channel] >= SHOWN_ATTEMPTS for channel in channels):
                break
        return found
