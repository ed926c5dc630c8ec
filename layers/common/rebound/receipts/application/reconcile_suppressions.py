"""The nightly comparison of the provider's suppression list with our contacts; it repairs and counts differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.suppressions import Drift, Suppression, drift_of
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ComeAgainError, ConcurrentChangeError, NotOfferedError
from rebound.receipts.domain import Reconciliation

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.application import SuppressionListClient
    from rebound.contacts.ports import ContactBook
    from rebound.messages.application.record_evidence import RecordEvidence
    from rebound.messages.ports import MessageLog
    from rebound.receipts.ports import ReconciliationBook


class ReconcileSuppressions(Struct, frozen=True, kw_only=True):
    """Goes through the list page by page, and through the contacts of every business for each page.

    Addresses that no customer of ours uses are left alone: the account may send other mail. A repaired difference is no
    drift any more, so a run that starts over, or runs beside another, repairs only what is left.
    """

    businesses: BusinessDirectory
    contacts: ContactBook
    messages: MessageLog
    suppressions: SuppressionListClient
    book: ReconciliationBook
    record_evidence: RecordEvidence

    def __call__(self, run: str, budget: timedelta) -> Reconciliation:
        """Go on with a run while there is time; ``done`` says whether it is finished.

        Where there is no list for the account, the run is ``done`` and ``unavailable``, and nothing is compared. Raises
        ``NotAnsweredError`` when the list may not be asked.
        """
        until = self.suppressions.within(budget)
        work = self.book.get(run)
        business_ids = self.businesses.ids()
        while not work.done:
            repaired: Counter[Drift] = Counter()
            try:
                page = self.suppressions.page(work.cursor, until)
                remaining = self._repair(page.items, business_ids, until, repaired)
            except NotOfferedError:
                return replace(work, done=True, unavailable=True)
            except ComeAgainError:
                work = replace(work, drift=_sum(work, repaired))
                self.book.save(work)
                break
            work = replace(
                work,
                cursor=page.next_cursor,
                entries=work.entries + len(page.items),
                drift=_sum(work, repaired + remaining),
                done=page.next_cursor is None,
            )
            self.book.save(work)
        return work

    def _repair(
        self, entries: Sequence[Suppression], business_ids: Sequence[str], until: datetime, repaired: Counter[Drift]
    ) -> Counter[Drift]:
        """Repair one page, counting in ``repaired``; returns drift beyond repair, to count once the page is done."""
        remaining: Counter[Drift] = Counter()
        stale: dict[str, Suppression] = {}
        for business_id in business_ids:
            keys = [ContactKey.of(business_id, Channel.EMAIL, entry.address) for entry in entries]
            contacts = self.contacts.get_many(keys)
            for key, entry in zip(keys, entries, strict=True):
                drift = self._drift(contacts[key], entry)
                if drift is Drift.STALE_ENTRY:
                    stale[entry.address] = entry
                elif drift is Drift.COMPLAINT_BEFORE_OPT_IN:
                    remaining[drift] += 1
                elif drift is not None and self._told(contacts[key], entry):
                    repaired[drift] += 1
        for entry in stale.values():
            repaired[Drift.STALE_ENTRY] += self.suppressions.remove_entry(entry, until)
        return remaining

    def _drift(self, contact: Contact, entry: Suppression) -> Drift | None:
        if not contact.is_used:
            return None
        drift = drift_of(contact, entry)
        if drift is Drift.UNKNOWN_BOUNCE:
            # Deliveries to a healthy contact stand in the message log only.
            found = self.messages.deliveries(contact.key, contact.customer_ids, after=entry.at)
            drift = drift_of(contact, entry, max((delivery.at for delivery in found), default=None))
        return drift

    def _told(self, contact: Contact, entry: Suppression) -> bool:
        try:
            self.record_evidence(contact, [entry.evidence])
        except ConcurrentChangeError:
            # Others keep changing it; the next night finds it again.
            return False
        return True


def _sum(work: Reconciliation, more: Counter[Drift]) -> Counter[Drift]:
    return Counter(work.drift) + more
