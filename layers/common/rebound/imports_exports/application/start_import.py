"""Accepting an import of customers, starting it when its file has arrived, and telling how it is getting on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.customers.domain import PROFILE
from rebound.imports_exports.application.customer_files import KNOWN_COLUMNS, MAX_HEADER, READ_COLUMNS
from rebound.imports_exports.application.import_rows import date_pattern
from rebound.imports_exports.domain import BadRow, ImportJob, ImportOptions, Problem, RowCounts
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.imports_exports.ports import ExportStore, FileRunner, ImportBook, ImportLedger, ImportStore
    from rebound.platform.ports import Clock, Ids

MAX_ERRORS: Final = 500
"""Bad rows shown with the import, and as many incomplete ones; the file of errors has all of them."""
MAX_COLUMNS: Final = 200
"""Columns of a file that an import may name."""
FILES_KEPT: Final = timedelta(days=6)
"""How long files about an import can be downloaded; the bucket keeps them for a day longer."""


class ImportView(Struct, frozen=True):
    """An import with what has become of its rows so far.

    ``bad_rows`` and ``incomplete_rows`` are the first of those with errors, and of those that went in with warnings;
    ``problems`` counts all. ``downloads`` are the URLs of its files by name.
    """

    job: ImportJob
    counts: RowCounts
    bad_rows: Sequence[BadRow]
    incomplete_rows: Sequence[BadRow] = ()
    problems: Mapping[Problem, int] = {}
    downloads: Mapping[str, str] = {}


class StartImport(Struct, frozen=True, kw_only=True):
    """Accepts an import, with its content or for an upload, and tells how it is getting on."""

    imports: ImportBook
    ledger: ImportLedger
    store: ImportStore
    files: ExportStore
    businesses: BusinessDirectory
    clock: Clock
    ids: Ids

    def __call__(
        self,
        business_id: str,
        format_: str,
        content: str | None,
        options: ImportOptions = ImportOptions(),  # noqa: B008 - frozen
    ) -> tuple[ImportView, str | None]:
        """The import and, when no content came along, the URL to PUT the file to. Raises ``InvalidInputError``."""
        self.businesses.get(business_id)
        check_options(options)
        now = self.clock.now()
        status = "queued" if content is not None else "awaiting_upload"
        job = ImportJob(business_id, self.ids.ulid(now), format_, status, created_at=now, options=options)
        self.imports.save(job)
        view = ImportView(job, RowCounts(), ())
        if content is None:
            return view, self.store.upload_url(business_id, job.import_id)
        self.store.put(business_id, job.import_id, content)
        return view, None

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ImportJob]:
        """The newest imports, newest first; with ``before``, an id, those older than it."""
        return self.imports.newest(business_id, limit, before)

    def get(self, business_id: str, import_id: str, most: int = MAX_ERRORS) -> ImportView:
        """The import as it is now, with at most ``most`` bad rows of each kind. Raises ``NotFoundError``."""
        job = self.imports.get(business_id, import_id)
        parts = self.ledger.parts(import_id)
        problems: dict[Problem, int] = {}
        for part in parts:
            for problem, count in part.problems.items():
                problems[problem] = problems.get(problem, 0) + count
        return ImportView(
            job,
            sum((part.counts for part in parts), RowCounts()),
            self.ledger.bad_rows(import_id, most, refused=True),
            self.ledger.bad_rows(import_id, most, refused=False),
            problems,
            self._downloads(job),
        )

    def file_url(self, business_id: str, import_id: str, name: str, lasting: timedelta) -> str | None:
        """The URL of one of its files, which ends soon; ``None`` while there is no such file, and once it is gone.

        Raises ``NotFoundError``.
        """
        job = self.imports.get(business_id, import_id)
        if name not in self._files(job):
            return None
        return self.files.download_url(business_id, job.file_id(name), int(lasting.total_seconds()))

    def _downloads(self, job: ImportJob) -> Mapping[str, str]:
        return {name: self.files.download_url(job.business_id, job.file_id(name)) for name in self._files(job)}

    def _files(self, job: ImportJob) -> Sequence[str]:
        if job.status != "completed" or self.clock.now() >= job.created_at + FILES_KEPT:
            return ()
        return [name for name, is_there in job.files.items() if is_there]


def check_options(options: ImportOptions) -> None:
    """Raise ``InvalidInputError`` with everything that is wrong with the options."""
    wrong: list[FieldError] = []
    columns = ", ".join(READ_COLUMNS)
    for name, field in options.columns.items():
        shown = f"columns.{name[:MAX_HEADER]}"
        if not any(map(str.isalnum, name)) or len(name) > MAX_HEADER:
            wrong.append(
                FieldError(shown, f"Must be the name of a column in the file, of 1 to {MAX_HEADER} characters.")
            )
        elif field is not None and field not in KNOWN_COLUMNS:
            message = f"Must be null, to skip it, or one of {columns}."
            wrong.append(FieldError.unknown(shown, message, field, READ_COLUMNS))
    wrong += [
        FieldError.unknown("protect", f"Has “{name[:MAX_HEADER]}”, which is no field of a customer.", name, PROFILE)
        for name in options.protect or ()
        if name not in PROFILE
    ]
    if options.date_format is not None:
        try:
            date_pattern(options.date_format)
        except ValueError as error:
            wrong.append(FieldError("date_format", str(error)))
    if wrong:
        raise InvalidInputError(*wrong)


class BeginImport(Struct, frozen=True, kw_only=True):
    """Starts an import when its file has arrived."""

    imports: ImportBook
    runner: FileRunner

    def __call__(self, business_id: str, import_id: str) -> bool:
        """Start the import; a second arrival starts nothing. Returns whether there is such an import."""
        try:
            self.imports.get(business_id, import_id)
        except NotFoundError:
            return False
        self.runner.start(business_id, import_id)
        return True
