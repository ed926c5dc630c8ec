"""Showing and changing what a customer may be sent: the state of consent, its history, and the word of the staff."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import ConsentEvidence
from rebound.consent.domain.taking_back import TakenBackBy, how_to_take_back, only_the_customer_ends, taken_back_by
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import ConsentStated, place_of
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError
from rebound.kernel.pages import Page, first_page, read_cursor
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook, ContactHistory
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock

_READ_AT_ONCE: Final = 101
"""Entries of one address that are read at a time: the longest page and one more."""
_PLACE: Final = re.compile(r"[0-9T:.Z-]{27}#[a-z]+#[0-9a-f]{32}@[0-9a-f]{64}")
_BEHIND: Final = "~"
"""Sorts after every character of a place."""


class StatementEntry(Struct, frozen=True):
    """One statement with the address that it was said for; ``former`` when the customer has left that address."""

    key: ContactKey
    statement: ConsentEvidence
    former: bool

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands in the history of all the customer's addresses."""
        return (place_of(ConsentStated(self.statement)), self.key.digest)


class ConsentView(Struct, frozen=True):
    """What a customer may be sent on which channel, and what was said about it, newest first."""

    customer: Customer
    business: Business
    contacts: Mapping[Channel, Contact]
    history: Page[StatementEntry]


_BY_PLACE: Final = attrgetter("place")


class ReadConsent(Struct, frozen=True, kw_only=True):
    """State and history of one customer's consent.

    Consent is stated for an address. So the history is that of the customer's addresses, including former ones: a
    customer who asks why a text came last year may have another number by now. It includes what was said for a former
    address after the customer left it, because nobody knows when that was.
    """

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    history: ContactHistory

    def __call__(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> ConsentView:
        """Read state and history. Raises ``NotFoundError``, and ``InvalidInputError`` for an invalid cursor."""
        before = _read_cursor(cursor)
        customer = self.customers.get(business_id, customer_id)
        known = self.contacts.get_many(customer.all_contact_keys)
        entries = [
            self._entries(contact, before, former=key in customer.former_contacts) for key, contact in known.items()
        ]
        in_order = merge(*entries, key=_BY_PLACE, reverse=True)
        # A new statement is on the contact at once, and perhaps not yet in its history.
        once = (next(same) for _, same in groupby(in_order, _BY_PLACE))
        return ConsentView(
            customer,
            self.businesses.get(business_id),
            {key.channel: known[key] for key in customer.contact_keys},
            first_page(once, limit, lambda entry: "@".join(entry.place)),
        )

    def _entries(self, contact: Contact, before: tuple[str, str] | None, *, former: bool) -> Iterator[StatementEntry]:
        """The statements for one address before a place, from its history and from the contact itself."""
        key = contact.key
        kept = (
            StatementEntry(key, statement, former)
            for statement in self._kept(key, None if before is None else before[0] + _BEHIND)
        )
        known = sorted(
            (StatementEntry(key, statement, former) for statement in contact.consent.statements),
            key=_BY_PLACE,
            reverse=True,
        )
        for entry in merge(kept, known, key=_BY_PLACE, reverse=True):
            if before is None or entry.place < before:
                yield entry

    def _kept(self, key: ContactKey, place: str | None) -> Iterator[ConsentEvidence]:
        while True:
            entries = self.history.before(key, place, _READ_AT_ONCE)
            yield from (entry.statement for entry in entries if isinstance(entry, ConsentStated))
            if len(entries) < _READ_AT_ONCE:
                return
            place = place_of(entries[-1])


class Statement(Struct, frozen=True):
    """What somebody says for a customer: ``source`` is ``staff`` or ``api``."""

    channel: Channel
    scope: Scope
    opted_out: bool
    source: ConsentSource
    who: str | None = None
    words: str | None = None


class StateConsent(Struct, frozen=True, kw_only=True):
    """Unsubscribes and resubscribes a customer on one channel in one scope, as staff or a client says.

    The fold itself ignores an opt-in where only the customer can end the opt-out; here such an opt-in is refused.
    """

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    clock: Clock

    def __call__(self, business_id: str, customer_id: str, statement: Statement) -> None:
        """Write it, or change nothing and raise ``NotFoundError``, ``ConflictError`` or ``InvalidInputError``."""

        def write() -> None:
            key = self.customers.get(business_id, customer_id).contact_key(statement.channel)
            if key is None:
                raise ConflictError(
                    "no_address",
                    f"The customer has no {statement.channel} address.",
                    channel=statement.channel,
                )
            contact = self.contacts.get_many([key])[key]
            if not statement.opted_out:
                self._check_opt_in(contact, statement)
            self.contacts.save(contact.with_evidence(self._evidence(contact, statement)))

        retried(write)

    def _check_opt_in(self, contact: Contact, statement: Statement) -> None:
        business = self.businesses.get(contact.key.business_id)
        final = only_the_customer_ends(contact.consent, statement.scope)
        if final is not None:
            raise ConflictError("only_customer_opts_in", how_to_take_back(final, statement.channel, business.text_from))
        opt_out = contact.consent.of(statement.scope).opt_out
        if opt_out is not None and taken_back_by(opt_out) is TakenBackBy.STAFF_WITH_WORDS and not statement.words:
            message = "Is required to undo what the customer did with a click: what did they say?"
            raise InvalidInputError(FieldError("words", message))

    def _evidence(self, contact: Contact, statement: Statement) -> ConsentEvidence:
        """The evidence, dated now but after all that it contradicts, even if another machine's clock is ahead."""
        contrary = (
            known for known in contact.consent.of(statement.scope).latest if known.opted_out is not statement.opted_out
        )
        at = max((self.clock.now(), *(known.at + known.at.resolution for known in contrary)))
        return ConsentEvidence(
            at, statement.scope, statement.opted_out, statement.source, who=statement.who, words=statement.words
        )


def _read_cursor(cursor: str | None) -> tuple[str, str] | None:
    written = read_cursor(cursor, _PLACE)
    if written is None:
        return None
    place, _, digest = written.partition("@")
    return place, digest
