"""What follows from a change of a contact: the copies of its flag on customers, and the domain events."""

from dataclasses import dataclass

from rebound.application.ports import BusinessDirectory, CustomerBook, DomainEvents
from rebound.domain.contacts import Contact
from rebound.domain.errors import NotFoundError
from rebound.domain.events import ContactInvalidated, ContactRestored, DomainEvent
from rebound.domain.reachability import ReachabilityPolicy, Verdict


@dataclass(frozen=True, slots=True)
class ContactChange:
    """A contact before (``None`` when it is new) and after one write."""

    before: Contact | None
    after: Contact


class ProjectContacts:
    """Follows the change stream of contacts, which is in order for each contact and delivered at least once."""

    def __init__(self, customers: CustomerBook, businesses: BusinessDirectory, events: DomainEvents) -> None:
        self._customers = customers
        self._businesses = businesses
        self._events = events

    def __call__(self, change: ContactChange) -> None:
        """Copy the flag to the customers and tell the world when it flipped.

        A customer who is linked to the contact has had the flag since then: both are written in one transaction.

        The policy is read again after the copies are written, and they are written again when it has changed: else a
        slow copy under an old policy could land after ``RecopyFlags`` has been there. For the same reason every change
        is copied, not only one that flips: a change that comes again after a death may flip nothing under the policy
        that is in force by then, and have left copies of the policy before.
        """
        if not (_may_be_invalid(change.before) or _may_be_invalid(change.after)):
            return
        contact = change.after
        try:
            policy = self._copied(contact)
        except NotFoundError:
            return
        verdict = contact.verdict(policy)
        if verdict.invalid != (change.before is not None and change.before.verdict(policy).invalid):
            self._events.publish([_event(contact, verdict)])

    def _copied(self, contact: Contact) -> ReachabilityPolicy:
        """Copy the flag; the policy under which it was copied and which was still in force afterwards."""
        policy = self._businesses.get(contact.key.business_id).policy
        while True:
            invalid = contact.verdict(policy).invalid
            for customer_id in sorted(contact.customer_ids):
                self._customers.copy_flag(contact.key, customer_id, invalid=invalid)
            now = self._businesses.get(contact.key.business_id).policy
            if now == policy:
                return policy
            policy = now


def _may_be_invalid(contact: Contact | None) -> bool:
    """Without a failure no policy can find a contact invalid; most changes are those of healthy ones."""
    return contact is not None and bool(contact.reachability.failures)


def _event(contact: Contact, verdict: Verdict) -> DomainEvent:
    key, customers = contact.key, tuple(sorted(contact.customer_ids))
    if verdict.reason is None or verdict.since is None:
        return ContactRestored(key.business_id, key.channel, customers, contact.version)
    return ContactInvalidated(key.business_id, key.channel, customers, verdict.reason, verdict.since, contact.version)
