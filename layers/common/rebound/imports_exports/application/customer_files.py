"""Customers as CSV or JSON Lines: reading a file row by row, and writing one that can be read again."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import IO, Any, Final

from msgspec import Struct

from rebound.consent.domain.consent import Consent
from rebound.contacts.domain.reachability import Verdict
from rebound.customers.domain import (
    COUNTED_FIELDS,
    GROUPS,
    LIST_FIELDS,
    PROFILE,
    REQUIRED_FIELDS,
    Customer,
    Kind,
    fields_of,
    members_of,
    without_groups,
)
from rebound.imports_exports.application.csv_rows import CsvRows
from rebound.imports_exports.application.file_lines import Lines, UnreadableFileError
from rebound.imports_exports.domain import FilePosition, ImportOptions
from rebound.kernel.channels import Channel
from rebound.kernel.csv_cells import defused, restored
from rebound.kernel.errors import FieldError
from rebound.kernel.times import write_time
from rebound.kernel.written_text import folded, is_blank

ID_COLUMN: Final = "customer_id"
CONSENT_COLUMNS: Final = ("email_opted_out", "email_opted_out_at", "sms_opted_out", "sms_opted_out_at")
"""The scopes that a customer has opted out of, and when; an import takes these opt-outs over."""
FLAG_COLUMNS: Final = (
    "failed_email",
    "failed_email_reason",
    "failed_email_since",
    "failed_phone",
    "failed_phone_reason",
    "failed_phone_since",
    *COUNTED_FIELDS,
)
"""The contacts' flags, and points, in an exported file; an import changes none of them, so it skips these columns."""
KNOWN_COLUMNS: Final = frozenset({ID_COLUMN, *PROFILE, *CONSENT_COLUMNS, *FLAG_COLUMNS})
LIST_COLUMNS: Final = frozenset({"email_opted_out", "sms_opted_out", *LIST_FIELDS})
READ_COLUMNS: Final = (*PROFILE, *CONSENT_COLUMNS)
OPT_OUTS_OF: Final[Mapping[str, str]] = {"email": "email_opted_out", "mobile_phone": "sms_opted_out"}
"""The column of an address's opt-outs."""
_IN_OPT_OUT_LISTS: Final = frozenset({*OPT_OUTS_OF, *CONSENT_COLUMNS})
MAX_HEADER: Final = 200
"""The most characters of a column's name in a file."""
MAX_SHOWN: Final = 64
MOST_SHOWN: Final = 10
_CUSTOMER_ID: Final = re.compile(r"[0-9a-f]{32}")
_FORMULA_OF_TEXT: Final = re.compile(r'="([^"]*)"')
"""How some systems keep a spreadsheet from reading digits as a number."""
_TAG: Final = {",": re.compile(r"(?:\\[\\;,]|[^,])+"), ";": re.compile(r"(?:\\[\\;,]|[^;])+")}
_ESCAPED: Final = re.compile(r"\\([\\;,])")


class Row(Struct, frozen=True):
    """One row: the number of its first line, and its fields or what is wrong with it.

    An empty cell is ``""`` if it says something, and left out if not; JSON's ``null`` is ``None``.
    ``customer_id`` is the one that the row itself names, if any. A row that ``is_opt_out`` is about addresses alone.
    ``place`` is where the file goes on after the row.
    """

    line: int
    given: Mapping[str, Any] | None
    error: FieldError | None = None
    customer_id: str | None = None
    is_opt_out: bool = False
    place: FilePosition = FilePosition()


def read_rows(
    file: IO[bytes],
    format_: str,
    start: FilePosition | None = None,
    options: ImportOptions = ImportOptions(),  # noqa: B008 - frozen
) -> Iterator[Row]:
    """The rows of a file, read as they are needed; ``start`` is the place at which ``file`` was opened.

    Raises ``UnreadableFileError``.
    """
    start = start or FilePosition()
    lines = Lines(file, start)
    return _csv_rows(lines, start, options) if format_ == "csv" else _json_rows(lines, options)


# --- columns ----------------------------------------------------------------------------------------------------------


class _Columns:
    """Which field a column of a file is: by the import's own mapping, else by its name in any case and spacing."""

    def __init__(self, options: ImportOptions) -> None:
        self._mapped = {plain_name(name): field for name, field in options.columns.items()}

    def field_of(self, name: str) -> str | None:
        """The field, ``""`` for a column to skip, ``None`` for one that is not known."""
        if len(name) > MAX_HEADER:
            return None
        plain = plain_name(name)
        return (self._mapped[plain] or "") if plain in self._mapped else _BY_PLAIN_NAME.get(plain)

    def score(self, header: Sequence[str]) -> int:
        """How many cells of a first line name a column."""
        return sum(self.field_of(name) is not None for name in header)

    def read(self, header: Sequence[str]) -> tuple[str, ...]:
        """The fields of a first line. Raises ``UnreadableFileError``."""
        if not any(name.strip() for name in header):
            raise UnreadableFileError("The file is empty; the first line must name the columns.")
        # A column without a heading, such as the row numbers of a data frame, is nobody's field.
        fields = [self.field_of(name) if plain_name(name) else "" for name in header]
        columns = tuple(field or "" for field in fields)
        wrong = []
        if unknown := [name.strip() for name, field in zip(header, fields, strict=True) if field is None]:
            wrong.append(
                f"it names {_listed(unknown)}, which is no column; columns are {', '.join(READ_COLUMNS)}; “columns” of "
                "the import can map names to these, or to null to skip them"
            )
        if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
            wrong.append(f"it names {_listed(twice)} more than once")
        missing = [name for name in REQUIRED_FIELDS if name not in columns]
        if missing and not is_opt_out_list(columns):
            wrong.append(f"it lacks {_listed(missing)}")
        if wrong:
            raise UnreadableFileError(f"The first line does not name the columns: {'; '.join(wrong)}.")
        return columns


def known_field(name: str) -> str | None:
    """The field that a column with this name is without being mapped; ``None`` where it is skipped or not known."""
    field = _BY_PLAIN_NAME.get(plain_name(name))
    return field if field in READ_COLUMNS or field == ID_COLUMN else None


@lru_cache(maxsize=256)
def plain_name(name: str) -> str:
    """A column's name as it is compared: its letters and digits, without case and accents."""
    return "".join(filter(str.isalnum, folded(name)))


_BY_PLAIN_NAME: Final = {plain_name(name): name for name in KNOWN_COLUMNS}


def is_opt_out_list(names: Sequence[str]) -> bool:
    """Whether columns are those of a list of opt-outs alone: addresses and their opt-outs, and nobody's name."""
    given = {name for name in names if name}
    return given <= _IN_OPT_OUT_LISTS and any(given >= pair for pair in map(set, OPT_OUTS_OF.items()))


def _listed(names: Sequence[str]) -> str:
    shown = [f"“{name[:MAX_SHOWN]}”" for name in names[:MOST_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv_rows(lines: Lines, start: FilePosition, options: ImportOptions) -> Iterator[Row]:
    columns = _Columns(options)
    rows = CsvRows(lines, start, columns.read, columns.score)
    is_opt_out = is_opt_out_list(rows.columns)
    for row in rows:
        if row.problem:
            yield Row(row.line, None, FieldError("row", row.problem), place=row.place)
            continue
        cells = zip(rows.columns, map(_read_cell, row.cells), strict=True)
        given = {name: cell for name, cell in cells if name and (cell or _tells_when_empty(name, options))}
        yield _row(row.line, given, row.place, is_opt_out=is_opt_out)


def _read_cell(cell: str) -> str:
    cell = _kept(cell)
    text = _FORMULA_OF_TEXT.fullmatch(cell)
    return text[1].strip() if text else restored(cell)


def _kept(value: str) -> str:
    return "" if is_blank(value) else value.strip()


def read_tags(cell: str) -> list[str]:
    r"""The tags of a cell: ``a;b`` or ``a,b``. A tag has ``\;``, ``\,`` and ``\\`` for a separator and a backslash.

    Where there is a semicolon, a comma does not separate.
    """
    semicolons = _ESCAPED.sub("", cell).count(";")
    return [_ESCAPED.sub(r"\1", tag) for tag in _TAG[";" if semicolons else ","].findall(cell) if tag.strip()]


def write_tags(tags: Sequence[str]) -> str:
    """The cell from which ``read_tags`` reads the same tags."""
    return ";".join(_TO_ESCAPE.sub(r"\\\g<0>", tag) for tag in tags)


_TO_ESCAPE: Final = re.compile(r"[\\;,]")


# --- JSON Lines -------------------------------------------------------------------------------------------------------


def _json_rows(lines: Lines, options: ImportOptions) -> Iterator[Row]:
    columns = _Columns(options)
    for line in lines:
        if line.problem:
            yield Row(line.number, None, FieldError("row", line.problem), place=line.place)
            continue
        if is_blank(line.text):
            continue
        try:
            read = json.loads(line.text)
        except (ValueError, RecursionError):
            yield Row(line.number, None, FieldError("row", "Is not JSON."), place=line.place)
            continue
        fields, wrong = _fields(read, columns)
        if wrong:
            yield Row(line.number, None, wrong, place=line.place)
            continue
        given = {name: value for name, value in fields.items() if value != "" or _tells_when_empty(name, options)}
        yield _row(line.number, given, line.place, is_opt_out=is_opt_out_list(list(fields)))


def _fields(read: object, columns: _Columns) -> tuple[Mapping[str, Any], FieldError | None]:
    """The fields of an object, or what is wrong with it."""
    if not isinstance(read, dict):
        return {}, FieldError("row", "Must be a JSON object.")
    fields: dict[str, Any] = {}
    for name, value in _pairs(read, columns):
        field = name if name in GROUPS and columns.field_of(name) is None else columns.field_of(name)
        shown = name[:MAX_SHOWN].encode(errors="replace").decode()
        if field is None:
            return {}, FieldError(shown, f"Is not a field; known are {', '.join(READ_COLUMNS)}.")
        if field in fields:
            return {}, FieldError(shown, "Is named more than once.")
        if field:
            fields[field] = _kept(value) if isinstance(value, str) else value
    return fields, None


def _pairs(read: Mapping[str, Any], columns: _Columns) -> Iterator[tuple[str, Any]]:
    """The fields with their values; of a group that is an object, as in the API, each by its own name.

    What of a group has no name of its own stays under the group's.
    """
    for name, value in read.items():
        if name not in GROUPS or columns.field_of(name) is not None:
            yield name, value
            continue
        members = members_of(name).keys()
        known = {each: value[each] for each in value if each in members} if isinstance(value, dict) else value
        if value is None or isinstance(value, dict):
            yield from without_groups({name: known}).items()
        if value is not None and (not isinstance(value, dict) or known != value):
            yield name, value


# --- both -------------------------------------------------------------------------------------------------------------


def _tells_when_empty(name: str, options: ImportOptions) -> bool:
    """Whether an empty cell says something: it clears what is there, or this row of several has no id."""
    return options.clears or name == "external_id"


def _row(line: int, read: Mapping[str, Any], place: FilePosition, *, is_opt_out: bool) -> Row:
    customer_id = read.get(ID_COLUMN)
    if customer_id and not (isinstance(customer_id, str) and _CUSTOMER_ID.fullmatch(customer_id)):
        message = "Must be an id of 32 hexadecimal digits, or empty; the business's own ids are external_id."
        return Row(line, None, FieldError(ID_COLUMN, message), place=place)
    given = {
        name: value for name, value in read.items() if name in PROFILE or name in CONSENT_COLUMNS or name in GROUPS
    }
    return Row(line, given, customer_id=customer_id or None, is_opt_out=is_opt_out, place=place)


# --- writing ----------------------------------------------------------------------------------------------------------

COLUMNS: Final = (ID_COLUMN, *PROFILE, *CONSENT_COLUMNS, *FLAG_COLUMNS)
"""The columns of a file that is written, in their order."""
_FLAGS: Final = {"failed_email": Channel.EMAIL, "failed_phone": Channel.SMS}
_NUMBERS: Final = frozenset(fields_of(Kind.PHONE))


def write_header(format_: str) -> bytes:
    """What a file begins with: the header of a CSV file, nothing for JSON Lines."""
    return csv_line(COLUMNS) if format_ == "csv" else b""


def write_row(
    format_: str, customer: Customer, verdicts: Mapping[Channel, Verdict], consents: Mapping[Channel, Consent]
) -> bytes:
    """A customer as one row, from which an import reads the same profile and the same opt-outs.

    All opt-outs of a channel get the time of the latest: given an earlier time, one could be undone by an older opt-in.

    A cell of CSV that a spreadsheet would take for a formula gets an apostrophe in front, which an import takes off
    again; phone numbers (``+`` and digits) stay as they are.
    """
    values: dict[str, Any] = {name: getattr(customer, name) for name in (ID_COLUMN, *PROFILE, *COUNTED_FIELDS)}
    for name, channel in _FLAGS.items():
        verdict = verdicts.get(channel)
        values[name] = verdict and verdict.invalid
        values[f"{name}_reason"] = verdict and verdict.reason
        values[f"{name}_since"] = verdict and verdict.since
    for channel in Channel:
        consent = consents.get(channel, Consent())
        values[f"{channel}_opted_out"] = consent.opted_out
        opted_out_at = [opt_out.at for scope in consent.opted_out if (opt_out := consent.of(scope).opt_out) is not None]
        values[f"{channel}_opted_out_at"] = max(opted_out_at) if opted_out_at else None
    if format_ == "csv":
        return csv_line([_write_cell(name, values[name]) for name in COLUMNS])
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=_write_value).encode() + b"\n"


def csv_line(cells: Sequence[str]) -> bytes:
    """A line of CSV."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _write_cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    cell = write_tags(value) if name in LIST_COLUMNS else value if isinstance(value, str) else _write_value(value)
    return defused(cell, is_number=name in _NUMBERS)


def _write_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return write_time(value)
    text: str = value.isoformat()
    return text
