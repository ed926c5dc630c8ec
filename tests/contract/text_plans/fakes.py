"""The ledger of text segments in memory."""

from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from functools import cached_property

from rebound.kernel.errors import ConcurrentChangeError
from rebound.text_plans.domain import Change, Entry, PlanNote, Telling, TextMonth
from tests.contract.timers.fakes import MemoryTimersPorts
from tests.contract.webhooks.fakes import MemoryWebhooksPorts


class MemoryTextLedger:
    """Implements ``TextLedger``; counts what it is asked for and what it is told."""

    def __init__(self) -> None:
        self.months: dict[tuple[str, str], TextMonth] = {}
        self.rows: dict[str, Entry] = {}
        self.reads = 0
        self.writes = 0

    def month(self, business_id: str, month: str) -> TextMonth:
        self.reads += 1
        return self.months.get((business_id, month), TextMonth(business_id, month))

    def entries(self, names: Iterable[str]) -> Mapping[str, Entry]:
        wanted = dict.fromkeys(names)
        self.reads += len(wanted)
        return {name: self.rows[name] for name in wanted if name in self.rows}

    def change(self, business_id: str, month: str, changes: Sequence[Change], limit: int | None = None) -> None:
        self.writes += len(changes) + 1
        key = (business_id, month)
        known = self.months.get(key, TextMonth(*key))
        used = known.used + sum(change.more for change in changes)
        if any(self.rows.get(change.name) != change.before for change in changes):
            raise ConcurrentChangeError
        if limit is not None and used > limit and used != known.used:
            raise ConcurrentChangeError
        for change in changes:
            if change.after is None:
                del self.rows[change.name]
            else:
                self.rows[change.name] = change.after
        inbound = sum(change.more for change in changes if change.after is not None and change.after.is_inbound)
        self.months[key] = replace(known, used=used, inbound=known.inbound + inbound)

    def note(self, month: TextMonth, note: PlanNote, telling: Telling) -> None:
        self.writes += 1
        key = (month.business_id, month.month)
        known = self.months.get(key, TextMonth(*key))
        if known.notes.get(note) != month.notes.get(note):
            raise ConcurrentChangeError
        self.months[key] = replace(known, notes={**known.notes, note: telling})


class MemoryTextPlansPorts(MemoryWebhooksPorts, MemoryTimersPorts):
    """Implements ``TextPlansPorts``."""

    @cached_property
    def text_ledger(self) -> MemoryTextLedger:
        return MemoryTextLedger()
