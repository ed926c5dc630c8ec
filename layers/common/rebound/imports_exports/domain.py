"""What is kept of an import or an export while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from msgspec import Struct, field

from rebound.kernel.errors import FieldError


class FilePosition(Struct, frozen=True):
    """Where a row ends, in bytes and lines from the start of the file. ``columns`` are those of a CSV file."""

    offset: int = 0
    line: int = 0
    columns: tuple[str, ...] | None = None


class Splitting(Struct, frozen=True):
    """How far a file has been divided into parts.

    ``place`` is where the splitting goes on, in the ``version`` of the file that it began with. All parts get a piece
    each at a time, in the order of the file; ``pieces`` is how many have been written of each part.
    """

    parts: int
    version: str
    place: FilePosition = field(default_factory=FilePosition)
    rows: int = 0
    pieces: int = 0
    done: bool = False


class ImportJob(Struct, frozen=True):
    """An import of customers: its file, and how far that has been read."""

    business_id: str
    import_id: str
    format: str
    status: str
    created_at: datetime
    splitting: Splitting | None = None
    failure: str | None = None


class RowCounts(Struct, frozen=True):
    """Rows that have been dealt with: ``rows`` = ``created`` + ``updated`` + ``unchanged`` + ``failed``."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.rows + other.rows,
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.failed + other.failed,
        )


class PartProgress(Struct, frozen=True):
    """How far a part of an import is: its first ``counts.rows`` rows are done, ``reported`` of them kept as bad."""

    import_id: str
    part: int
    counts: RowCounts = field(default_factory=RowCounts)
    reported: int = 0
    version: int = 0


class BadRow(Struct, frozen=True):
    """A row that was not imported: the line of the file where it begins, and everything that is wrong with it."""

    line: int
    errors: tuple[FieldError, ...]


class ImportFile(Struct, frozen=True):
    """A file, opened at an offset. ``size`` is that of the whole file; a replaced file has another ``version``."""

    content: IO[bytes]
    size: int
    version: str


class ExportJob(Struct, frozen=True):
    """An export of customers and how far its file is.

    ``wanted`` holds the fields of a ``CustomerFilter``. ``parts`` holds the tags of the upload's parts written so far,
    ``rest`` the name of what was set aside as too small for a part; ``written`` says whether all rows are in parts.
    """

    business_id: str
    export_id: str
    format: str
    status: str
    created_at: datetime
    wanted: Mapping[str, Any]
    rows: int = 0
    cursor: str | None = None
    upload_id: str | None = None
    parts: tuple[str, ...] = ()
    rest: int | None = None
    written: bool = False
    failure: str | None = None
