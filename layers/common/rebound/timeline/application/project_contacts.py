"""What follows from a change of a contact: the copies of its flag on customers, and the domain events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import ConsentStated, FlagChanged, HistoryEntry
from rebound.contacts.domain.reachability import ReachabilityPolicy
from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import (
    ConsentChanged,
    ContactInvalidated,
    ContactOptedIn,
    ContactOptedOut,
    ContactRestored,
    DomainEvent,
)
from rebound.kernel.pages import RowChange

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactHistory, ReplyBook
    from rebound.customers.ports import CustomerBook
    from rebound.timeline.application.forget_customers import ForgetCustomers
    from rebound.webhooks.application.publish_events import PublishEvents


class ProjectContacts(Struct, frozen=True, kw_only=True):
    """Follows the change stream of contacts, which is in order for each contact and delivered at least once."""

    customers: CustomerBook
    businesses: BusinessDirectory
    publish: PublishEvents
    history: ContactHistory
    replies: ReplyBook
    forget: ForgetCustomers

    def __call__(self, change: RowChange[Contact]) -> None:
        """Copy the flag to the customers; publish an event when the flag, or the consent to a scope, flipped.

        A flip of the flag goes into the history as well, and so does every statement about consent.

        With a customer who is deleted go their addresses in the message log and what single messages said to them;
        when nobody uses an address any more, the texts from it are forgotten.

        A customer has the flag from the moment of being linked to the contact: both are written in one transaction.

        The policy is read again after the copies are written. When it has changed, they are written again: otherwise a
        slow copy under the old policy could land after ``RecopyFlags`` has passed. For the same reason every change is
        copied, not only one that flips the flag: a change that comes again after a crash may flip nothing under the
        policy then in force, although its first attempt left copies made under the policy before.
        """
        history: list[HistoryEntry] = list(_statements(change))
        if change.after.key.is_hashed:
            # There is nobody left whom an event could be about.
            self.history.record(change.after.key, history)
            return
        removed = _removed(change)
        self._forget(change, removed)
        events: list[DomainEvent] = list(_turns_of_consent(change))
        business: Business | None = None
        # Who has the address is read to copy the flag, and not once more for the events.
        external_ids: dict[str, str | None] = {}
        if _may_be_invalid(change.before) or _may_be_invalid(change.after):
            try:
                business = self._copied(change.after, removed, external_ids)
            except NotFoundError:
                return
            history += _flips(change, business.policy)
            events += _marks(change, business.policy, removed)
        self.history.record(change.after.key, history)
        self.publish(events, change.at, business=business, external_ids=external_ids)

    def _forget(self, change: RowChange[Contact], removed: frozenset[str]) -> None:
        """Forget what goes with customers who were deleted, as far as they are not there again."""
        key = change.after.key
        if not removed:
            return
        if not change.after.is_used:
            self.replies.forget(key)
        deleted = removed.difference(self.customers.get_many(key.business_id, sorted(removed), as_of_now=True))
        self.forget.contents(key.business_id, deleted)
        self.forget.addresses(key, deleted)

    def _copied(self, contact: Contact, removed: frozenset[str], external_ids: dict[str, str | None]) -> Business:
        """Copy the flag; returns the settings with the policy that it was copied under, still in force afterwards.

        Customers who were ``removed`` may be there again, with a copy of the flag that their address had before. The
        client's ids of all who are read are added to ``external_ids``.
        """
        business = self.businesses.get(contact.key.business_id)
        while True:
            invalid = contact.verdict(business.policy).invalid
            for customer_id in sorted(contact.users | removed):
                customer = self.customers.copy_flag(contact.key, customer_id, invalid=invalid)
                external_ids[customer_id] = None if customer is None else customer.external_id
            now = self.businesses.get(contact.key.business_id)
            if now.policy == business.policy:
                return now
            business = now


def _may_be_invalid(contact: Contact | None) -> bool:
    """Whether any policy may find the contact invalid: only one with failures; most changes are of healthy contacts."""
    return contact is not None and bool(contact.reachability.failures)


def _statements(change: RowChange[Contact]) -> Iterator[ConsentStated]:
    """The new statements about consent, as far as each was the latest of its kind."""
    known = change.before.consent.statements if change.before is not None else frozenset()
    for statement in change.after.consent.statements - known:
        yield ConsentStated(statement)


def _removed(change: RowChange[Contact]) -> frozenset[str]:
    """The customers whom the change took out of the contact, as only a deletion does."""
    return frozenset() if change.before is None else change.before.customer_ids - change.after.customer_ids


def _was_invalid(change: RowChange[Contact], policy: ReachabilityPolicy) -> bool:
    return change.before is not None and change.before.verdict(policy).invalid


def _flips(change: RowChange[Contact], policy: ReachabilityPolicy) -> Iterator[FlagChanged]:
    """The change of the contact's flag, if there is one; an address that nobody uses any more keeps no flag."""
    verdict = change.after.verdict(policy)
    if not change.after.is_used or verdict.invalid == _was_invalid(change, policy):
        return
    if verdict.invalid and verdict.since is not None:
        yield FlagChanged(verdict.since, verdict.reason, change.change_id)
    else:
        yield FlagChanged(change.at, None, change.change_id)


def _marks(
    change: RowChange[Contact], policy: ReachabilityPolicy, removed: frozenset[str]
) -> Iterator[ContactInvalidated | ContactRestored]:
    """What the change means for customers: those whose address is invalid from now on, or is not any more.

    It says so of everybody once, because it is decided from the two states of the contact: customers come, leave and
    are deleted by writes of the contact too. Of those who leave a flagged address, ``freed`` has those who have no
    flag where they went. Who is deleted is not known as invalid any more, and may come again without a flag.
    """
    after, key = change.after, change.after.key
    before = change.before if change.before is not None else Contact(key)
    version = after.version or before.version + 1
    verdict, was_invalid = after.verdict(policy), _was_invalid(change, policy)
    restored = after.freed - before.freed
    if was_invalid:
        restored |= before.users & removed
        restored |= before.users & after.users if not verdict.invalid else frozenset()
    if restored:
        yield ContactRestored(key.business_id, key.channel, tuple(sorted(restored)), version, change.change_id)
    if verdict.reason is None or verdict.since is None:
        return
    invalidated = after.users - before.users if was_invalid else after.users
    if invalidated:
        customers = tuple(sorted(invalidated))
        yield ContactInvalidated(
            key.business_id, key.channel, customers, verdict.reason, verdict.since, version, change.change_id
        )


def _turns_of_consent(change: RowChange[Contact]) -> Iterator[ContactOptedOut | ContactOptedIn | ConsentChanged]:
    """One event for each scope that is opted out of now and was not before, or the other way round; one for all."""
    contact, key = change.after, change.after.key
    before = change.before.consent.opted_out if change.before is not None else ()
    for scope in Scope:
        statement = contact.consent.of(scope).ruling
        if statement is None or statement.opted_out is (scope in before):
            continue
        event = ContactOptedOut if statement.opted_out else ContactOptedIn
        yield event(
            key.business_id,
            key.channel,
            tuple(sorted(contact.customer_ids)),
            scope,
            statement.source,
            statement.at,
            contact.version,
            change.change_id,
        )
    was_confirmed = change.before is not None and change.before.consent.is_confirmed
    latest = max(_statements(change), key=lambda stated: stated.at, default=None)
    if latest is None or (contact.consent.opted_out, contact.consent.is_confirmed) == (before, was_confirmed):
        return
    yield ConsentChanged(
        key.business_id,
        key.channel,
        tuple(sorted(contact.customer_ids)),
        contact.consent.opted_out,
        contact.consent.is_confirmed,
        latest.statement.source,
        latest.at,
        contact.version,
        change.change_id,
    )
