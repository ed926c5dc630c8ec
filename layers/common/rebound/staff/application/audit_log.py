"""The audit log: who did what in the console, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.staff.domain import AuditEntry

if TYPE_CHECKING:
    from rebound.platform.ports import Clock, Ids
    from rebound.staff.domain import ObjectKey, StaffMember
    from rebound.staff.ports import AuditBook

LOOKED_THROUGH: Final = 500
"""Entries of which those of a person or a kind are picked out for one page: as many as one request gives."""
SAME_WORK: Final = timedelta(minutes=10)
"""Within it, the same again is the same piece of work."""
MAX_NAME: Final = 200
MAX_DETAIL: Final = 200
"""Characters of each detail; what is longer is cut."""
MOST_DETAILS: Final = 60
"""Values of one detail."""


class AuditPage(Struct, frozen=True):
    """Some entries, the newest first. ``earlier`` is the entry before which the list goes on; ``None`` at its end.

    Where some are picked out, a page can be empty and yet not the last.
    """

    entries: Sequence[AuditEntry]
    earlier: str | None = None


class AuditLog(Struct, frozen=True, kw_only=True):
    """Writes down what was done, and lists it. A business and the operators have a log each."""

    audit: AuditBook
    clock: Clock
    ids: Ids

    def write(
        self,
        who: StaffMember,
        did: str,
        *,
        object_id: str | None = None,
        name: str | None = None,
        details: Mapping[str, Sequence[str]] | None = None,
        once: bool = False,
    ) -> None:
        """Write down what somebody has done just now. ``did`` is as ``AuditEntry`` has it.

        With ``once`` nothing is written while the newest entry of the same thing says the same of the same person and
        is young: for a form that was sent twice, and for what a page saves by itself.
        """
        now = self.clock.now()
        entry = AuditEntry(
            entry_id=self.ids.ulid(now),
            at=now,
            member_id=who.member_id,
            email=who.email,
            did=did,
            object_id=object_id,
            name=name[:MAX_NAME] if name else None,
            details={
                key: [value[:MAX_DETAIL] for value in values[:MOST_DETAILS]]
                for key, values in (details or {}).items()
                if values
            },
        )
        if once and self._is_same_work(who.business_id, entry):
            return
        self.audit.add(who.business_id, entry)

    def page(
        self,
        business_id: str | None,
        limit: int,
        before: str | None = None,
        *,
        member_id: str | None = None,
        kind: str | None = None,
    ) -> AuditPage:
        """What was done, before an entry; by one person alone, or to one kind of thing, where these are given.

        ``business_id`` is ``None`` for what operators did.
        """
        if member_id is None and kind is None:
            return _page(self.audit.newest(business_id, limit + 1, before), limit)
        found = self.audit.newest(business_id, LOOKED_THROUGH, before)
        wanted = [each for each in found if member_id in (None, each.member_id) and kind in (None, each.kind)]
        page = _page(wanted, limit)
        if page.earlier is None and len(found) == LOOKED_THROUGH:
            return AuditPage(page.entries, found[-1].entry_id)
        return page

    def of(self, business_id: str | None, of: ObjectKey, limit: int, before: str | None = None) -> AuditPage:
        """What was done to one thing, before an entry."""
        return _page(self.audit.newest(business_id, limit + 1, before, of=of), limit)

    def _is_same_work(self, business_id: str | None, entry: AuditEntry) -> bool:
        if entry.object_key is None:
            return False
        return any(
            (each.did, each.member_id) == (entry.did, entry.member_id) and entry.at - each.at < SAME_WORK
            for each in self.audit.newest(business_id, 1, of=entry.object_key)
        )


def _page(found: Sequence[AuditEntry], limit: int) -> AuditPage:
    shown = found[:limit]
    return AuditPage(shown, shown[-1].entry_id if len(found) > limit else None)
