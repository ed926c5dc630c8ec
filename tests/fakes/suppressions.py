"""The provider's suppression list in memory, with its rate."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from rebound.contacts.application import SuppressionDesk
from rebound.contacts.domain.suppressions import Suppression, SuppressionReason
from rebound.kernel.pages import Page
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.making import NOON
from tests.fakes.system import FakeClock

if TYPE_CHECKING:
    from rebound.kernel.errors import ReboundError


class MemorySuppressionList:
    """Implements ``SuppressionList``; counts the calls, and answers the next ones with ``troubles`` first."""

    def __init__(self, *entries: Suppression, page_size: int = 1000) -> None:
        self.entries = {entry.address: entry for entry in entries}
        self.calls: Counter[str] = Counter()
        self.troubles: list[ReboundError] = []
        self.missed: list[str] = []
        """Why entries could not be removed, as the operator is told."""
        self.page_size = page_size

    def put(self, address: str, reason: str = "BOUNCE", at: datetime = NOON) -> Suppression:
        """What happens at the provider: an entry appears, or takes the place of the one of this spelling."""
        self.entries[address] = Suppression(address, SuppressionReason(reason), at)
        return self.entries[address]

    def get(self, address: str) -> Suppression | None:
        self._called("get")
        return self.entries.get(address)

    def remove(self, address: str) -> None:
        self._called("remove")
        self.entries.pop(address, None)

    def page(self, cursor: str | None) -> Page[Suppression]:
        self._called("page")
        after = read_cursor(cursor) or ""
        return page_of([(a, entry) for a, entry in sorted(self.entries.items()) if a > after], self.page_size)

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        if self.troubles:
            raise self.troubles.pop(0)


def desk_of(suppressions: MemorySuppressionList | None = None) -> SuppressionDesk:
    """A desk with a clock of its own, which moves when the desk waits."""
    return SuppressionDesk(
        suppressions=suppressions or MemorySuppressionList(), clock=FakeClock(), missed=lambda _: None
    )
