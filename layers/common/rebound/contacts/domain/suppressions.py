"""What the provider's suppression list says about an address, and where the list differs from what we know.

An entry is evidence like any other: BOUNCE speaks of the address, COMPLAINT of consent, both at the entry's own date.
That a message was *not tried* because of an entry proves nothing by itself; the entry's reason does.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Failure, Reachability
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import Provider

LISTED_BOUNCE: Final = "SuppressionList/BOUNCE"
"""Our own name in the code table for a BOUNCE entry of SES's account suppression list."""
_HARD_BOUNCES: Final = frozenset({LISTED_BOUNCE, "Permanent/General", "Permanent/NoEmail"})
"""SES puts an address on the list after one of these failures, so the entry adds nothing to them."""


class SuppressionReason(StrEnum):
    """Why an address is on the list, as SES spells it."""

    BOUNCE = "BOUNCE"
    """A message bounced for good. We judge that ourselves, so such an entry may go."""
    COMPLAINT = "COMPLAINT"
    """A recipient marked a message as spam, which only they can take back: such an entry is never removed."""


class Suppression(Struct, frozen=True):
    """One entry of the list; ``address`` is exactly as spelled there, ``at`` is when it was last put there."""

    address: str
    reason: SuppressionReason
    at: datetime

    @property
    def evidence(self) -> Failure | ConsentEvidence:
        """What the entry says about every contact with its address; equal whenever and wherever the entry is read."""
        if self.reason is SuppressionReason.BOUNCE:
            return Failure(self.at, None, Provider.SES, LISTED_BOUNCE)
        return ConsentEvidence(self.at, Scope.MARKETING, opted_out=True, source=ConsentSource.COMPLAINT)


def rests_on_an_entry(reachability: Reachability) -> bool:
    """Whether an entry of the list is among the failures of the address."""
    return any(failure.code == LISTED_BOUNCE for failure in reachability.failures)


class Drift(StrEnum):
    """How an entry and what we know of the same address differ."""

    STALE_ENTRY = "stale_entry"
    """A BOUNCE entry of an address that was reached, edited or confirmed since: to be removed."""
    UNKNOWN_BOUNCE = "unknown_bounce"
    """A BOUNCE entry of an address without a known hard bounce: the entry's evidence joins the contact's."""
    UNKNOWN_COMPLAINT = "unknown_complaint"
    """A COMPLAINT entry of somebody who still got marketing: the entry's evidence joins the contact's."""
    COMPLAINT_BEFORE_OPT_IN = "complaint_before_opt_in"
    """A COMPLAINT entry of somebody who has opted in since: only a person at the provider can settle it."""


def drift_of(contact: Contact, entry: Suppression, delivered_at: datetime | None = None) -> Drift | None:
    """How the entry and the contact with its address contradict each other; ``None`` when they agree.

    ``delivered_at`` is the latest delivery in the message log: a healthy contact's row does not hold its deliveries.
    """
    if entry.reason is SuppressionReason.BOUNCE:
        cleared = contact.reachability.cleared
        if any(at is not None and at >= entry.at for at in (delivered_at, cleared.at if cleared is not None else None)):
            return Drift.STALE_ENTRY
        known = any(failure.code in _HARD_BOUNCES for failure in contact.reachability.failures)
        return None if known else Drift.UNKNOWN_BOUNCE
    if {Scope.ALL, Scope.MARKETING}.intersection(contact.consent.opted_out):
        # Either opt-out keeps marketing back.
        return None
    still_out = Scope.MARKETING in contact.with_evidence(entry.evidence).consent.opted_out
    return Drift.UNKNOWN_COMPLAINT if still_out else Drift.COMPLAINT_BEFORE_OPT_IN
