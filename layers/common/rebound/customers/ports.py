"""What the use cases of customers need from outside."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from rebound.businesses.domain.business import Business
from rebound.businesses.ports import BusinessesPorts
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer, FormUse, PageMatcher, PointsBooked, ProfileEvent, Question
from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page


class CustomerBook(Protocol):
    """The customers of all businesses."""

    def get(self, business_id: str, customer_id: str) -> Customer:
        """Strongly consistent. Raises ``NotFoundError``."""

    def get_many(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, Customer]:
        """The existing customers of any number of ids; eventually consistent, at half price, unless ``as_of_now``."""

    def external_ids(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, str | None]:
        """Those of the existing customers, as ``get_many``, without making profiles of what is read."""

    def save(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """Write customers and contacts in one transaction: all or nothing, at most 100 rows, none twice.

        A contact that is not stored yet takes two rows: its own, and the one that remembers the consent of its address.
        Raises ``ConcurrentChangeError`` unless each stored row still is as it was read (``version``).
        """

    def retag(self, before: Customer, after: Customer) -> Customer:
        """Write the tags of an edited customer, and nothing else of them but that they were edited; as stored then.

        For half of what ``save`` takes, because nothing is written with it. Raises ``ConcurrentChangeError`` unless the
        stored row still is as it was ``before``.
        """

    def delete(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """Remove customers and take them out of their contacts, in one transaction within the limits of ``save``.

        A contact without customers is removed too, and takes two rows when its consent is remembered.
        """

    def page(
        self,
        business_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        matching: PageMatcher | None = None,
        looks: Sequence[int] | None = None,
    ) -> Page[Customer]:
        """The customers that match, sorted by id; ``looks`` says how many are looked at by each request, in order.

        Reads on until ``limit`` are found, all customers are read, or the answer should not wait any longer. In the
        last case the page is short or empty, and still has a cursor.
        """

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
        """The customers that a question is about, of a business whose index is filled (``fill_index``).

        Sorted by name or creation if that is asked, else in an order of the index; strongly consistent. Makes at most
        four requests, three for more than 50 customers, however many customers there are, and pages are full while
        there is more: only where several words are so short, or so common and found so seldom together, that thousands
        of names in a row have not all of them, a page is short and has a cursor. A cursor belongs to its question.

        With ``matching``, only those found who match as well; then pages may be short or empty, as those of ``page``.
        They are looked for in ``requests``, where that is given.
        """

    def fill_index(self, customers: Sequence[Customer]) -> None:
        """Write what the index has of customers who may have been written before there was one."""

    def forget(self, customer: Customer) -> None:
        """Remove what the index still has of a customer who is deleted."""

    def read_range(self, business_id: str, first: str, last: str, after: str | None, limit: int) -> Sequence[Customer]:
        """Up to ``limit`` customers of an id range (inclusive), after an id; shorter than ``limit`` only at the end."""

    def copy_flag(self, key: ContactKey, customer_id: str, *, invalid: bool) -> Customer | None:
        """Copy a contact's flag to a customer who still has that address; does nothing to anybody else.

        The customer as they were read before; ``None`` when there is no such customer.
        """

    def choose(self, business_id: str, customer_id: str, *, favourite: bool) -> None:
        """Make the customer a favourite, or none any more; this is no edit. Raises ``NotFoundError``."""


class CustomerTransactions(Protocol):
    """Lets the owners of other tables write customers and contacts in the same transaction."""

    def save_within(
        self, writes: Any, customers: Sequence[Customer], contacts: Sequence[Contact], others: int = 0
    ) -> None:
        """``CustomerBook.save`` as a part of a larger transaction, which has ``others`` rows besides."""

    def delete_within(self, writes: Any, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """``CustomerBook.delete`` as a part of a larger transaction."""

    def exists_within(self, writes: Any, business_id: str, customer_id: str) -> None:
        """Let a larger transaction fail unless the customer is there; a row of it."""


class ProfileTransactions(Protocol):
    """Lets the owners of other tables note what happened with profiles in the same transaction."""

    def note_within(self, writes: Any, business_id: str, customer_id: str, event: ProfileEvent) -> None:
        """Keep an event; a row of the transaction."""


class Departures(Protocol):
    """Who was deleted, by the hashes of the addresses that they had; kept for as long as their messages are."""

    def note(self, customers: Collection[Customer], at: datetime) -> None:
        """Note that customers leave all their addresses, those of before included; to be called before the deletion."""

    def since(self, key: ContactKey, at: datetime) -> Collection[str]:
        """The ids of customers who have left an address by a deletion at a time or later; strongly consistent."""


Eraser = Callable[[Customer], None]
"""Erases what one capability keeps of a customer who was deleted; may be called again at any time."""


ProfileLock = Callable[[Customer, Business], bool]
"""Whether a customer's profile is theirs for another reason than their claim; reads nothing where it is off."""


class UnforgottenCustomers(Protocol):
    """Customers who were deleted, and of whom not everything could be erased yet."""

    def keep(self, customer: Customer) -> None:
        """Keep the profile until all is erased; also when it is kept already."""

    def find(self, business_id: str, customer_id: str) -> Customer | None:
        """The profile as it was kept; strongly consistent."""

    def remove(self, customer: Customer) -> None:
        """All is erased; does nothing when the profile is not kept."""


class ForgetQueue(Protocol):
    """Ids of customers of whom something is left to erase."""

    def put(self, business_id: str, customer_id: str) -> None:
        """Enqueue; may deliver twice."""


class ProfileHistory(Protocol):
    """What happened with each profile, kept as long as the customer."""

    def save(
        self,
        customers: Sequence[Customer],
        contacts: Sequence[Contact],
        events: Mapping[str, Sequence[ProfileEvent]],
        *,
        form: FormUse | None = None,
    ) -> None:
        """``CustomerBook.save`` with events by customer id, all of one business, and a use of a form, all or nothing.

        Raises ``ConcurrentChangeError`` as ``save`` does, and when the form was used up.
        """

    def note(self, business_id: str, events: Mapping[str, Sequence[ProfileEvent]]) -> None:
        """Write events by customer id, of what needs no change of a profile."""

    def form(self, business_id: str, customer_id: str, message_id: str) -> FormUse | None:
        """How far the form behind a message's link was filled in; ``None`` if it was not (strongly consistent)."""

    def before(self, business_id: str, customer_id: str, place: str | None, limit: int) -> Sequence[ProfileEvent]:
        """Up to ``limit`` events, newest first: those before ``place``, or all if it is ``None``."""

    def forget(self, business_id: str, customer_id: str, *, before: datetime | None = None) -> None:
        """Remove what is kept of a customer, all or what was ``before`` a time; again changes nothing."""


class PointsLedger(Protocol):
    """The bookings of points, each beside the balance that it leaves on the customer."""

    def book(self, customer: Customer, booked: PointsBooked) -> None:
        """Write a booking and the customer's new balance, both or none.

        Raises ``ConcurrentChangeError`` when the customer is not as read, or when the booking is there already.
        """

    def find(self, business_id: str, customer_id: str, booking_id: str) -> PointsBooked | None:
        """A booking; strongly consistent."""

    def before(self, business_id: str, customer_id: str, before: str | None, limit: int) -> Sequence[PointsBooked]:
        """The newest bookings whose ids sort before one, newest first."""

    def forget(self, business_id: str, customer_id: str) -> None:
        """Remove all bookings of a customer."""


class CustomersPorts(BusinessesPorts, Protocol):
    """What the use cases of customers need from outside."""

    @property
    def customers(self) -> CustomerBook: ...

    @property
    def departures(self) -> Departures: ...

    @property
    def unforgotten(self) -> UnforgottenCustomers: ...

    @property
    def forget_queue(self) -> ForgetQueue: ...

    @property
    def profile_history(self) -> ProfileHistory: ...

    @property
    def points_ledger(self) -> PointsLedger: ...
