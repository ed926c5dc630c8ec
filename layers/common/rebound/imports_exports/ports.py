"""What the use cases of imports and exports need from outside."""

from collections.abc import Iterable, Sequence
from typing import IO, Final, Protocol

from rebound.activity.ports import ActivityPorts
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.imports_exports.domain import (
    BadRow,
    BatchReport,
    ExportJob,
    ImportFile,
    ImportJob,
    PartProgress,
    UploadForm,
)

HOUR: Final = 3600
"""In seconds."""


class ImportBook(Protocol):
    """The imports of all businesses."""

    def get(self, business_id: str, import_id: str) -> ImportJob:
        """The import (strongly consistent). Raises ``NotFoundError``."""

    def save(self, job: ImportJob) -> None:
        """Write the whole import."""

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ImportJob]:
        """The newest imports, newest first; with ``before``, an id, those older than it."""


class ImportLedger(Protocol):
    """Progress of imports. A row is counted in the transaction that writes what it says, and only once."""

    def get(self, import_id: str, part: int) -> PartProgress:
        """The progress of a part (strongly consistent), at its beginning when there is none."""

    def commit(
        self,
        progress: PartProgress,
        customers: Sequence[Customer] = (),
        contacts: Sequence[Contact] = (),
        shown: Sequence[BadRow] = (),
        report: BatchReport | None = None,
    ) -> PartProgress:
        """Write progress, customers, contacts, bad rows to show and a report in one transaction: all or nothing.

        At most 100 rows are written: one for the progress, one each for the report, for bad rows with errors, and for
        those with warnings. Progress, customers and contacts must still be as they were read. Raises
        ``ConcurrentChangeError`` otherwise, and ``ComeAgainError`` when the tables take no more at this moment.
        """

    def parts(self, import_id: str) -> Sequence[PartProgress]:
        """The progress of all parts that have begun."""

    def bad_rows(self, import_id: str, limit: int, *, refused: bool) -> Sequence[BadRow]:
        """The first bad rows that are kept to be shown, in the order of their lines: those with errors, or the others.

        Exact as long as each part has kept its own first ``limit``.
        """

    def reports(self, import_id: str, parts: int) -> Sequence[Iterable[BatchReport]]:
        """The reports of each run of each part, in the order of the file, read as they are needed."""

    def remove_reports(self, import_id: str) -> None:
        """Remove the reports; a business's own ids are in them, which may be addresses."""


class ImportStore(Protocol):
    """The files of imports, and the parts that they are divided into."""

    def put(self, business_id: str, import_id: str, content: str) -> None:
        """Store a file; its arrival starts the import."""

    def upload_url(self, business_id: str, import_id: str) -> str:
        """A URL that takes one PUT of the file, for an hour."""

    def open(self, business_id: str, import_id: str, offset: int = 0) -> ImportFile:
        """The file from byte ``offset`` on, as a stream; from its beginning if it has become shorter.

        Raises ``NotFoundError``.
        """

    def upload_form(self, business_id: str, draft_id: str, then: str) -> UploadForm:
        """What a browser's form sends to bring a file, within an hour; it goes on to the address ``then``.

        The file starts nothing, before it is taken.
        """

    def open_draft(self, business_id: str, draft_id: str) -> ImportFile:
        """A file that was brought so, as a stream. Raises ``NotFoundError``."""

    def take_draft(self, business_id: str, draft_id: str) -> None:
        """Make it the file of the import with the same id; its arrival starts the import. Raises ``NotFoundError``."""

    def put_piece(self, business_id: str, import_id: str, part: int, piece: int, content: bytes) -> None:
        """Store a piece of a part; storing it again changes nothing."""

    def open_piece(self, business_id: str, import_id: str, part: int, piece: int) -> IO[bytes]:
        """A piece as a stream. Raises ``NotFoundError``."""

    def remove_pieces(self, business_id: str, import_id: str, parts: int, pieces: int) -> None:
        """Remove the first ``pieces`` of each of the first ``parts``, as far as they exist."""


class ExportBook(Protocol):
    """The exports of all businesses."""

    def get(self, business_id: str, export_id: str) -> ExportJob:
        """The export (strongly consistent). Raises ``NotFoundError``."""

    def save(self, job: ExportJob) -> None:
        """Write the whole export."""

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ExportJob]:
        """The newest exports, newest first; with ``before``, an id, those older than it."""


class ExportStore(Protocol):
    """The files of exports."""

    def begin(self, business_id: str, export_id: str, format_: str) -> str:
        """Begin a file; returns the id of its upload."""

    def put_part(self, business_id: str, export_id: str, upload_id: str, number: int, content: bytes) -> str:
        """Store part ``number`` (from 1; all but the last at least 5 MiB) and return its tag; repeating is harmless."""

    def complete(self, business_id: str, export_id: str, upload_id: str, tags: Sequence[str]) -> None:
        """Make the file of its parts; doing it again changes nothing."""

    def put_rest(self, business_id: str, export_id: str, name: int, content: bytes) -> None:
        """Set content aside under a name."""

    def read_rest(self, business_id: str, export_id: str, name: int) -> bytes:
        """What was set aside. Raises ``NotFoundError``."""

    def download_url(self, business_id: str, export_id: str, seconds: int = HOUR) -> str:
        """A URL that gives the file, for an hour unless one says otherwise."""


class FileRunner(Protocol):
    """Runs the work on files: imports, or exports."""

    def start(self, business_id: str, work_id: str) -> None:
        """Start now; starting twice is starting once."""


class ImportsExportsPorts(ActivityPorts, Protocol):
    """What the use cases of imports and exports need from outside."""

    @property
    def imports(self) -> ImportBook: ...

    @property
    def import_store(self) -> ImportStore: ...

    @property
    def import_ledger(self) -> ImportLedger: ...

    @property
    def import_runner(self) -> FileRunner: ...

    @property
    def exports(self) -> ExportBook: ...

    @property
    def export_store(self) -> ExportStore: ...

    @property
    def export_runner(self) -> FileRunner: ...

    @property
    def import_concurrency(self) -> int:
        """How many parts of an import are imported at the same time."""

    @property
    def import_part_bytes(self) -> int:
        """Bytes of a file for each part of its import."""

    @property
    def import_piece_bytes(self) -> int:
        """Bytes of rows that are written at a time while a file is divided."""

    @property
    def export_part_bytes(self) -> int:
        """Bytes of an export's file that are written at a time."""
