"""What is kept of an import or an export while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, Final

from msgspec import Struct, field

from rebound.kernel.errors import FieldError


class FilePosition(Struct, frozen=True):
    """Where a row ends, in bytes and lines from the start of the file, and what has been learnt of the file till there.

    ``columns`` and ``separator`` are those of a CSV file, ``""`` for a column that is skipped. ``encoding`` is ``""``
    while all was ASCII.
    """

    offset: int = 0
    line: int = 0
    columns: tuple[str, ...] | None = None
    separator: str = ","
    encoding: str = ""


class ImportOptions(Struct, frozen=True):
    """How the file of an import is to be read, and what it may do.

    ``columns`` maps what the file calls a column to the field that it is, or to ``None`` for one to skip. Without
    ``clears``, an empty cell keeps what is there. ``date_format`` is one in which dates may be written besides ISO
    8601. A row without an id is about the customer who has the same name and the same address of those in
    ``match_by``. ``protect`` names fields of known customers that are not overwritten; ``None`` stands for those that
    were edited by hand since the file last had another value.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    clears: bool = False
    date_format: str | None = None
    match_by: tuple[str, ...] = ("email", "mobile_phone")
    protect: tuple[str, ...] | None = None


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
    """An import of customers: its file, and how far that has been read.

    ``files`` says of each file about it that the closing has dealt with whether there is something in it. ``by`` is the
    email of whoever asked for it; ``None`` for a program.
    """

    business_id: str
    import_id: str
    format: str
    status: str
    created_at: datetime
    splitting: Splitting | None = None
    failure: str | None = None
    options: ImportOptions = field(default_factory=ImportOptions)
    files: Mapping[str, bool] = field(default_factory=dict)
    by: str | None = None

    def file_id(self, name: str) -> str:
        """The name under which one of its files is kept."""
        return f"{self.import_id}-{name}"


RESULT_FILE: Final = "result"
ERRORS_FILE: Final = "errors"


class RowCounts(Struct, frozen=True):
    """Rows that have been dealt with: ``rows`` = ``created`` + ``updated`` + ``unchanged`` + ``failed``.

    ``incomplete`` are those of the first three kinds that went in without some of their fields.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    incomplete: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.rows + other.rows,
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.failed + other.failed,
            self.incomplete + other.incomplete,
        )


LOCKED: Final = "locked: the profile is the customer's own, and only they change this. It was kept."
"""What is wrong with a field that only the customer changes."""


def code_of_problem(message: str) -> str | None:
    """The name of what is wrong with a field, for programs; ``None`` where only people are told."""
    return "locked" if message == LOCKED else None


class Problem(Struct, frozen=True, order=True):
    """What is wrong with a field of some rows: an ``error`` refuses the row, a ``warning`` leaves the field out."""

    kind: str
    field: str
    reason: str


class BadRow(Struct, frozen=True):
    """A row with something wrong, by the line of the file where it begins.

    With ``errors`` it was not imported; with ``warnings`` alone it was, without these fields.
    """

    line: int
    errors: tuple[FieldError, ...] = ()
    warnings: tuple[FieldError, ...] = ()

    @property
    def problems(self) -> Sequence[Problem]:
        """Everything that is wrong with it."""
        return [
            *(Problem("error", error.field, error.message) for error in self.errors),
            *(Problem("warning", warning.field, warning.message) for warning in self.warnings),
        ]


OTHER_PROBLEMS: Final = ("other", "Something else; the file of errors has it.")
MOST_PROBLEMS: Final = 50
"""Different problems that are counted by themselves for each part."""


def counted(problems: Mapping[Problem, int], rows: Iterable[BadRow]) -> Mapping[Problem, int]:
    """The problems with those of further rows."""
    counts = dict(problems)
    for row in rows:
        for problem in row.problems:
            is_kept = problem in counts or len(counts) < MOST_PROBLEMS
            kept = problem if is_kept else Problem(problem.kind, *OTHER_PROBLEMS)
            counts[kept] = counts.get(kept, 0) + 1
    return counts


class PartProgress(Struct, frozen=True):
    """How far a part of an import is: its first ``counts.rows`` rows are done.

    ``reported`` of its bad rows and ``warned`` of its incomplete ones are kept to be shown; ``problems`` counts
    whatever was wrong with any row.
    """

    import_id: str
    part: int
    counts: RowCounts = field(default_factory=RowCounts)
    reported: int = 0
    version: int = 0
    warned: int = 0
    problems: Mapping[Problem, int] = field(default_factory=dict)


class RowOutcome(Struct, frozen=True):
    """What became of a row: which customer it was about, and what was done."""

    line: int
    outcome: str
    external_id: str | None
    customer_id: str


RUNS: Final = (0, 1)


class BatchReport(Struct, frozen=True):
    """The rows of one transaction: ``first`` is the number of the first of them within their part, from 0.

    ``outcomes`` are of the rows that are in and hold, ``bad_rows`` of those with something wrong; both by line. Those
    with an id are the first ``run`` of a part, the others the second; each run is in the order of the file.
    """

    run: int
    first: int
    outcomes: tuple[RowOutcome, ...] = ()
    bad_rows: tuple[BadRow, ...] = ()


class ImportFile(Struct, frozen=True):
    """A file, opened at an offset. ``size`` is that of the whole file; a replaced file has another ``version``."""

    content: IO[bytes]
    size: int
    version: str


class UploadForm(Struct, frozen=True):
    """What a form has to send, before a file of at most ``most_bytes``, to bring it to ``url``."""

    url: str
    fields: Mapping[str, str]
    most_bytes: int


class ExportJob(Struct, frozen=True):
    """An export of customers and how far its file is.

    ``wanted`` holds the fields of a ``CustomerFilter``. ``parts`` holds the tags of the upload's parts written so far,
    ``rest`` the name of what was set aside as too small for a part; ``written`` says whether all rows are in parts.
    ``by`` is the email of whoever asked for it; ``None`` for a program.
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
    by: str | None = None
