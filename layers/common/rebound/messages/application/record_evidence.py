"""Joining evidence to a contact, together with the deliveries that only the message log knows of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Evidence, Failure
from rebound.kernel.errors import ConcurrentChangeError

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook
    from rebound.messages.ports import MessageLog

ATTEMPTS: Final = 8
"""How many times a contact is read and written when others write it at the same time."""


class RecordEvidence(Struct, frozen=True, kw_only=True):
    """Joins evidence to a contact.

    A delivery to a contact without failures is not written: there is nothing to clear, and a million deliveries would
    be a million writes. Before a failure is written, the deliveries in the message log are therefore looked up. They
    are looked up again after the write: a delivery that is applied at the same time may have read the contact before
    our write, and written its row of the log after our first look.
    """

    messages: MessageLog
    contacts: ContactBook

    def __call__(
        self, contact: Contact, evidence: Sequence[Evidence | ConsentEvidence], senders: Iterable[str] = ()
    ) -> None:
        """Join evidence. Deliveries to the customers ``senders`` count too, besides those to customers of the contact.

        Raises ``ConcurrentChangeError`` when others keep changing the contact.
        """
        failures = [each for each in evidence if isinstance(each, Failure)]
        customer_ids = set(senders)
        for _ in range(ATTEMPTS):
            deliveries = self._deliveries(contact, customer_ids, failures)
            learnt = contact.with_evidence(*evidence, *deliveries)
            # When nobody uses the address any more, only the consent is kept.
            if not contact.is_used or not (failures or contact.reachability.failures):
                learnt = replace(learnt, reachability=contact.reachability)
            if learnt == contact:
                return
            try:
                self.contacts.save(learnt)
            except ConcurrentChangeError:
                contact = self.contacts.get_many([contact.key])[contact.key]
                continue
            if not learnt.reachability.failures:
                return
            # The second look, against what is stored now.
            contact = self.contacts.get_many([contact.key])[contact.key]
        raise ConcurrentChangeError

    def _deliveries(self, contact: Contact, senders: set[str], failures: Sequence[Failure]) -> Iterable[Evidence]:
        """Deliveries that could outdate the oldest of the failures."""
        if not failures:
            return ()
        oldest = min(failure.at for failure in failures)
        found = self.messages.deliveries(contact.key, contact.customer_ids | senders, after=oldest)
        return [Cleared(delivery.at, ClearedBy.DELIVERY, delivery.message_id) for delivery in found]
