"""What the use cases of customers need from outside."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rebound.businesses.ports import BusinessesPorts
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer, Matcher
from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page


class CustomerBook(Protocol):
    """The customers of all businesses."""

    def get(self, business_id: str, customer_id: str) -> Customer:
        """Strongly consistent. Raises ``NotFoundError``."""

    def get_many(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, Customer]:
        """Those that exist, by id, any number; eventually consistent, for half the price, unless ``as_of_now``."""

    def save(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """Write customers and contacts in one transaction: all or nothing, at most 100 rows, none twice.

        A contact that is not stored yet takes two rows, because it makes sure of what is remembered of its address.
        Each row must still be as it was read (``version``). Raises ``ConcurrentChangeError`` otherwise.
        """

    def delete(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """Remove profiles, and write their contacts without them, in one transaction with the limits of ``save``.

        A contact that nobody uses any more goes too, and takes two rows when its consent is remembered.
        """

    def page(
        self, business_id: str, *, limit: int, cursor: str | None = None, matching: Matcher | None = None
    ) -> Page[Customer]:
        """Customers by id, of those only the ones that match.

        Reads on until ``limit`` are found, all are seen, or so many have been looked at that the answer should not wait
        any longer; then the page is short, or empty, and has a cursor all the same.
        """

    def read_range(self, business_id: str, first: str, last: str, after: str | None, limit: int) -> Sequence[Customer]:
        """Up to ``limit`` customers of an id range (inclusive), after an id; shorter than ``limit`` only at the end."""

    def copy_flag(self, key: ContactKey, customer_id: str, *, invalid: bool) -> None:
        """Copy a contact's flag to a customer who still has that address; does nothing to anybody else."""


class CustomerTransactions(Protocol):
    """Lets the owners of other tables write customers and contacts in the same transaction."""

    def save_within(
        self, writes: Any, customers: Sequence[Customer], contacts: Sequence[Contact], others: int = 0
    ) -> None:
        """``CustomerBook.save`` as a part of a larger transaction, which has so many ``others``."""

    def delete_within(self, writes: Any, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """``CustomerBook.delete`` as a part of a larger transaction."""


class CustomersPorts(BusinessesPorts, Protocol):
    """What the use cases of customers need from outside."""

    @property
    def customers(self) -> CustomerBook: ...
