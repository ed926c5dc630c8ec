"""First step of an import: one pass over its file, which divides the rows into parts.

All rows about one customer are in one part, in the order of the file: rows with an id by that, others by the name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.customers.domain import REQUIRED_FIELDS
from rebound.imports_exports.application.customer_files import OPT_OUTS_OF, read_rows
from rebound.imports_exports.application.file_lines import UnreadableFileError
from rebound.imports_exports.application.import_rows import name_of
from rebound.imports_exports.domain import ImportFile, ImportJob, Splitting
from rebound.kernel.errors import FieldError
from rebound.kernel.ids import id_of_external
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.imports_exports.application.customer_files import Row
    from rebound.imports_exports.ports import ImportBook, ImportStore

PART_BYTES: Final = 512 * 1024
"""Bytes of the file for each part: some thousand rows."""
MAX_PARTS: Final = 40
"""The most that a state machine runs at the same time."""
PIECE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of rows held in memory before they are written, as one piece of each part."""


class SplitImport(Struct, frozen=True, kw_only=True):
    """Divides a file into parts, by customer.

    The borders between the pieces follow from the file alone, so a splitting that died writes the same pieces again. A
    file that is replaced meanwhile is read from its beginning.
    """

    imports: ImportBook
    store: ImportStore
    part_bytes: int
    piece_bytes: int

    def __call__(self, business_id: str, import_id: str, may_go_on: Callable[[], bool]) -> Sequence[int] | None:
        """Read on while there is time; returns the parts' numbers, none if it has ended, or ``None`` for later."""
        job = self.imports.get(business_id, import_id)
        if job.status == "completed":
            return ()
        job = replace(job, status="running", failure=None)
        if job.splitting is not None and job.splitting.done:
            self.imports.save(job)
            return range(job.splitting.parts)
        splitting, file = self._opened(job)
        try:
            rows = read_rows(file.content, job.format, splitting.place, job.options)
            for after in self._written(job, splitting, rows):
                splitting = after
                self.imports.save(replace(job, splitting=splitting))
                if not splitting.done and not may_go_on():
                    return None
        except UnreadableFileError as error:
            self.imports.save(replace(job, status="failed", failure=str(error), splitting=None))
            # The piece that was being filled when the error came up has not been written.
            self.store.remove_pieces(business_id, import_id, splitting.parts, splitting.pieces)
            return ()
        return range(splitting.parts)

    def _opened(self, job: ImportJob) -> tuple[Splitting, ImportFile]:
        """How far the file has been divided, and the file from there on."""
        before = job.splitting
        file = self.store.open(job.business_id, job.import_id, before.place.offset if before else 0)
        if before is not None and before.version == file.version:
            return before, file
        if before is not None:
            # One more piece of each part than the job counts may have been written.
            self.store.remove_pieces(job.business_id, job.import_id, before.parts, before.pieces + 1)
            file = self.store.open(job.business_id, job.import_id)
        return Splitting(max(1, min(MAX_PARTS, -(-file.size // self.part_bytes))), file.version), file

    def _written(self, job: ImportJob, splitting: Splitting, rows: Iterator[Row]) -> Iterator[Splitting]:
        """Write the rows; yields how far the splitting is after each piece."""
        parts = [bytearray() for _ in range(splitting.parts)]
        size = 0
        for row in rows:
            customer_id = customer_of(job, row)
            record = _write_record(row, customer_id)
            place = customer_id or _hashed(_who(row))
            parts[int(place, 16) % splitting.parts] += record
            size += len(record)
            splitting = replace(splitting, place=row.place, rows=splitting.rows + 1)
            if size >= self.piece_bytes:
                splitting = self._put(job, splitting, parts)
                size = 0
                yield splitting
        yield replace(self._put(job, splitting, parts), done=True)

    def _put(self, job: ImportJob, splitting: Splitting, parts: Sequence[bytearray]) -> Splitting:
        for part, content in enumerate(parts):
            self.store.put_piece(job.business_id, job.import_id, part, splitting.pieces, bytes(content))
            content.clear()
        return replace(splitting, pieces=splitting.pieces + 1)


class Record(Struct, frozen=True):
    """A row as it stands in a part. ``customer_id`` is that of the customer whom it names by an id."""

    line: int
    customer_id: str | None
    given: Mapping[str, Any] | None
    errors: tuple[FieldError, ...]
    is_opt_out: bool


def customer_of(job: ImportJob, row: Row) -> str | None:
    """The id of the customer whom a row names: by its external id, else by its customer id."""
    external_id = (row.given or {}).get("external_id")
    if isinstance(external_id, str) and not row.is_opt_out:
        external_id = tidied(external_id)
        if external_id and is_one_line(external_id):
            return id_of_external(job.business_id, external_id)
    return row.customer_id


def _who(row: Row) -> str:
    """What all rows about one person have in common, as far as can be told before a row is checked."""
    given = row.given
    if given is None:
        return str(row.line)
    if row.is_opt_out:
        return "".join(str(given.get(name)).lower() for name in OPT_OUTS_OF)
    return name_of({name: str(given.get(name) or "") for name in REQUIRED_FIELDS})


def _hashed(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _write_record(row: Row, customer_id: str | None) -> bytes:
    error = [row.error.field, row.error.message] if row.error else None
    # ASCII with escapes, because half a surrogate pair is valid JSON and cannot be encoded otherwise.
    record = [row.line, customer_id, row.given, error, row.is_opt_out]
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def read_record(written: str) -> Record:
    """The record of a line of a part."""
    # Parts that were written before there were lists of opt-outs do not say whether they are one.
    line, customer_id, given, error, *is_opt_out = json.loads(written)
    return Record(line, customer_id, given, (FieldError(*error),) if error else (), any(is_opt_out))
