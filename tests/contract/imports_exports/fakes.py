"""Imports and exports, their progress and their files, in memory."""

import io
from collections.abc import Iterable, Sequence
from copy import replace
from functools import cached_property
from hashlib import sha256
from typing import IO

from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.imports_exports.domain import (
    RUNS,
    BadRow,
    BatchReport,
    ExportJob,
    ImportFile,
    ImportJob,
    PartProgress,
    UploadForm,
)
from rebound.imports_exports.ports import HOUR
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from tests.contract.activity.fakes import MemoryActivityPorts
from tests.contract.contacts.fakes import MAX_TRANSACTION, rows_of
from tests.contract.customers.fakes import MemoryCustomerBook
from tests.contract.jobs.fakes import newest


class MemoryImportBook:
    """Implements ``ImportBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ImportJob] = {}

    def get(self, business_id: str, import_id: str) -> ImportJob:
        try:
            return self._rows[business_id, import_id]
        except KeyError:
            raise NotFoundError("import") from None

    def save(self, job: ImportJob) -> None:
        self._rows[job.business_id, job.import_id] = job

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ImportJob]:
        return newest(self._rows, business_id, limit, before)


class MemoryExportBook:
    """Implements ``ExportBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ExportJob] = {}

    def get(self, business_id: str, export_id: str) -> ExportJob:
        try:
            return self._rows[business_id, export_id]
        except KeyError:
            raise NotFoundError("export") from None

    def save(self, job: ExportJob) -> None:
        self._rows[job.business_id, job.export_id] = job

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ExportJob]:
        return newest(self._rows, business_id, limit, before)


class MemoryImportLedger:
    """Implements ``ImportLedger``; shares its transactions with customers and contacts."""

    def __init__(self, customers: MemoryCustomerBook) -> None:
        self._customers = customers
        self._parts: dict[tuple[str, int], PartProgress] = {}
        self._shown: dict[tuple[str, bool, int], BadRow] = {}
        self._reports: dict[tuple[str, int, int, int], BatchReport] = {}

    def get(self, import_id: str, part: int) -> PartProgress:
        return self._parts.get((import_id, part), PartProgress(import_id, part))

    def commit(
        self,
        progress: PartProgress,
        customers: Sequence[Customer] = (),
        contacts: Sequence[Contact] = (),
        shown: Sequence[BadRow] = (),
        report: BatchReport | None = None,
    ) -> PartProgress:
        others = 1 + len({bool(bad.errors) for bad in shown}) + (report is not None)
        if others + len(customers) + sum(map(rows_of, contacts)) > MAX_TRANSACTION:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")
        import_id = progress.import_id
        stored = self._parts.get((import_id, progress.part))
        if (stored.version if stored else 0) != progress.version:
            raise ConcurrentChangeError
        self._customers.save(customers, contacts)
        for bad in shown:
            self._shown[import_id, bool(bad.errors), bad.line] = bad
        if report is not None:
            self._reports[import_id, progress.part, report.run, report.first] = report
        after = replace(progress, version=progress.version + 1)
        self._parts[import_id, progress.part] = after
        return after

    def parts(self, import_id: str) -> Sequence[PartProgress]:
        return [part for (owner, _), part in sorted(self._parts.items()) if owner == import_id]

    def bad_rows(self, import_id: str, limit: int, *, refused: bool) -> Sequence[BadRow]:
        return [bad for key, bad in sorted(self._shown.items()) if key[:2] == (import_id, refused)][:limit]

    def reports(self, import_id: str, parts: int) -> Sequence[Iterable[BatchReport]]:
        return [
            [report for key, report in sorted(self._reports.items()) if key[:3] == (import_id, part, run)]
            for part in range(parts)
            for run in RUNS
        ]

    def remove_reports(self, import_id: str) -> None:
        for key in [key for key in self._reports if key[0] == import_id]:
            del self._reports[key]


class RecordingFileRunner:
    """Implements ``FileRunner``."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []

    def start(self, business_id: str, work_id: str) -> None:
        if (business_id, work_id) not in self.started:
            self.started.append((business_id, work_id))


class MemoryImportStore:
    """Implements ``ImportStore``."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], bytes] = {}
        self.drafts: dict[tuple[str, str], bytes] = {}
        self.pieces: dict[tuple[str, str, int, int], bytes] = {}

    def put(self, business_id: str, import_id: str, content: str) -> None:
        self.put_bytes(business_id, import_id, content.encode())

    def put_bytes(self, business_id: str, import_id: str, content: bytes) -> None:
        """What a client uploads."""
        self._files[business_id, import_id] = content

    def upload_url(self, business_id: str, import_id: str) -> str:
        return f"https://imports.example.com/{business_id}/{import_id}"

    def open(self, business_id: str, import_id: str, offset: int = 0) -> ImportFile:
        try:
            content = self._files[business_id, import_id]
        except KeyError:
            raise NotFoundError("import file") from None
        version = sha256(content).hexdigest()
        return ImportFile(io.BytesIO(content[offset if offset <= len(content) else 0 :]), len(content), version)

    def upload_form(self, business_id: str, draft_id: str, then: str) -> UploadForm:
        return UploadForm("https://imports.example.com/", {"key": f"{business_id}/{draft_id}", "then": then}, 1000)

    def open_draft(self, business_id: str, draft_id: str) -> ImportFile:
        content = self._draft(business_id, draft_id)
        return ImportFile(io.BytesIO(content), len(content), sha256(content).hexdigest())

    def take_draft(self, business_id: str, draft_id: str) -> None:
        self._files[business_id, draft_id] = self._draft(business_id, draft_id)

    def _draft(self, business_id: str, draft_id: str) -> bytes:
        try:
            return self.drafts[business_id, draft_id]
        except KeyError:
            raise NotFoundError("import file") from None

    def put_piece(self, business_id: str, import_id: str, part: int, piece: int, content: bytes) -> None:
        self.pieces[business_id, import_id, part, piece] = content

    def open_piece(self, business_id: str, import_id: str, part: int, piece: int) -> IO[bytes]:
        try:
            return io.BytesIO(self.pieces[business_id, import_id, part, piece])
        except KeyError:
            raise NotFoundError("import file") from None

    def remove_pieces(self, business_id: str, import_id: str, parts: int, pieces: int) -> None:
        for part in range(parts):
            for piece in range(pieces):
                self.pieces.pop((business_id, import_id, part, piece), None)


class MemoryExportStore:
    """Implements ``ExportStore``."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self._uploads: dict[str, dict[str, bytes]] = {}
        self._rests: dict[tuple[str, str, int], bytes] = {}
        self._begun = 0

    def begin(self, business_id: str, export_id: str, format_: str) -> str:
        self._begun += 1
        self._uploads[f"upload-{self._begun}"] = {}
        return f"upload-{self._begun}"

    def put_part(self, business_id: str, export_id: str, upload_id: str, number: int, content: bytes) -> str:
        tag = f"{number}-{sha256(content).hexdigest()}"
        self._uploads[upload_id][tag] = content
        return tag

    def complete(self, business_id: str, export_id: str, upload_id: str, tags: Sequence[str]) -> None:
        parts = self._uploads.pop(upload_id, None)
        if parts is not None:
            self.files[business_id, export_id] = b"".join(parts[tag] for tag in tags)
        elif (business_id, export_id) not in self.files:
            raise NotFoundError("upload")

    def put_rest(self, business_id: str, export_id: str, name: int, content: bytes) -> None:
        self._rests[business_id, export_id, name] = content

    def read_rest(self, business_id: str, export_id: str, name: int) -> bytes:
        try:
            return self._rests[business_id, export_id, name]
        except KeyError:
            raise NotFoundError("export file") from None

    def download_url(self, business_id: str, export_id: str, seconds: int = HOUR) -> str:
        return f"https://exports.example.com/{business_id}/{export_id}?seconds={seconds}"


class MemoryImportsExportsPorts(MemoryActivityPorts):
    """Implements ``ImportsExportsPorts``; some dozen rows make several parts and pieces of a file."""

    import_concurrency = 4
    import_part_bytes = 800
    import_piece_bytes = 3000
    export_part_bytes = 20_000

    @cached_property
    def imports(self) -> MemoryImportBook:
        return MemoryImportBook()

    @cached_property
    def import_store(self) -> MemoryImportStore:
        return MemoryImportStore()

    @cached_property
    def import_ledger(self) -> MemoryImportLedger:
        return MemoryImportLedger(self.customers)

    @cached_property
    def import_runner(self) -> RecordingFileRunner:
        return RecordingFileRunner()

    @cached_property
    def exports(self) -> MemoryExportBook:
        return MemoryExportBook()

    @cached_property
    def export_store(self) -> MemoryExportStore:
        return MemoryExportStore()

    @cached_property
    def export_runner(self) -> RecordingFileRunner:
        return RecordingFileRunner()
