"""A contact: one address on one channel of one business, with everything known about it."""

from __future__ import annotations

from collections.abc import Collection
from copy import replace
from datetime import datetime
from typing import Final

from msgspec import Struct, field

from rebound.consent.domain.consent import Consent, ConsentEvidence
from rebound.contacts.domain import recovery
from rebound.contacts.domain.reachability import Evidence, Reachability, ReachabilityPolicy, Verdict
from rebound.kernel.channels import ContactKey

MAX_CUSTOMERS_PER_CONTACT = 500
"""So many customers may share an address; more is a placeholder ("none@example.com"), not a contact."""


class Contact(Struct, frozen=True):
    """Two independent states of one address, reachability and consent, and the customers who use or used it.

    ``customer_ids`` only ever grows by use: a customer who has moved to another address stays listed, because what was
    sent to them before still speaks about this one. Only a deletion takes customers out. ``version`` grows with each
    write of the stored row and is never used again after the row has gone; 0 for none yet.

    An address that nobody uses or used any more is not kept. What its owner said about consent outlives it under the
    hash of the address, without customers and failures, and is joined to whoever comes with the address again;
    ``remembered`` is the version of that row, 0 when there is none.
    """

    key: ContactKey
    reachability: Reachability = field(default_factory=Reachability)
    consent: Consent = field(default_factory=Consent)
    customer_ids: frozenset[str] = frozenset()
    version: int = 0
    remembered: int = 0

    @property
    def is_used(self) -> bool:
        """Whether there is a customer who uses or used the address."""
        return bool(self.customer_ids)

    def without(self, customer_ids: Collection[str]) -> Contact:
        """This contact after some customers have been deleted."""
        return replace(self, customer_ids=self.customer_ids.difference(customer_ids))

    def with_evidence(self, *evidence: Evidence | ConsentEvidence) -> Contact:
        """This contact with more evidence; the same object when the evidence changes nothing."""
        reachability = self.reachability.join(*(e for e in evidence if not isinstance(e, ConsentEvidence)))
        consent = self.consent.join(*(e for e in evidence if isinstance(e, ConsentEvidence)))
        if reachability == self.reachability and consent == self.consent:
            return self
        return replace(self, reachability=reachability, consent=consent)

    def verdict(self, policy: ReachabilityPolicy) -> Verdict:
        """The invalid flag under the business's policy."""
        return self.reachability.verdict(policy)

    def next_try_at(self, policy: ReachabilityPolicy) -> datetime | None:
        """When a flagged address may be tried again; ``None`` when it is not flagged, or for good (``recovery``)."""
        return recovery.next_try_at(self.reachability, policy)


FAILED_VALUES: Final = ("phone", "email", "any", "both")
