"""Importing customers from CSV or JSON Lines: good rows go in, each bad one is reported with its line and reason.

An import of any size runs in three steps. The *splitting* reads the file once, from end to end and in constant memory,
and divides its rows into parts; an import whose file cannot be read ends there, and has changed nothing. The *parts*
are imported at the same time. The *closing* writes what can be downloaded about it, removes the parts and says that the
import is done. Each step may die, run out of time and come again at any moment, and goes on where it stopped.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import replace
from itertools import batched, islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.imports_exports.application.import_changes import ImportChanges
from rebound.imports_exports.application.import_rows import RowReader
from rebound.imports_exports.application.same_customer import SameCustomers, run_of
from rebound.imports_exports.application.split_import import read_record
from rebound.imports_exports.application.start_import import MAX_ERRORS
from rebound.imports_exports.domain import BadRow, BatchReport, ImportJob, PartProgress, RowCounts, counted
from rebound.kernel.errors import ComeAgainError, InvalidInputError
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader, ContactBook
    from rebound.customers.application.copy_flags import CopyFlags
    from rebound.customers.ports import CustomerBook, ProfileLock
    from rebound.imports_exports.application.import_changes import Changes
    from rebound.imports_exports.application.import_rows import Wish
    from rebound.imports_exports.application.split_import import Record
    from rebound.imports_exports.ports import ImportBook, ImportLedger, ImportStore
    from rebound.platform.ports import Clock, Patience

BATCH: Final = 19
"""Rows of one transaction, each a customer and two new contacts of two writes: 95 of 100 writes, and a few of ours."""
MOST_WRITES: Final = 96
"""What customers and contacts may take of a transaction: the rest is progress, report, and bad rows of two kinds."""
ATTEMPTS: Final = 10
"""How often a batch is tried while others write its contacts: those of a family may be in several parts."""
MOST_PAUSE: Final = 8
"""The longest pause, as a number of attempts, between batches while the tables take no more."""


class ImportCustomers(Struct, frozen=True, kw_only=True):
    """Second step: imports one part. Running it again goes on after the rows that are done.

    A row whose ``external_id`` or ``customer_id`` is known updates that customer, and one without meets the customer of
    its name and address; where there is none, one of whom a row before had the same address and a name that is mended
    now, or the same name and no address. A row may opt its addresses out but never in; an opt-out that is in force
    already is not stated again.
    """

    imports: ImportBook
    ledger: ImportLedger
    store: ImportStore
    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    addresses: AddressReader
    clock: Clock
    patience: Patience
    copy_flags: CopyFlags
    profile_locks: Sequence[ProfileLock]

    def __call__(self, business_id: str, import_id: str, part: int, may_go_on: Callable[[], bool]) -> bool:
        """Import while there is time; returns whether the part is done.

        While the tables take no more, it waits between batches, longer after each refusal and less after each success.
        """
        job = self.imports.get(business_id, import_id)
        business = self.businesses.get(business_id)
        progress = self.ledger.get(import_id, part)
        reader = RowReader(job=job, business=business, addresses=self.addresses)
        is_all = job.splitting is not None and job.splitting.parts == 1
        same = SameCustomers(
            lambda: self._records(job, part), lambda record: _wish_or_none(reader, record), is_all=is_all
        )
        pause = 0
        for run, records in self._batches(job, part, same, progress.counts.rows):
            rest = records
            while rest:
                if not may_go_on():
                    return False
                if pause:
                    self.patience.wait(pause)
                try:
                    after = self._batch(job, business, reader, same, progress, run, rest)
                    pause = max(pause - 1, 0)
                except ComeAgainError:
                    # Some of the batch may have gone in.
                    after = self.ledger.get(import_id, part)
                    pause = min(pause + 2, MOST_PAUSE)
                rest = rest[after.counts.rows - progress.counts.rows :]
                progress = after
        return True

    def _batches(
        self, job: ImportJob, part: int, same: SameCustomers, done: int
    ) -> Iterator[tuple[int, Sequence[Record]]]:
        """The rows that are left, of one run after the other."""
        for run, rows in enumerate(same.rows_of_run):
            if done >= rows:
                done -= rows
                continue
            records = (record for record in self._records(job, part) if run_of(record) == run)
            for some in batched(islice(records, done, None), BATCH, strict=False):
                yield run, some
            done = 0

    def _records(self, job: ImportJob, part: int) -> Iterator[Record]:
        for piece in range(job.splitting.pieces if job.splitting else 0):
            content = self.store.open_piece(job.business_id, job.import_id, part, piece)
            yield from map(read_record, io.TextIOWrapper(content, encoding="ascii"))

    def _batch(
        self,
        job: ImportJob,
        business: Business,
        reader: RowReader,
        same: SameCustomers,
        progress: PartProgress,
        run: int,
        records: Sequence[Record],
    ) -> PartProgress:
        """Write rows and progress in one transaction; retried while others write the same customers or contacts."""
        bad: list[BadRow] = []
        wishes: list[Wish] = []
        for record in records:
            try:
                wish = _wish(reader, record)
            except InvalidInputError as error:
                bad.append(BadRow(record.line, error.errors))
                continue
            held = same.holding(wish)
            if held.line == wish.line:
                wishes.append(held)

        def write() -> tuple[Changes, PartProgress] | None:
            changes = ImportChanges(customers=self.customers, contacts=self.contacts, locks=self.profile_locks)(
                job, business, wishes, same, self.clock.now()
            )
            if changes.rows > MOST_WRITES and len(records) > 1:
                return None
            return changes, self._commit(progress, run, changes, [*bad, *changes.bad_rows], len(records))

        written = retried(write, attempts=ATTEMPTS, lost=self.patience.wait)
        if written is None:
            half = len(records) // 2
            progress = self._batch(job, business, reader, same, progress, run, records[:half])
            return self._batch(job, business, reader, same, progress, run, records[half:])
        changes, after = written
        if changes.customers and self.businesses.get(business.business_id).policy != business.policy:
            # The flags follow the policy read at the start; ``RecopyFlags`` may have passed these customers already.
            self.copy_flags(business.business_id, changes.customers)
        return after

    def _commit(
        self, progress: PartProgress, run: int, changes: Changes, bad: Sequence[BadRow], rows: int
    ) -> PartProgress:
        bad = sorted(bad, key=lambda row: row.line)
        refused = [row for row in bad if row.errors]
        incomplete = [row for row in bad if not row.errors]
        done = Counter(outcome.outcome for outcome in changes.outcomes)
        overridden = rows - len(refused) - done.total()
        # Each run keeps at least its own first ones.
        most = MAX_ERRORS * (run + 1)
        shown = [*refused[: max(0, most - progress.reported)], *incomplete[: max(0, most - progress.warned)]]
        counts = RowCounts(
            rows,
            done["created"],
            done["updated"],
            done["unchanged"] + overridden,
            len(refused),
            len(incomplete),
        )
        after = replace(
            progress,
            counts=progress.counts + counts,
            reported=progress.reported + sum(bool(row.errors) for row in shown),
            warned=progress.warned + sum(not row.errors for row in shown),
            problems=counted(progress.problems, bad),
        )
        outcomes = tuple(outcome for outcome in changes.outcomes if outcome.customer_id)
        report = BatchReport(run, progress.counts.rows, outcomes, tuple(bad))
        return self.ledger.commit(after, changes.customers, changes.contacts, shown, report)


def _wish(reader: RowReader, record: Record) -> Wish:
    """What a row asks for. Raises ``InvalidInputError``."""
    if record.given is None:
        raise InvalidInputError(*record.errors)
    return reader.wish(record.line, record.customer_id, record.given, is_opt_out=record.is_opt_out)


def _wish_or_none(reader: RowReader, record: Record) -> Wish | None:
    try:
        return _wish(reader, record)
    except InvalidInputError:
        return None
