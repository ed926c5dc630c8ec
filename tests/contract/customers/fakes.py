"""Customers in memory, with the optimistic versions of the table."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from rebound.contacts.domain.contacts import Contact
from rebound.customers.application.finding import external_ids_typed, is_found
from rebound.customers.application.tagging import TagsGiven, givers, new_among
from rebound.customers.domain import (
    Customer,
    FormUse,
    PageMatcher,
    PointsBooked,
    ProfileEvent,
    Question,
    has_failed,
    place_of_event,
)
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page, not_a_cursor
from rebound.kernel.written_text import folded
from tests.contract.businesses.fakes import MemoryBusinessesPorts
from tests.contract.contacts.fakes import MAX_TRANSACTION, MemoryContactBook, rows_of
from tests.contract.platform.fakes import FakeClock
from tests.fakes.cursors import page_of, read_cursor, write_cursor
from tests.fakes.queues import MemoryQueue
from tests.fakes.streams import ChangeStream


class MemoryCustomerBook:
    """Implements ``CustomerBook``; shares its transactions with a contact book."""

    def __init__(self, contacts: MemoryContactBook) -> None:
        self._contacts = contacts
        self.rows: dict[tuple[str, str], Customer] = {}
        self._gone: Counter[tuple[str, str]] = Counter()
        self.passages: ChangeStream[Customer | None] = ChangeStream()
        """Of the change stream what its reader wants: who is new, and each customer as they were when deleted."""
        self.tagged: ChangeStream[TagsGiven] = ChangeStream()
        """The same for the other reader: who was given a tag, and by which sequences."""

    def get(self, business_id: str, customer_id: str) -> Customer:
        try:
            return self.rows[business_id, customer_id]
        except KeyError:
            raise NotFoundError("customer") from None

    def get_many(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, Customer]:
        found = {id_: self.rows.get((business_id, id_)) for id_ in customer_ids}
        return {id_: customer for id_, customer in found.items() if customer is not None}

    def external_ids(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, str | None]:
        found = self.get_many(business_id, customer_ids, as_of_now=as_of_now)
        return {id_: customer.external_id for id_, customer in found.items()}

    def save(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        self._check_all(customers, contacts)
        for customer in customers:
            self._write(customer)
        for contact in contacts:
            self._contacts.write(contact)

    def retag(self, before: Customer, after: Customer) -> Customer:
        self._check(before)
        edited = replace(before, updated_at=after.updated_at, file_values=after.file_values)
        return self._write(replace(edited, general_tags=after.general_tags))

    def _write(self, customer: Customer) -> Customer:
        id_ = (customer.business_id, customer.customer_id)
        had = self.rows[id_].general_tags if id_ in self.rows else ()
        if tags := new_among(customer.general_tags, had):
            who = {"business_id": customer.business_id, "customer_id": customer.customer_id}
            given = TagsGiven(**who, tags=tags, at=customer.updated_at, had=tuple(had), by=givers())
            self.tagged.record(customer.customer_id, None, given)
        is_new = id_ not in self.rows
        self.rows[id_] = written = replace(customer, version=(customer.version or self._gone[id_]) + 1)
        if is_new and customer.external_id is not None:
            self.passages.record(customer.customer_id, None, written)
        return written

    def delete(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        self._check_all(customers, contacts)
        for customer in customers:
            id_ = (customer.business_id, customer.customer_id)
            deleted = self.rows.pop(id_, None)
            self._gone[id_] = customer.version
            if deleted is not None:
                self.passages.record(customer.customer_id, deleted, None)
        for contact in contacts:
            self._contacts.write(contact)

    def page(
        self,
        business_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        matching: PageMatcher | None = None,
        looks: Sequence[int] | None = None,
    ) -> Page[Customer]:
        after = read_cursor(cursor) or ""
        own = [customer for customer in self._of(business_id) if customer.customer_id > after]
        looked = own if looks is None else own[: sum(looks)]
        found = matching(looked) if matching else looked
        page = page_of([(c.customer_id, c) for c in found], limit)
        if page.next_cursor is None and len(looked) < len(own):
            return Page(page.items, write_cursor(looked[-1].customer_id))
        return page

    def read_range(self, business_id: str, first: str, last: str, after: str | None, limit: int) -> Sequence[Customer]:
        inside = [c for c in self._of(business_id) if first <= c.customer_id <= last and c.customer_id > (after or "")]
        return inside[:limit]

    def find(
        self,
        business_id: str,
        question: Question,
        *,
        limit: int,
        cursor: str | None = None,
        matching: PageMatcher | None = None,
        requests: int | None = None,
    ) -> Page[Customer]:
        asked = f"{question}|"
        after = read_cursor(cursor) or asked
        if not after.startswith(asked):
            raise not_a_cursor()
        by_id = () if question.typed is None else external_ids_typed(business_id, question.typed)
        meant = [id_ for id_ in by_id if (business_id, id_) in self.rows][:1]
        found = [
            customer
            for customer in self._of(business_id)
            if customer.customer_id in meant or self._answers(question, customer)
        ]
        found.sort(key=lambda customer: _place(customer, question.sort), reverse=question.descending)
        found.sort(key=lambda customer: customer.customer_id not in meant)
        found = list(matching(found)) if matching else found
        place = next((n + 1 for n, c in enumerate(found) if asked + c.customer_id == after), 0)
        return page_of([(asked + customer.customer_id, customer) for customer in found[place:]], limit)

    @staticmethod
    def _answers(question: Question, customer: Customer) -> bool:
        if question.typed is not None:
            return is_found(customer, question.typed)
        return question.failed is None or has_failed(customer, question.failed)

    def fill_index(self, customers: Sequence[Customer]) -> None:
        """Everybody is found."""

    def forget(self, customer: Customer) -> None:
        """Nobody is kept."""

    def copy_flag(self, key: ContactKey, customer_id: str, invalid: bool) -> Customer | None:
        customer = self.rows.get((key.business_id, customer_id))
        if customer is None or customer.contact_key(key.channel) != key:
            return customer
        email = key.channel is Channel.EMAIL
        if (customer.failed_email if email else customer.failed_phone) == invalid:
            return customer
        flagged = replace(customer, failed_email=invalid) if email else replace(customer, failed_phone=invalid)
        flagged = replace(flagged, flags_at=datetime.now(UTC))
        self.rows[key.business_id, customer_id] = replace(flagged, version=customer.version + 1)
        return customer

    def choose(self, business_id: str, customer_id: str, *, favourite: bool) -> None:
        customer = self.get(business_id, customer_id)
        chosen = replace(customer, favourite=favourite, version=customer.version + 1)
        self.rows[business_id, customer_id] = chosen

    def _of(self, business_id: str) -> list[Customer]:
        return [customer for (owner, _), customer in sorted(self.rows.items()) if owner == business_id]

    def _check_all(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        if len(customers) + sum(map(rows_of, contacts)) > MAX_TRANSACTION:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")
        for customer in customers:
            self._check(customer)
        for contact in contacts:
            if rows_of(contact):
                self._contacts.check(contact)

    def _check(self, customer: Customer) -> None:
        stored = self.rows.get((customer.business_id, customer.customer_id))
        if (stored.version if stored else 0) != customer.version:
            raise ConcurrentChangeError


class MemoryDepartures:
    """Implements ``Departures``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], datetime] = {}

    def note(self, customers: Collection[Customer], at: datetime) -> None:
        for customer in customers:
            self.rows.update({(key.digest, customer.customer_id): at for key in customer.all_contact_keys})

    def since(self, key: ContactKey, at: datetime) -> Collection[str]:
        return [customer_id for (digest, customer_id), left in self.rows.items() if digest == key.digest and left >= at]


class MemoryUnforgottenCustomers:
    """Implements ``UnforgottenCustomers``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Customer] = {}

    def keep(self, customer: Customer) -> None:
        self.rows[customer.business_id, customer.customer_id] = customer

    def find(self, business_id: str, customer_id: str) -> Customer | None:
        return self.rows.get((business_id, customer_id))

    def remove(self, customer: Customer) -> None:
        self.rows.pop((customer.business_id, customer.customer_id), None)


class MemoryForgetQueue:
    """Implements ``ForgetQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[tuple[str, str]] = MemoryQueue(clock)

    def put(self, business_id: str, customer_id: str) -> None:
        self.queue.send((business_id, customer_id))


class MemoryProfileHistory:
    """Implements ``ProfileHistory``."""

    def __init__(self, customers: MemoryCustomerBook) -> None:
        self._customers = customers
        self.events: dict[tuple[str, str], dict[str, ProfileEvent]] = {}
        self.forms: dict[tuple[str, str], dict[str, FormUse]] = {}

    def save(
        self,
        customers: Sequence[Customer],
        contacts: Sequence[Contact],
        events: Mapping[str, Sequence[ProfileEvent]],
        *,
        form: FormUse | None = None,
    ) -> None:
        [customer, *_] = customers
        business_id, customer_id = customer.business_id, customer.customer_id
        if form is not None:
            used = self.form(business_id, customer_id, form.message_id)
            if used is not None and used.done:
                raise ConcurrentChangeError
        self._customers.save(customers, contacts)
        self.note(business_id, events)
        if form is not None:
            self.forms.setdefault((business_id, customer_id), {})[form.message_id] = form

    def note(self, business_id: str, events: Mapping[str, Sequence[ProfileEvent]]) -> None:
        for customer_id, each in events.items():
            kept = self.events.setdefault((business_id, customer_id), {})
            kept.update({place_of_event(event): event for event in each})

    def form(self, business_id: str, customer_id: str, message_id: str) -> FormUse | None:
        return self.forms.get((business_id, customer_id), {}).get(message_id)

    def before(self, business_id: str, customer_id: str, place: str | None, limit: int) -> Sequence[ProfileEvent]:
        kept = self.events.get((business_id, customer_id), {})
        return [kept[each] for each in sorted(kept, reverse=True) if place is None or each < place][:limit]

    def forget(self, business_id: str, customer_id: str, *, before: datetime | None = None) -> None:
        for rows in (self.events, self.forms):
            kept: dict[str, Any] = rows.get((business_id, customer_id), {})
            for name in [name for name, each in kept.items() if before is None or each.at < before]:
                del kept[name]


class MemoryPointsLedger:
    """Implements ``PointsLedger``."""

    def __init__(self, customers: MemoryCustomerBook) -> None:
        self._customers = customers
        self.rows: dict[tuple[str, str], dict[str, PointsBooked]] = {}

    def book(self, customer: Customer, booked: PointsBooked) -> None:
        own = self.rows.setdefault((customer.business_id, customer.customer_id), {})
        if booked.booking_id in own:
            raise ConcurrentChangeError
        self._customers.save([replace(customer, points_balance=booked.balance)], [])
        own[booked.booking_id] = booked

    def find(self, business_id: str, customer_id: str, booking_id: str) -> PointsBooked | None:
        return self.rows.get((business_id, customer_id), {}).get(booking_id)

    def before(self, business_id: str, customer_id: str, before: str | None, limit: int) -> Sequence[PointsBooked]:
        own = self.rows.get((business_id, customer_id), {})
        found = [own[id_] for id_ in sorted(own, reverse=True) if before is None or id_ < before]
        return found[:limit]

    def forget(self, business_id: str, customer_id: str) -> None:
        self.rows.pop((business_id, customer_id), None)


class MemoryCustomersPorts(MemoryBusinessesPorts):
    """Implements ``CustomersPorts``."""

    @cached_property
    def customers(self) -> MemoryCustomerBook:
        return MemoryCustomerBook(self.contacts)

    @cached_property
    def departures(self) -> MemoryDepartures:
        return MemoryDepartures()

    @cached_property
    def unforgotten(self) -> MemoryUnforgottenCustomers:
        return MemoryUnforgottenCustomers()

    @cached_property
    def forget_queue(self) -> MemoryForgetQueue:
        return MemoryForgetQueue(self.clock)

    @cached_property
    def profile_history(self) -> MemoryProfileHistory:
        return MemoryProfileHistory(self.customers)

    @cached_property
    def points_ledger(self) -> MemoryPointsLedger:
        return MemoryPointsLedger(self.customers)


def _place(customer: Customer, sort: str | None) -> tuple[str, str]:
    """What customers are sorted by."""
    by = {"name": folded(customer.full_name), "created": f"{customer.created_at.timestamp():020.6f}"}
    return by.get(sort or "", ""), customer.customer_id
