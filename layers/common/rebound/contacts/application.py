"""Calls to the provider's suppression list, within the rate that it allows; joining the contacts of one phone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.contacts.domain.suppressions import Suppression, SuppressionReason
from rebound.kernel.errors import ComeAgainError, NotAnsweredError, NotOfferedError
from rebound.kernel.pages import Page
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook, SuppressionList
    from rebound.kernel.channels import ContactKey
    from rebound.platform.ports import Clock

JOINED_AT_A_TIME: Final = 100
"""Contacts looked at between two questions whether there is time."""


class JoinedNumbers(Struct, frozen=True):
    """How many contacts were looked at and joined; with a cursor there are more, without one it is done."""

    looked_at: int
    joined: int
    cursor: str | None


class JoinNumbers(Struct, frozen=True, kw_only=True):
    """Joins what is kept of one phone under two spellings of its number, once, after an update that asks for it.

    It is found under both without that; this only makes the reads shorter, and flags what only both together flag.
    Running it again changes nothing.
    """

    contacts: ContactBook

    def __call__(self, cursor: str | None, may_go_on: Callable[[], bool]) -> JoinedNumbers:
        """Go on from a cursor. Raises ``InvalidInputError`` when it is none of ours."""
        looked_at = joined = 0
        while True:
            page = self.contacts.in_use(cursor, JOINED_AT_A_TIME)
            looked_at += len(page.items)
            for key in dict.fromkeys(key for key in page.items if key.former is not None):
                joined += retried(partial(self._join, key))
            cursor = page.next_cursor
            if cursor is None or not may_go_on():
                return JoinedNumbers(looked_at, joined, cursor)

    def _join(self, key: ContactKey) -> bool:
        contact = self.contacts.get_many([key])[key]
        if contact.joined:
            self.contacts.save(contact)
        return bool(contact.joined)


CALL_EVERY: Final = timedelta(seconds=1)
"""SES v2 accepts about one call a second, over all operations that do not send."""
INTERACTIVE_BUDGET: Final = timedelta(seconds=3)
"""How long a person who edits an address may be kept waiting; enough for a look-up and a removal."""
FEW: Final = 3
"""For more addresses than this, one call for the first page of the list is tried before one call for each address."""


class SuppressionListClient(Struct, kw_only=True):
    """Looks addresses up and removes BOUNCE entries, one call a second, until a deadline that the caller sets.

    When the time does not suffice, ``ComeAgainError`` is raised; an answer about many addresses leaves out those that
    were not reached. What the provider refuses for good raises ``NotAnsweredError``.

    In SES's sandbox, where nobody may ask, no entry is known of any address: look-ups answer so, and for ``page`` and
    whoever wants to remove something ``NotOfferedError`` is raised, which is reported like a refusal.
    """

    suppressions: SuppressionList
    clock: Clock
    missed: Callable[[str], None]
    """Reports to the operator, in a word without personal data, why a BOUNCE entry could not be removed."""
    called_at: datetime | None = None
    """When the service was last called."""

    def within(self, budget: timedelta) -> datetime:
        """The deadline of a caller that can wait for ``budget`` from now on."""
        return self.clock.now() + budget

    def find(self, address: str, until: datetime) -> Sequence[Suppression]:
        """The entries of an address as it is spelled and in lower case, because the list tells spellings apart."""
        try:
            return self._entries(address, until)
        except NotOfferedError:
            return []

    def find_all(self, addresses: Iterable[str], until: datetime) -> Mapping[str, Sequence[Suppression]]:
        """The entries of each address that could be looked up in time."""
        wanted = list(dict.fromkeys(addresses))
        answers: dict[str, Sequence[Suppression]] = {}
        try:
            listed = self._whole_list(until) if len(wanted) > FEW else None
            for address in wanted:
                answers[address] = self.find(address, until) if listed is None else listed[address.lower()]
        except NotOfferedError:
            return dict.fromkeys(wanted, ())
        except ComeAgainError:
            pass
        return answers

    def clear(self, addresses: Iterable[str], budget: timedelta) -> set[str]:
        """Remove the BOUNCE entries of addresses; returns the addresses for which there was no time.

        A refusal is reported to the operator, and no address is returned: the nightly reconciliation repairs it.
        """
        wanted = set(addresses)
        try:
            return wanted - self.remove_all(sorted(wanted), self.within(budget))
        except NotAnsweredError as refusal:
            self.missed(str(refusal))
            return set()

    def clear_at_once(self, address: str) -> None:
        """Remove the BOUNCE entries of an address within ``INTERACTIVE_BUDGET``, or report to the operator."""
        if self.clear([address], INTERACTIVE_BUDGET):
            self.missed("no time")

    def remove_bounces(self, address: str, until: datetime) -> int:
        """Remove the BOUNCE entries of an address, never a COMPLAINT; returns how many there were.

        The reasons are read right before, because a complaint may have come since an entry was last seen.
        """
        bounces = [entry for entry in self._entries(address, until) if entry.reason is SuppressionReason.BOUNCE]
        for entry in bounces:
            self._call(until, self.suppressions.remove, entry.address)
        return len(bounces)

    def remove_entry(self, entry: Suppression, until: datetime) -> bool:
        """Remove one BOUNCE entry if it is still as it was seen; returns whether it was removed."""
        if self._call(until, self.suppressions.get, entry.address) != entry:
            return False
        if entry.reason is not SuppressionReason.BOUNCE:
            return False
        self._call(until, self.suppressions.remove, entry.address)
        return True

    def remove_all(self, addresses: Iterable[str], until: datetime) -> set[str]:
        """Remove the BOUNCE entries of addresses; returns the addresses that are known to have none (any more)."""
        wanted = list(dict.fromkeys(addresses))
        free: set[str] = set()
        try:
            if len(wanted) > FEW and (listed := self._whole_list(until)) is not None:
                free = {address for address in wanted if not listed[address.lower()]}
            for address in wanted:
                if address not in free:
                    self.remove_bounces(address, until)
                    free.add(address)
        except ComeAgainError:
            pass
        return free

    def page(self, cursor: str | None, until: datetime) -> Page[Suppression]:
        """A page of the list."""
        return self._call(until, self.suppressions.page, cursor)

    def _entries(self, address: str, until: datetime) -> Sequence[Suppression]:
        found = [self._call(until, self.suppressions.get, spelling) for spelling in _spellings(address)]
        return [entry for entry in found if entry is not None]

    def _whole_list(self, until: datetime) -> Mapping[str, Sequence[Suppression]] | None:
        """The list by address in lower case; ``None`` when it is longer than one page, which would take too long."""
        page = self.page(None, until)
        if page.next_cursor is not None:
            return None
        listed: defaultdict[str, list[Suppression]] = defaultdict(list)
        for entry in page.items:
            listed[entry.address.lower()].append(entry)
        return listed

    def _call[T, A](self, until: datetime, call: Callable[[A], T], about: A) -> T:
        while True:
            now = self.clock.now()
            due = now if self.called_at is None else max(now, self.called_at + CALL_EVERY)
            if due >= until:
                raise ComeAgainError
            if due > now:
                self.clock.wait(due - now)
            self.called_at = self.clock.now()
            try:
                return call(about)
            except ComeAgainError:
                # Other callers share the account's rate.
                continue


def _spellings(address: str) -> Sequence[str]:
    return list(dict.fromkeys((address, address.lower())))
