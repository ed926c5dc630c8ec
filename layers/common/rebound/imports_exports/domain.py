"""What is kept of an import or an export while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from msgspec import Struct, field

from rebound.kernel.errors import FieldError


class FilePosition(Struct, frozen=True):
    """Where a row ends: behind so many bytes and lines of the file. ``columns`` are a CSV file's own."""

    offset: int = 0
    line: int = 0
    columns: tuple[str, ...] | None = None


class Splitting(Struct, frozen=True):
    """How far a file has been divided into parts.

    ``place`` is where it goes on, in the ``version`` of the file that was begun with. Each part gets one piece at a
    time, in the order of the file: ``pieces`` are written of each.
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
    """How far one part of an import is: its first ``counts.rows`` rows are done. ``reported`` rows of them are bad."""

    import_id: str
    part: int
    counts: RowCounts = field(default_factory=RowCounts)
    reported: int = 0
    version: int = 0


class BadRow(Struct, frozen=True):
    """A row of an import that did not go in: the line of the file where it begins, and everything wrong with it."""

    line: int
    errors: tuple[FieldError, ...]


class ImportFile(Struct, frozen=True):
    """A file from somewhere on. ``size`` is that of the whole file; ``version`` differs when it has been replaced."""

    content: IO[bytes]
    size: int
    version: str


class ExportJob(Struct, frozen=True):
    """An export of customers and how far its file is.

    ``wanted`` are the fields of a ``CustomerFilter``. ``parts`` are the tags of the parts of the ``upload_id`` that are
    written, ``rest`` the name of what is too small for one; ``written`` when all of it is in parts.
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
