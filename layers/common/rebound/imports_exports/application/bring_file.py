"""Bringing a file of customers through a browser: it is looked at before it is imported.

The browser sends the file to the store itself, where it rests as a draft that starts nothing. Once somebody has said
which column is which, the draft becomes the file of an import with the same id.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.customers.domain import GROUPS
from rebound.imports_exports.application.csv_rows import CsvRows
from rebound.imports_exports.application.customer_files import MAX_HEADER, known_field, read_rows
from rebound.imports_exports.application.file_lines import MAX_LINE, Lines, UnreadableFileError
from rebound.imports_exports.application.import_rows import read_date
from rebound.imports_exports.application.start_import import MAX_COLUMNS, check_options
from rebound.imports_exports.domain import FilePosition, ImportJob, ImportOptions, UploadForm
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.kernel.ids import ULIDS
from rebound.kernel.written_text import is_blank

if TYPE_CHECKING:
    from rebound.imports_exports.ports import ImportBook, ImportStore
    from rebound.platform.ports import Clock, Ids

HEAD: Final = 2 * MAX_LINE
"""Bytes of a file that are looked at: a first line and a row, however long they are."""
MOST_ROWS: Final = 50
"""In which values are looked for."""
DATE_FORMATS: Final = ("DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD")
"""In which lists are often written, besides ISO 8601."""
MAX_VALUE: Final = 60
"""Characters of a value that are shown."""


class FileColumn(Struct, frozen=True):
    """A column of a file: the field that it is unless one says otherwise, and the values in its first rows."""

    name: str
    field: str | None
    values: Sequence[str]


class FileHead(Struct, frozen=True):
    """How a file begins."""

    format: str
    columns: Sequence[FileColumn]


class BringFile(Struct, frozen=True, kw_only=True):
    """Takes a file from a browser, says what it looks like, and imports it."""

    imports: ImportBook
    store: ImportStore
    clock: Clock
    ids: Ids

    def form(self, business_id: str, draft_id: str, then: str) -> UploadForm:
        """What the browser's form sends; after that it goes on to the address ``then``."""
        return self.store.upload_form(business_id, draft_id, then)

    def new_id(self) -> str:
        """The id of a draft, and of the import that comes of it."""
        return self.ids.ulid(self.clock.now())

    def is_imported(self, business_id: str, draft_id: str) -> bool:
        """Whether it has become an import."""
        try:
            self.imports.get(business_id, draft_id)
        except NotFoundError:
            return False
        return True

    def look(self, business_id: str, draft_id: str) -> FileHead:
        """How the file begins. Raises ``NotFoundError``, and ``UnreadableFileError`` for what is no list."""
        return head_of(self._head(business_id, draft_id))

    def __call__(self, business_id: str, draft_id: str, options: ImportOptions, by: str | None) -> ImportJob:
        """Import it; asking again is harmless.

        Raises ``NotFoundError``, and ``InvalidInputError`` for options that are wrong in themselves or for this file:
        about ``columns`` as a whole, ``date_format`` or ``protect``.
        """
        check_options(options)
        if len(options.columns) > MAX_COLUMNS:
            raise InvalidInputError(FieldError("columns", f"At most {MAX_COLUMNS} columns can be named."))
        content = self._head(business_id, draft_id)
        try:
            head = head_of(content)
            next(read_rows(io.BytesIO(content), head.format, options=options), None)
        except UnreadableFileError as error:
            raise InvalidInputError(FieldError("columns", str(error))) from None
        try:
            job = self.imports.get(business_id, draft_id)
        except NotFoundError:
            now = self.clock.now()
            job = ImportJob(business_id, draft_id, head.format, "queued", now, options=options, by=by)
            self.imports.save(job)
        if job.status == "queued":
            self.store.take_draft(business_id, draft_id)
        return job

    def _head(self, business_id: str, draft_id: str) -> bytes:
        if not ULIDS.fullmatch(draft_id):
            raise NotFoundError("import file")
        content = self.store.open_draft(business_id, draft_id).content
        return _read(content, HEAD)


def _read(content: IO[bytes], size: int) -> bytes:
    """The first bytes; the rest is not waited for."""
    read = content.read(size)
    content.close()
    return read


def head_of(content: bytes) -> FileHead:
    """How a file begins whose first bytes these are. Raises ``UnreadableFileError``."""
    first = next((line.text for line in Lines(io.BytesIO(content), FilePosition()) if not is_blank(line.text)), "")
    if first.lstrip().startswith("{"):
        return FileHead("jsonl", _columns(_objects(content)))
    rows = CsvRows(Lines(io.BytesIO(content), FilePosition()), FilePosition(), _names, _score)
    named = [dict(zip(rows.columns, row.cells, strict=False)) for row in islice(rows, MOST_ROWS) if not row.problem]
    return FileHead("csv", _columns([dict.fromkeys(rows.columns, ""), *named]))


def dates_written(values: Iterable[str], today: date) -> tuple[str | None, str | None]:
    """How dates are written that are not ISO 8601, and one of them; nothing where only one of several ways is meant."""
    left = [value for value in values if not _is_date(value, None, today)]
    ways = [way for way in DATE_FORMATS if all(_is_date(value, way, today) for value in left)]
    return ways[0] if len(ways) == 1 else None, left[0] if left else None


def _is_date(value: str, written: str | None, today: date) -> bool:
    try:
        read_date(value, written, today)
    except ValueError:
        return False
    return True


def _names(header: Sequence[str]) -> tuple[str, ...]:
    if not any(name.strip() for name in header):
        raise UnreadableFileError("The file is empty; the first line must name the columns.")
    return tuple(name.strip() for name in header)


def _score(header: Sequence[str]) -> int:
    return sum(known_field(name) is not None for name in header)


def _objects(content: bytes) -> Iterator[Mapping[str, Any]]:
    for line in islice(Lines(io.BytesIO(content), FilePosition()), MOST_ROWS):
        try:
            read = json.loads(line.text)
        except (ValueError, RecursionError):
            continue
        if isinstance(read, dict):
            yield read


def _columns(rows: Sequence[Mapping[str, Any]] | Iterator[Mapping[str, Any]]) -> Sequence[FileColumn]:
    values: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.items():
            # A group, such as an address, is read by the names within it; a column without a name is nobody's.
            if not any(map(str.isalnum, name)) or len(name) > MAX_HEADER or name in GROUPS:
                continue
            shown = values.setdefault(name, [])
            text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
            if not is_blank(text):
                shown.append(text.strip()[:MAX_VALUE])
    return [FileColumn(name, known_field(name), shown) for name, shown in values.items()]
