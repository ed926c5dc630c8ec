"""Everything that happened with one customer in one list: messages, texts of theirs, consent, flags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import ConsentStated, HistoryEntry, moment_of, place_of
from rebound.contacts.domain.replies import Reply
from rebound.customers.domain import PROFILE_EVENTS, Customer, PointsBooked, ProfileEvent, place_of_event
from rebound.inbound.domain.stopped_texts import StoppedTexts, stopped_texts
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.ids import behind_all_of, time_of
from rebound.kernel.pages import Page, first_page, not_a_cursor, read_cursor
from rebound.messages.domain.appointments import Answered, AppointmentEntry, MessagePosted, confirmed_at
from rebound.messages.domain.messages import Message
from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.what_next import InSequence

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.find_waiting import FindWaiting, WaitReason
    from rebound.contacts.ports import ContactBook, ContactHistory
    from rebound.customers.ports import CustomerBook, PointsLedger, ProfileHistory
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.sequences.ports import EnrolmentBook, SequenceBook


SEQUENCES: Final = "sequence"
_PLACE: Final = re.compile(
    r"@[0-7][0-9A-HJKMNP-TV-Z]{25}|(profile|sequence|[0-9a-f]{64})"
    r"@[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}\.[0-9]{6}Z#[a-z]+#[0-9A-Za-z_-]+"
)
_BEHIND: Final = "~"
"""Sorts after every character of a place."""
_NEAR: Final = 10
"""Entries looked through for the STOP of a statement: the two stand side by side."""


class TimelinePosition(Struct, frozen=True):
    """Where an entry stands in the list: by time, then by where it is kept, then by its name there.

    ``source`` is empty for messages and points, ``PROFILE_EVENTS`` for what happened with the profile itself,
    ``SEQUENCES`` for sequences that were begun and left, and the hash of the address for everything else.
    """

    at: datetime
    source: str
    name: str

    @property
    def order(self) -> tuple[datetime, str, str]:
        """The sort key of the list and of every source; no two entries have the same."""
        return (self.at, self.source, self.name)

    @property
    def written(self) -> str:
        """The position as a cursor holds it."""
        return f"{self.source}@{self.name}"


class Happened(Struct, frozen=True):
    """One entry of the list.

    ``contact`` is the address that it is about, ``None`` for a message without one and for the profile itself, which
    has no ``channel`` either; ``former`` says whether the customer has left that address, ``shared_with`` how many
    other customers use or used it.
    """

    place: TimelinePosition
    what: Message | HistoryEntry | ProfileEvent | PointsBooked | InSequence
    channel: Channel | None
    contact: ContactKey | None
    former: bool = False
    shared_with: int = 0
    waits_because: WaitReason | None = None
    """Of a message of a campaign that has not come to the customer yet."""

    @property
    def at(self) -> datetime:
        """When it happened; for a message, when its sending began."""
        return self.place.at

    @property
    def order(self) -> tuple[datetime, str, str]:
        """The sort key of the place."""
        return self.place.order


class Timeline(Struct, frozen=True):
    """Part of the list, newest first, and whether texts are stopped at this moment."""

    customer: Customer
    stopped: StoppedTexts | None
    entries: Page[Happened]
    others: Mapping[str, Customer] = MappingProxyType({})
    """Of the customers whom entries about relations name, those who are there."""


_ORDER: Final = attrgetter("order")


class ReadTimeline(Struct, frozen=True, kw_only=True):
    """The client log of one customer, with everything in it.

    Messages are the customer's own. What is kept by address is shown for all addresses that the customer uses or used,
    whoever caused it: nobody knows which of several people with one number texted, nor when somebody left an address.

    Each source is sorted as the list is, so a cursor holds only the last place shown: the next page goes on from that
    place in every source, whatever has been added meanwhile.

    Of sequences it has the last time that each was begun, as long as there is the sequence. A message that waits in a
    campaign has no row yet. It is shown at the place of its row, which follows from its id.
    """

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    messages: MessageLog
    history: ContactHistory
    sequences: SequenceBook
    enrolments: EnrolmentBook
    profile_history: ProfileHistory
    points_ledger: PointsLedger
    waiting: FindWaiting

    def __call__(
        self,
        business_id: str,
        customer_id: str,
        limit: int,
        cursor: str | None,
        *,
        business: Business | None = None,
        with_waiting: bool = True,
        with_points: bool = True,
        with_sequences: bool = True,
    ) -> Timeline:
        """Read a page; ``business`` where it has been read, ``with_waiting`` as ``waiting_for`` has it.

        Points and sequences are left out where they have a list of their own.

        Raises ``NotFoundError``, and ``InvalidInputError`` for an invalid cursor.
        """
        last = _read_cursor(cursor)
        customer = self.customers.get(business_id, customer_id)
        contacts = self.contacts.get_many(customer.all_contact_keys)
        sources = [
            self._sent(customer, contacts, last, limit + 1),
            self._awaited(customer, contacts, last) if with_waiting else (),
            self._of_profile(customer, last, limit + 1),
            self._booked(customer, last, limit + 1) if with_points else (),
            self._in_sequences(customer, last) if with_sequences else (),
            *(self._known(customer, contact, last, limit + 1) for contact in contacts.values()),
        ]
        listed = _once(merge(*sources, key=_ORDER, reverse=True))
        entries = first_page(listed, limit, lambda entry: entry.place.written)
        others = self._others(business_id, entries.items)
        return Timeline(customer, self.stopped(customer, contacts, business), entries, others)

    def waiting_for(self, business_id: str, customer_id: str) -> tuple[Customer, Sequence[Happened]]:
        """The customer, and what campaigns under way have yet to send them. It takes reads for each campaign."""
        customer = self.customers.get(business_id, customer_id)
        contacts = self.contacts.get_many(customer.all_contact_keys)
        return customer, self._awaited(customer, contacts, None)

    def _others(self, business_id: str, entries: Iterable[Happened]) -> Mapping[str, Customer]:
        about = [entry.what.other_id for entry in entries if isinstance(entry.what, ProfileEvent)]
        named = [each for each in about if each is not None]
        return self.customers.get_many(business_id, named) if named else {}

    def _sent(
        self, customer: Customer, contacts: Mapping[ContactKey, Contact], last: TimelinePosition | None, limit: int
    ) -> Iterator[Happened]:
        before = None if last is None else last.name if not last.source else behind_all_of(last.at)
        for message in self.messages.before(customer.business_id, customer.customer_id, before, limit):
            place = TimelinePosition(time_of(message.key.message_id), "", message.key.message_id)
            address = message.address
            key = ContactKey.of(customer.business_id, message.channel, address) if address else None
            former, shared_with = _use(key, customer, contacts)
            yield Happened(place, message, message.channel, key, former, shared_with)

    def _awaited(
        self, customer: Customer, contacts: Mapping[ContactKey, Contact], last: TimelinePosition | None
    ) -> Sequence[Happened]:
        entries = []
        for waiting in self.waiting(customer, contacts):
            message, message_id = waiting.message, waiting.message.key.message_id
            place = TimelinePosition(time_of(message_id), "", message_id)
            former, shared_with = _use(message.contact, customer, contacts)
            because = waiting.because
            entries.append(Happened(place, message, message.channel, message.contact, former, shared_with, because))
        behind = [entry for entry in entries if last is None or entry.order < last.order]
        return sorted(behind, key=_ORDER, reverse=True)

    def _of_profile(self, customer: Customer, last: TimelinePosition | None, limit: int) -> Iterator[Happened]:
        before = None if last is None else _before(last, PROFILE_EVENTS)
        for event in self.profile_history.before(customer.business_id, customer.customer_id, before, limit):
            yield Happened(TimelinePosition(event.at, PROFILE_EVENTS, place_of_event(event)), event, None, None)

    def _booked(self, customer: Customer, last: TimelinePosition | None, limit: int) -> Iterator[Happened]:
        before = None if last is None else last.name if not last.source else behind_all_of(last.at)
        for booked in self.points_ledger.before(customer.business_id, customer.customer_id, before, limit):
            place = TimelinePosition(time_of(booked.booking_id), "", booked.booking_id)
            yield Happened(place, booked, None, None)

    def _in_sequences(self, customer: Customer, last: TimelinePosition | None) -> Sequence[Happened]:
        """When they began each sequence and left it, the last time; steps that send are messages."""
        saved = {each.sequence_id: each for each in self.sequences.all(customer.business_id)}
        keys = [EnrolmentKey(customer.business_id, customer.customer_id, each) for each in saved]
        entries = []
        for key, enrolment in (self.enrolments.get_many(keys) if keys else {}).items():
            name = saved[key.sequence_id].name
            told = [InSequence(name, enrolment, enrolment.entered_at, has_left=False)]
            if enrolment.is_over:
                told.append(InSequence(name, enrolment, enrolment.since, has_left=True))
            for each in told:
                # What is left at the moment in which it is begun is left after it.
                place = f"{moment_of(each.at)}#{'left' if each.has_left else 'begun'}#{key.sequence_id}"
                entries.append(Happened(TimelinePosition(each.at, SEQUENCES, place), each, None, None))
        behind = [entry for entry in entries if last is None or entry.order < last.order]
        return sorted(behind, key=_ORDER, reverse=True)

    def _known(
        self, customer: Customer, contact: Contact, last: TimelinePosition | None, limit: int
    ) -> Iterator[Happened]:
        source = contact.key.digest
        former, shared_with = _use(contact.key, customer, {contact.key: contact})
        before = None if last is None else _before(last, source)
        kept = self.history.before(contact.key, before, limit)
        # A new statement is on the contact at once, and perhaps not yet in its history.
        statements = [ConsentStated(statement) for statement in contact.consent.statements]
        waiting = [entry for entry in statements if before is None or place_of(entry) < before]
        in_order = sorted([*kept, *waiting], key=place_of, reverse=True)
        for name, same in groupby(in_order, place_of):
            entry = next(same)
            yield Happened(
                TimelinePosition(entry.at, source, name), entry, contact.key.channel, contact.key, former, shared_with
            )

    def stopped(
        self, customer: Customer, contacts: Mapping[ContactKey, Contact], business: Business | None = None
    ) -> StoppedTexts | None:
        """Whether a customer's texts are stopped, given their contacts; ``business`` where it has been read."""
        key = customer.contact_key(Channel.SMS)
        opt_out = contacts[key].consent.of(Scope.ALL).opt_out if key is not None else None
        if key is None or opt_out is None:
            return None
        business = business or self.businesses.get(customer.business_id)
        return stopped_texts(opt_out, business, self._number_texted(key, opt_out))

    def _number_texted(self, key: ContactKey, opt_out: ConsentEvidence) -> str | None:
        """The number that a STOP was texted to; ``None`` if the opt-out was no text, or the text is no longer kept."""
        near = self.history.before(key, moment_of(opt_out.at) + _BEHIND, _NEAR)
        replies = (entry for entry in near if isinstance(entry, Reply))
        return next((reply.to for reply in replies if reply.reply_id == opt_out.message_id), None)


def _once(entries: Iterable[Happened]) -> Iterator[Happened]:
    """Each place once: a message that waited may have come into the log since."""
    for _, same in groupby(entries, _ORDER):
        yield next(same)


def _use(key: ContactKey | None, customer: Customer, contacts: Mapping[ContactKey, Contact]) -> tuple[bool, int]:
    """Whether the customer has left the address, and how many others use or used it."""
    if key is None:
        return False, 0
    users = contacts[key].customer_ids if key in contacts else frozenset[str]()
    return key in customer.former_contacts, len(users - {customer.customer_id})


def _before(last: TimelinePosition, source: str) -> str:
    """The place in a source that divides what the list has shown up to ``last`` from what comes after it."""
    if source == last.source:
        return last.name
    return moment_of(last.at) + (_BEHIND if source < last.source else "")


def _read_cursor(cursor: str | None) -> TimelinePosition | None:
    written = read_cursor(cursor, _PLACE)
    if written is None:
        return None
    source, _, name = written.partition("@")
    try:
        return TimelinePosition(datetime.fromisoformat(name.split("#")[0]) if source else time_of(name), source, name)
    except (ValueError, OverflowError):
        raise not_a_cursor() from None


PAGE: Final = 100


class AppointmentLog(Struct, frozen=True):
    """Part of the log, newest first. ``confirmed_at`` is about the whole log."""

    confirmed_at: datetime | None
    entries: Sequence[Message | Answered]
    next_cursor: str | None


class ReadAppointmentLog(Struct, frozen=True, kw_only=True):
    """The log of one appointment; it is empty when nothing was ever sent about an appointment with this id."""

    appointments: AppointmentBook
    messages: MessageLog

    def __call__(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> AppointmentLog:
        """A page of the log."""
        page = self.appointments.page(business_id, appointment_id, limit, cursor)
        messages = self.messages.get_many([entry.key for entry in page.items if isinstance(entry, MessagePosted)])
        shown = (messages.get(entry.key) if isinstance(entry, MessagePosted) else entry for entry in page.items)
        return AppointmentLog(
            confirmed_at(self._all(business_id, appointment_id)),
            [entry for entry in shown if entry is not None],
            page.next_cursor,
        )

    def _all(self, business_id: str, appointment_id: str) -> Iterator[AppointmentEntry]:
        cursor: str | None = None
        while True:
            page = self.appointments.page(business_id, appointment_id, PAGE, cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return
