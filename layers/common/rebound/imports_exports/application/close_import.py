"""Last step of an import: writes what can be downloaded about it, removes its parts, and says how it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import replace
from heapq import merge
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.imports_exports.application.customer_files import csv_line
from rebound.imports_exports.application.export_customers import PART_BYTES
from rebound.imports_exports.domain import ERRORS_FILE, RESULT_FILE, BadRow, BatchReport, ImportJob, RowOutcome
from rebound.kernel.csv_cells import defused

if TYPE_CHECKING:
    from rebound.imports_exports.ports import ExportStore, ImportBook, ImportLedger, ImportStore

STOPPED: Final = (
    "Something failed on our side before the import was done. Rows that are counted are in; import the file again for "
    "the others."
)
RESULT_COLUMNS: Final = ("line", "external_id", "customer_id", "outcome")
ERROR_COLUMNS: Final = ("line", "kind", "field", "message")


class CloseImport(Struct, frozen=True, kw_only=True):
    """Completes or fails an import."""

    imports: ImportBook
    ledger: ImportLedger
    store: ImportStore
    files: ExportStore

    def complete(self, business_id: str, import_id: str) -> None:
        """Complete the import: all parts are in. An import whose file could not be read stays failed."""
        job = self.imports.get(business_id, import_id)
        splitting = job.splitting
        if splitting is None:
            return
        if job.status != "completed":
            job = self._with_file(job, RESULT_FILE, RESULT_COLUMNS, self._outcomes)
            job = self._with_file(job, ERRORS_FILE, ERROR_COLUMNS, self._problems)
            self.imports.save(replace(job, status="completed", failure=None))
        self.ledger.remove_reports(import_id)
        self.store.remove_pieces(business_id, import_id, splitting.parts, splitting.pieces)

    def fail(self, business_id: str, import_id: str) -> None:
        """Fail for a reason on our side. The parts stay for a while: a new run goes on where this one stopped."""
        job = self.imports.get(business_id, import_id)
        if job.status != "completed":
            self.imports.save(replace(job, status="failed", failure=STOPPED))

    def _outcomes(self, job: ImportJob) -> Iterator[Sequence[str]]:
        def of_run(reports: Iterable[BatchReport]) -> Iterator[RowOutcome]:
            return (outcome for report in reports for outcome in report.outcomes)

        return map(_outcome_cells, merge(*map(of_run, self._reports(job)), key=lambda outcome: outcome.line))

    def _problems(self, job: ImportJob) -> Iterator[Sequence[str]]:
        def of_run(reports: Iterable[BatchReport]) -> Iterator[BadRow]:
            return (row for report in reports for row in report.bad_rows)

        rows = merge(*map(of_run, self._reports(job)), key=lambda row: row.line)
        return (cells for row in rows for cells in _error_cells(row))

    def _reports(self, job: ImportJob) -> Sequence[Iterable[BatchReport]]:
        return self.ledger.reports(job.import_id, job.splitting.parts if job.splitting else 0)

    def _with_file(
        self,
        job: ImportJob,
        name: str,
        columns: Sequence[str],
        lines: Callable[[ImportJob], Iterable[Sequence[str]]],
    ) -> ImportJob:
        """The import once one of its files is written, unless it was before."""
        if name in job.files:
            return job
        job = replace(job, files={**job.files, name: self._is_written(job, name, columns, lines(job))})
        self.imports.save(job)
        return job

    def _is_written(self, job: ImportJob, name: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> bool:
        """Write a file, unless there is nothing to write. In memory is one part of it at a time."""
        file_id = job.file_id(name)
        upload_id = ""
        tags: list[str] = []
        waiting = bytearray(csv_line(columns))
        header = len(waiting)
        for line in lines:
            waiting += csv_line(list(map(defused, line)))
            if len(waiting) >= PART_BYTES:
                upload_id = upload_id or self.files.begin(job.business_id, file_id, "csv")
                tags.append(self.files.put_part(job.business_id, file_id, upload_id, len(tags) + 1, bytes(waiting)))
                waiting.clear()
        if not tags and len(waiting) == header:
            return False
        upload_id = upload_id or self.files.begin(job.business_id, file_id, "csv")
        if waiting:
            tags.append(self.files.put_part(job.business_id, file_id, upload_id, len(tags) + 1, bytes(waiting)))
        self.files.complete(job.business_id, file_id, upload_id, tags)
        return True


def _outcome_cells(outcome: RowOutcome) -> Sequence[str]:
    return str(outcome.line), outcome.external_id or "", outcome.customer_id, outcome.outcome


def _error_cells(row: BadRow) -> Iterator[Sequence[str]]:
    for problem in row.problems:
        yield str(row.line), problem.kind, problem.field, problem.reason
