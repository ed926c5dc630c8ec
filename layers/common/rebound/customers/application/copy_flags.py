"""Copying flags to customers, as the contacts and the policy in force say, and checking the copies afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Recopying
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import ReachabilityPolicy
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory, RecopyQueue
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook


class CopyFlags(Struct, frozen=True, kw_only=True):
    """Copies flags to given customers of one business.

    A flag follows from a contact and a policy, and both may change before the flag is written. Policy and contacts are
    therefore read once more *after* the writes, and flags that they now contradict are written again. The flags at the
    end were right at a moment after the last write. Changes after that moment are followed up elsewhere: those of a
    contact by ``project_contacts``, those of the policy by a copying of their own.
    """

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory

    def __call__(self, business_id: str, customers: Sequence[Customer]) -> ReachabilityPolicy:
        """Copy the flags that differ from those on ``customers`` as read; the policy that was in force at the end.

        Raises ``NotFoundError`` when there is no such business.
        """
        copied = {
            (key, customer.customer_id): _flag(customer, key.channel)
            for customer in customers
            for key in customer.contact_keys
        }
        while True:
            policy = self.businesses.get(business_id).policy
            verdicts = self._verdicts({key for key, _ in copied}, policy)
            wrong = {copy: verdicts[copy[0]] for copy, flag in copied.items() if flag != verdicts[copy[0]]}
            if not wrong:
                return policy
            for (key, customer_id), invalid in wrong.items():
                self.customers.copy_flag(key, customer_id, invalid=invalid)
            copied |= wrong

    def _verdicts(self, keys: set[ContactKey], policy: ReachabilityPolicy) -> dict[ContactKey, bool]:
        return {key: contact.verdict(policy).invalid for key, contact in self.contacts.get_many(keys).items()}


def with_flags(customer: Customer, contacts: Mapping[ContactKey, Contact], policy: ReachabilityPolicy) -> Customer:
    """The customer with the flags of their contacts; ``contacts`` must have all of these."""
    invalid = {key.channel: contacts[key].verdict(policy).invalid for key in customer.contact_keys}
    return replace(
        customer, failed_email=invalid.get(Channel.EMAIL, False), failed_phone=invalid.get(Channel.SMS, False)
    )


def _flag(customer: Customer, channel: Channel) -> bool:
    return customer.failed_email if channel is Channel.EMAIL else customer.failed_phone


PAGE: Final = 100
"""Customers in memory at a time."""


class RecopyFlags(Struct, frozen=True, kw_only=True):
    """Pages through the customers of a business, and writes only flags that differ; or the index that finds them."""

    customers: CustomerBook
    businesses: BusinessDirectory
    queue: RecopyQueue
    copy_flags: CopyFlags

    def __call__(self, work: Recopying, may_go_on: Callable[[], bool]) -> None:
        """Copy while ``may_go_on``, at least one page; the rest is enqueued with its cursor.

        After the last page, a new copying is enqueued if the policy has changed since the first page was copied.
        """
        if work.fills:
            self._fill(work, may_go_on)
            return
        try:
            began_under = work.began_under or self.businesses.get(work.business_id).policy
            cursor = work.cursor
            while True:
                page = self.customers.page(work.business_id, limit=PAGE, cursor=cursor)
                policy = self.copy_flags(work.business_id, page.items)
                cursor = page.next_cursor
                if cursor is None:
                    break
                if not may_go_on():
                    self.queue.put(Recopying(work.business_id, cursor, began_under))
                    return
        except NotFoundError:
            # The business is gone, and nobody reads its lists.
            return
        if policy != began_under:
            self.queue.put(Recopying(work.business_id))

    def _fill(self, work: Recopying, may_go_on: Callable[[], bool]) -> None:
        """Write the index of everybody, then say so in the settings. Done twice, or beside edits, it is the same."""
        cursor = work.cursor
        while True:
            page = self.customers.page(work.business_id, limit=PAGE, cursor=cursor)
            self.customers.fill_index(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
            if not may_go_on():
                self.queue.put(replace(work, cursor=cursor))
                return
        with suppress(NotFoundError):
            retried(lambda: self._say_filled(work.business_id))

    def _say_filled(self, business_id: str) -> None:
        business = self.businesses.get(business_id)
        if not business.customers_indexed:
            self.businesses.replace(replace(business, customers_indexed=True))
