"""Parts of imports in the Chunks table: how far they are, and what became of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert
from msgspec.structs import asdict, astuple
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.imports_exports.domain import RUNS, BadRow, BatchReport, PartProgress, Problem, RowCounts, RowOutcome
from rebound.kernel.errors import FieldError
from rebound.kernel.ids import range_name
from rebound.platform.adapters.dynamo import (
    JsonAttribute,
    Model,
    as_read,
    bind,
    come_again_when_busy,
    expiry,
    transaction,
)

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerTransactions


class PartRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``part#<number>``: how far a part of it is."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    counts = JsonAttribute()
    reported = NumberAttribute()
    warned = NumberAttribute(default=0)
    problems = JsonAttribute(null=True)
    """``[kind, field, reason, count]`` each."""
    version = NumberAttribute()
    expires_at = NumberAttribute()


class BadRowsRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``bad#<line>`` or ``warned#<line>``.

    Bad rows of one transaction, to be shown, under the line of the first of them. Rows of imports before there were
    warnings have one line each, with its ``errors``.
    """

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    errors = JsonAttribute(null=True)
    rows = JsonAttribute(null=True)
    expires_at = NumberAttribute()


class ReportRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``report#<part>#<run>#<first>``."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    outcomes = JsonAttribute()
    bad_rows = JsonAttribute()
    expires_at = NumberAttribute()


PARTS_KEPT: Final = timedelta(days=31)
"""A little longer than the import itself is kept."""
PAGE: Final = 40
"""Reports that are held at a time, for each part."""
_PART: Final = "part"
_REFUSED: Final = "bad#"
_WARNED: Final = "warned#"
_REPORT: Final = "report#"


class DynamoImportLedger:
    """Implements ``ImportLedger``."""

    def __init__(self, chunks_table: str, customers: CustomerTransactions) -> None:
        self._part_row = bind(PartRow, chunks_table)
        self._bad_rows_row = bind(BadRowsRow, chunks_table)
        self._report_row = bind(ReportRow, chunks_table)
        self._customers = customers

    def get(self, import_id: str, part: int) -> PartProgress:
        try:
            row = self._part_row.get(import_id, range_name(_PART, part), consistent_read=True)
        except self._part_row.DoesNotExist:
            return PartProgress(import_id, part)
        return _progress(row)

    def commit(
        self,
        progress: PartProgress,
        customers: Sequence[Customer] = (),
        contacts: Sequence[Contact] = (),
        shown: Sequence[BadRow] = (),
        report: BatchReport | None = None,
    ) -> PartProgress:
        expires_at = expiry(datetime.now(UTC), PARTS_KEPT)
        row = self._part_row(
            progress.import_id,
            range_name(_PART, progress.part),
            counts=asdict(progress.counts),
            reported=progress.reported,
            warned=progress.warned,
            problems=[[*astuple(problem), count] for problem, count in progress.problems.items()] or None,
            version=progress.version + 1,
            expires_at=expires_at,
        )
        others: list[Model] = []
        for prefix, rows in (
            (_REFUSED, [row for row in shown if row.errors]),
            (_WARNED, [row for row in shown if not row.errors]),
        ):
            if rows:
                name = f"{prefix}{rows[0].line:012d}"
                written = list(map(_write_bad_row, rows))
                others.append(self._bad_rows_row(progress.import_id, name, rows=written, expires_at=expires_at))
        if report is not None:
            others.append(
                self._report_row(
                    progress.import_id,
                    f"{_REPORT}{progress.part:03d}#{report.run}#{report.first:012d}",
                    outcomes=[astuple(outcome) for outcome in report.outcomes],
                    bad_rows=list(map(_write_bad_row, report.bad_rows)),
                    expires_at=expires_at,
                )
            )
        with come_again_when_busy(), transaction(self._part_row) as writes:
            writes.save(row, condition=as_read(PartRow, progress.version))
            self._customers.save_within(writes, customers, contacts, 1 + len(others))
            for other in others:
                writes.save(other)
        return replace(progress, version=progress.version + 1)

    def parts(self, import_id: str) -> Sequence[PartProgress]:
        rows = self._part_row.query(import_id, PartRow.chunk.startswith(f"{_PART}#"), consistent_read=True)
        return [_progress(row) for row in rows]

    def bad_rows(self, import_id: str, limit: int, *, refused: bool) -> Sequence[BadRow]:
        prefix = _REFUSED if refused else _WARNED
        rows = self._bad_rows_row.query(import_id, BadRowsRow.chunk.startswith(prefix), limit=limit)
        # The first bad rows are in the rows that begin with the first lines.
        return sorted((bad for row in rows for bad in _bad_rows(row)), key=lambda bad: bad.line)[:limit]

    def reports(self, import_id: str, parts: int) -> Sequence[Iterable[BatchReport]]:
        return [self._reports(import_id, part, run) for part in range(parts) for run in RUNS]

    def remove_reports(self, import_id: str) -> None:
        with self._report_row.batch_write() as batch:
            for row in self._report_row.query(import_id, ReportRow.chunk.startswith(_REPORT), page_size=PAGE):
                batch.delete(row)

    def _reports(self, import_id: str, part: int, run: int) -> Iterable[BatchReport]:
        prefix = f"{_REPORT}{part:03d}#{run}#"
        for row in self._report_row.query(import_id, ReportRow.chunk.startswith(prefix), page_size=PAGE):
            yield BatchReport(
                run,
                int(row.chunk.removeprefix(prefix)),
                tuple(RowOutcome(*outcome) for outcome in row.outcomes),
                tuple(map(_read_bad_row, row.bad_rows)),
            )


def _progress(row: PartRow) -> PartProgress:
    return PartProgress(
        row.campaign_id,
        int(row.chunk.partition("#")[2]),
        RowCounts(**row.counts),
        int(row.reported),
        int(row.version),
        int(row.warned),
        {Problem(*problem): count for *problem, count in row.problems or ()},
    )


def _write_bad_row(row: BadRow) -> list[Any]:
    return [row.line, *([[each.field, each.message] for each in some] for some in (row.errors, row.warnings))]


def _read_bad_row(written: Any) -> BadRow:
    line, errors, warnings = written
    return BadRow(line, *(tuple(FieldError(*each) for each in some) for some in (errors, warnings)))


def _bad_rows(row: BadRowsRow) -> Iterable[BadRow]:
    if row.rows is None:
        yield BadRow(int(row.chunk.removeprefix(_REFUSED)), tuple(convert(row.errors, list[FieldError])))
    else:
        yield from map(_read_bad_row, row.rows)
