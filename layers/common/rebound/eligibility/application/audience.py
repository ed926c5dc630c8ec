"""The step from customers to decisions, shared by preview and expansion: a preview shows what a send would do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Tried
from rebound.customers.domain import Customer
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.application.shared_addresses import is_shared
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Hold, Send, decide
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.messages.domain.mailing import Mailing
from rebound.messages.domain.variants import Split
from rebound.segments.application.matching import among
from rebound.segments.domain.matching import CustomerMatcher
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import Said, TemplateContent
from rebound.templates.domain.sendable import is_always_sendable, missing_for, segments_for

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.contacts.ports import ContactBook
    from rebound.eligibility.application.shared_addresses import FindSharers
    from rebound.eligibility.ports import FrequencyBook


class Selected(Struct, frozen=True):
    """The decision about each customer who is meant, by customer id, in order.

    ``shared`` are the contacts that more than one customer uses, or used, of those who get a message that goes to each
    address once, by customer id. ``segments`` is how many the texts of all recipients have, where a text plan
    counts them and what they say is known. ``variants`` has how many of the recipients get each, if there are any.
    """

    decisions: Mapping[str, Decision]
    shared: Mapping[str, Contact] = field(default_factory=dict)
    segments: int | None = None
    variants: Mapping[str, int] = field(default_factory=dict)

    @property
    def audience(self) -> Audience:
        """How many customers are meant, and how many are left out for each reason."""
        excluded = Counter(str(decision) for decision in self.decisions.values() if isinstance(decision, Exclusion))
        return Audience(len(self.decisions), MappingProxyType(dict(excluded)), self.segments, self.variants)

    @property
    def left_out(self) -> Mapping[str, Sequence[str]]:
        """Who is left out, by reason."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for customer_id, decision in self.decisions.items():
            if isinstance(decision, Exclusion):
                found[str(decision)].append(customer_id)
        return found

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who gets the message, at once or later."""
        return tuple(
            customer_id for customer_id, decision in self.decisions.items() if isinstance(decision, Send | Hold)
        )

    def divided(self, split: Split) -> Selected:
        """With how many of the recipients get each variant."""
        return replace(self, variants=split.counts(self.recipients))

    @property
    def holds(self) -> Mapping[str, Hold]:
        """The holds of those recipients who get the message later, by customer id."""
        return {customer_id: decision for customer_id, decision in self.decisions.items() if isinstance(decision, Hold)}


class Screening:
    """Decides about the customers of one campaign, page by page, on eventually consistent reads of the contacts.

    The sender decides again on the data at that time, and then who is held out (``Mailing.before_holdout``). When
    customers share a flagged address, only the first of them gets the try that is due, as at the send; so tries of
    shared addresses are remembered from page to page. Who of them gets a message that goes to each address once is not
    decided here.
    """

    def __init__(
        self,
        contacts: ContactBook,
        frequencies: FrequencyBook,
        business: Business,
        mailing: Mailing,
        whereabouts: Whereabouts,
    ) -> None:
        self._whereabouts = whereabouts
        self._contacts = contacts
        self._frequencies = frequencies
        self._business = business
        self._mailing = mailing.before_holdout
        self._split = mailing.split
        self._tried: dict[ContactKey, Tried] = {}

    def __call__(self, customers: Mapping[str, Customer | None], now: datetime) -> Selected:
        """Decide about customers, given by id; the value is ``None`` for a customer who does not exist."""
        keys = {id_: who.contact_key(self._mailing.channel) for id_, who in customers.items() if who is not None}
        known = self._contacts.get_many({key for key in keys.values() if key is not None}, consistent=False)
        frequencies = known_frequencies(self._frequencies, self._business, self._mailing, list(keys), consistent=False)
        decisions: dict[str, Decision] = {}
        shared: dict[str, Contact] = {}
        once = self._mailing.once_per_address
        for customer_id, customer in customers.items():
            key = keys.get(customer_id)
            contact = self._as_tried(known[key]) if key is not None else None
            frequency = frequencies.get(customer_id)
            decision = decide(customer, contact, self._business, self._mailing, now, frequency, self._whereabouts)
            send = decision.send if isinstance(decision, Hold) else decision
            if isinstance(send, Send) and contact is not None and is_shared(contact):
                if once:
                    shared[customer_id] = contact
                elif send.is_try:
                    self._tried.setdefault(contact.key, Tried(now, self._name_of_try(customer_id)))
            decisions[customer_id] = decision
        selected = Selected(MappingProxyType(decisions), shared)
        return selected if self._split is None else selected.divided(self._split)

    def _as_tried(self, contact: Contact) -> Contact:
        tried = self._tried.get(contact.key)
        return contact if tried is None else contact.with_evidence(tried)

    def _name_of_try(self, customer_id: str) -> str:
        """The id of the message that is the try; empty for a mailing without a ``run_id``, which has no messages."""
        return self._mailing.message_id(customer_id) if self._mailing.run_id is not None else ""


class Foreseeing:
    """A screening, and then what only the sender finds out: ``CANNOT_RENDER``, ``SAME_ADDRESS`` and, last, ``HOLDOUT``.

    Nobody is rendered for when the content suits the shortest and the longest values. Neither is asked at an expansion:
    whoever is left out so has a message in the log that says it, and who is left out for another may get it in the end.
    """

    def __init__(self, screening: Screening, find_sharers: FindSharers, business: Business, mailing: Mailing) -> None:
        self._screening = screening
        self._find_sharers = find_sharers
        self._business = business
        self._mailing = mailing
        self._is_counted = business.text_plan is not None and mailing.channel is Channel.SMS
        self._is_doubtful = not all(
            content is None or is_always_sendable(content, mailing.category) for content in mailing.all_said
        )

    def __call__(self, customers: Mapping[str, Customer | None], now: datetime) -> Selected:
        """Decide about customers, given by id, as ``Screening`` does."""
        selected, split = self._screening(customers, now), self._mailing.split
        left_out: dict[str, Decision] = {}
        if self._is_doubtful:
            left_out = {
                id_: Exclusion.CANNOT_RENDER
                for id_ in selected.recipients
                if (customer := customers[id_]) is not None and not self._find_sharers.can_be_rendered_for(customer)
            }
        shared = {id_: contact for id_, contact in selected.shared.items() if id_ not in left_out}
        for id_, sharers in self._find_sharers(shared, now).items():
            if sharers.is_behind(id_):
                left_out[id_] = Exclusion.SAME_ADDRESS
        if split is not None:
            left_out |= {
                id_: Exclusion.HOLDOUT for id_ in selected.recipients if id_ not in left_out and split.holds_out(id_)
            }
        if left_out:
            selected = Selected(MappingProxyType({**selected.decisions, **left_out}))
        selected = selected if split is None else selected.divided(split)
        return self._with_segments(selected, customers)

    def _with_segments(self, selected: Selected, customers: Mapping[str, Customer | None]) -> Selected:
        """With what the texts of the recipients count, for a business whose texts are counted."""
        if not self._is_counted or None in self._mailing.all_said:
            return selected
        recipients = [customer for id_ in selected.recipients if (customer := customers[id_]) is not None]
        return replace(selected, segments=sum(map(self._segments_for, recipients)))

    def _segments_for(self, customer: Customer) -> int:
        mailing = self._mailing.for_customer(customer.customer_id)
        said = mailing.content
        return 0 if said is None else segments_for(said, customer, self._business, mailing.more_values)

    def missing_for(self, customer: Customer, decision: Decision) -> tuple[str, ...]:
        """The variables for want of which a customer is left out."""
        mailing = self._mailing.for_customer(customer.customer_id)
        if decision is not Exclusion.MISSING_VARIABLE or not isinstance(mailing.content, TemplateContent):
            return ()
        return missing_for(mailing.content, customer, self._business, mailing.more_values)


def matching(
    customers: Sequence[Customer], matcher: CustomerMatcher, contacts: ContactBook, summaries: SummaryBook
) -> Mapping[str, Customer]:
    """The customers whom the filter matches, by id."""
    matched = among(customers, matcher, contacts, summaries, consistent=False)
    return {customer.customer_id: customer for customer in matched}


EVERYBODY: Final = Selection()


def supposed_mailing(
    business_id: str,
    channel: Channel,
    category: Category,
    *,
    selection: Selection = EVERYBODY,
    exclude_failed: bool = True,
    include_customer_ids: frozenset[str] = frozenset(),
    exclude_customer_ids: frozenset[str] = frozenset(),
    single: bool = False,
    asks_confirmation: bool = False,
    content: Said | None = None,
    contents: Mapping[str, Said] | None = None,
    timing: Timing | None = None,
    split: Split | None = None,
) -> Mailing:
    """A mailing that is never sent, made to ask what would happen if it were."""
    timing = timing or Timing()
    return Mailing(
        business_id=business_id,
        category=category,
        channel=channel,
        selection=selection,
        exclude_failed=exclude_failed,
        include_customer_ids=include_customer_ids,
        exclude_customer_ids=exclude_customer_ids,
        single=single,
        asks_confirmation=asks_confirmation,
        content=content,
        contents=contents,
        send_at=timing.starts_at,
        local_time=timing.local_time,
        expires_at=timing.expires_at,
        split=split,
    )
