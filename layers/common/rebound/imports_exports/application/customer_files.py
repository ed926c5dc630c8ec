"""Customers as CSV or JSON Lines: reading a file row by row, and writing one that can be read again."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import UTC
from typing import IO, Any, Final

from msgspec import Struct

from rebound.consent.domain.consent import Consent
from rebound.contacts.domain.reachability import Verdict
from rebound.customers.domain import PROFILE, REQUIRED_FIELDS, Customer, Kind, fields_of
from rebound.imports_exports.domain import FilePosition
from rebound.kernel.channels import Channel
from rebound.kernel.csv_cells import defused, restored
from rebound.kernel.errors import FieldError, ReboundError

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
)
"""The contacts' flags in an exported file; an import changes no flags, so it skips these columns."""
KNOWN_COLUMNS: Final = frozenset({ID_COLUMN, *PROFILE, *CONSENT_COLUMNS, *FLAG_COLUMNS})
LIST_COLUMNS: Final = frozenset({"email_opted_out", "sms_opted_out", *fields_of(Kind.TAGS)})
READ_COLUMNS: Final = (*PROFILE, *CONSENT_COLUMNS)
MAX_LINE: Final = 64 * 1024
"""The most characters of a line."""
MAX_SHOWN: Final = 64
MOST_SHOWN: Final = 10
_BYTE_ORDER_MARK: Final = "\ufeff"
_CUSTOMER_ID: Final = re.compile(r"[0-9a-f]{32}")
_TAG: Final = re.compile(r"(?:\\[\\;]|[^;])+")
_ESCAPED: Final = re.compile(r"\\([\\;])")


class UnreadableFileError(ReboundError):
    """The file as a whole cannot be read; the import fails with this reason."""


class Row(Struct, frozen=True):
    """One row: the number of its first line, and its fields or what is wrong with it.

    ``customer_id`` is the one that the row itself names, if any; ``place`` is where the file goes on after the row.
    """

    line: int
    given: Mapping[str, Any] | None
    error: FieldError | None = None
    customer_id: str | None = None
    place: FilePosition = FilePosition()


def read_rows(file: IO[bytes], format_: str, start: FilePosition | None = None) -> Iterator[Row]:
    """The rows of a file, read as they are needed; ``start`` is the place at which ``file`` was opened.

    Raises ``UnreadableFileError``.
    """
    start = start or FilePosition()
    lines = _Lines(file, start)
    try:
        yield from _csv_rows(lines, start.columns) if format_ == "csv" else _json_rows(lines)
    except UnicodeDecodeError:
        raise UnreadableFileError(
            f"The file is not UTF-8 text: see line {lines.number + 1} or one soon after."
        ) from None
    except csv.Error as error:
        raise UnreadableFileError(f"The file is not CSV: {error}, at line {lines.number}.") from None


class _Lines:
    """Lines of text with their line ends, counted and measured in bytes; never more than one in memory."""

    def __init__(self, file: IO[bytes], start: FilePosition) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self.number = start.line
        self.offset = start.offset

    @property
    def place(self) -> FilePosition:
        return FilePosition(self.offset, self.number)

    def __iter__(self) -> Iterator[str]:
        while line := self._read():
            if len(line) > MAX_LINE and not line.endswith(("\n", "\r")):
                raise UnreadableFileError(f"Line {self.number} is longer than {MAX_LINE} characters.")
            yield line

    def shortened(self) -> Iterator[tuple[str, bool]]:
        """Each line, and whether it is too long; only the beginning of a line that is."""
        while line := self._read():
            rest, too_long = line, False
            while len(rest) > MAX_LINE and not rest.endswith(("\n", "\r")):
                too_long = True
                rest = self._text.readline(MAX_LINE + 1)
                self.offset += len(rest.encode())
            yield line, too_long

    def _read(self) -> str:
        line = self._text.readline(MAX_LINE + 1)
        self.offset += len(line.encode())
        if line:
            self.number += 1
        return line.removeprefix(_BYTE_ORDER_MARK) if self.number == 1 else line


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv_rows(lines: _Lines, columns: tuple[str, ...] | None) -> Iterator[Row]:
    reader = csv.reader(iter(lines), strict=True)
    if columns is None:
        columns = _checked_columns(next(reader, []))
    while True:
        first = lines.number + 1
        cells = next(reader, None)
        if cells is None:
            return
        if not cells:
            continue
        place = replace(lines.place, columns=columns)
        if len(cells) != len(columns):
            message = f"Has {len(cells)} cells where the first line names {len(columns)}."
            yield Row(first, None, FieldError("row", message), place=place)
            continue
        read = {name: _read_cell(name, cell) for name, cell in zip(columns, cells, strict=True)}
        yield _row(first, read, place)


def _checked_columns(header: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(name.strip() for name in header)
    if not any(columns):
        raise UnreadableFileError("The file is empty; the first line must name the columns.")
    known = ", ".join(READ_COLUMNS)
    wrong = []
    if unknown := [name for name in columns if name not in KNOWN_COLUMNS]:
        wrong.append(f"it names {_listed(unknown)}, which is no column; columns are {known}")
    if twice := sorted({name for name in columns if columns.count(name) > 1 and name in KNOWN_COLUMNS}):
        wrong.append(f"it names {_listed(twice)} more than once")
    if missing := [name for name in REQUIRED_FIELDS if name not in columns]:
        wrong.append(f"it lacks {_listed(missing)}")
    if wrong:
        raise UnreadableFileError(f"The first line does not name the columns: {'; '.join(wrong)}.")
    return columns


def _listed(names: Sequence[str]) -> str:
    shown = [f"“{name[:MAX_SHOWN]}”" for name in names[:MOST_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _read_cell(name: str, cell: str) -> object:
    cell = restored(cell.strip())
    if name in LIST_COLUMNS:
        return read_tags(cell)
    return cell or None


def read_tags(cell: str) -> list[str]:
    r"""The tags of a cell: ``a;b``, and within a tag ``\;`` for a semicolon and ``\\`` for a backslash."""
    return [_ESCAPED.sub(r"\1", tag) for tag in _TAG.findall(cell) if tag.strip()]


def write_tags(tags: Sequence[str]) -> str:
    """The cell from which ``read_tags`` reads the same tags."""
    return ";".join(tag.replace("\\", "\\\\").replace(";", "\\;") for tag in tags)


# --- JSON Lines -------------------------------------------------------------------------------------------------------


def _json_rows(lines: _Lines) -> Iterator[Row]:
    for written, too_long in lines.shortened():
        line, place = lines.number, lines.place
        if too_long:
            message = f"Is longer than {MAX_LINE} characters."
            yield Row(line, None, FieldError("row", message), place=place)
            continue
        if not written.strip():
            continue
        try:
            read = json.loads(written)
        except (ValueError, RecursionError):
            yield Row(line, None, FieldError("row", "Is not JSON."), place=place)
            continue
        wrong = _wrong_shape(read)
        yield Row(line, None, wrong, place=place) if wrong else _row(line, read, place)


def _wrong_shape(given: object) -> FieldError | None:
    if not isinstance(given, dict):
        return FieldError("row", "Must be a JSON object.")
    for name, value in given.items():
        if name in FLAG_COLUMNS:
            continue
        if name not in KNOWN_COLUMNS:
            shown = name[:MAX_SHOWN].encode(errors="replace").decode()
            return FieldError(shown, f"Is not a field; known are {', '.join(READ_COLUMNS)}.")
        if name in LIST_COLUMNS:
            if not (value is None or (isinstance(value, list) and all(isinstance(tag, str) for tag in value))):
                return FieldError(name, "Must be a list of texts.")
        elif not (value is None or isinstance(value, str)):
            return FieldError(name, "Must be a text or null.")
    return None


# --- both -------------------------------------------------------------------------------------------------------------


def _row(line: int, read: Mapping[str, Any], place: FilePosition) -> Row:
    customer_id = read.get(ID_COLUMN)
    if customer_id and not _CUSTOMER_ID.fullmatch(customer_id):
        return Row(line, None, FieldError(ID_COLUMN, "Must be an id of 32 hexadecimal digits, or empty."), place=place)
    given = {name: value for name, value in read.items() if name in PROFILE or name in CONSENT_COLUMNS}
    return Row(line, given, customer_id=customer_id or None, place=place)


# --- writing ----------------------------------------------------------------------------------------------------------

COLUMNS: Final = (ID_COLUMN, *PROFILE, *CONSENT_COLUMNS, *FLAG_COLUMNS)
"""The columns of a file that is written, in their order."""
_FLAGS: Final = {"failed_email": Channel.EMAIL, "failed_phone": Channel.SMS}
_NUMBERS: Final = frozenset(fields_of(Kind.PHONE))


def write_header(format_: str) -> bytes:
    """What a file begins with: the header of a CSV file, nothing for JSON Lines."""
    return _csv_line(COLUMNS) if format_ == "csv" else b""


def write_row(
    format_: str, customer: Customer, verdicts: Mapping[Channel, Verdict], consents: Mapping[Channel, Consent]
) -> bytes:
    """A customer as one row, from which an import reads the same profile and the same opt-outs.

    All opt-outs of a channel get the time of the latest: given an earlier time, one could be undone by an older opt-in.

    A cell of CSV that a spreadsheet would take for a formula gets an apostrophe in front, which an import takes off
    again; phone numbers (``+`` and digits) stay as they are.
    """
    values: dict[str, Any] = {name: getattr(customer, name) for name in (ID_COLUMN, *PROFILE)}
    for name, channel in _FLAGS.items():
        verdict = verdicts.get(channel)
        values[name] = verdict and verdict.invalid
        values[f"{name}_reason"] = verdict and verdict.reason
        values[f"{name}_since"] = verdict and verdict.since and verdict.since.astimezone(UTC)
    for channel in Channel:
        consent = consents.get(channel, Consent())
        values[f"{channel}_opted_out"] = consent.opted_out
        opted_out_at = [opt_out.at for scope in consent.opted_out if (opt_out := consent.of(scope).opt_out) is not None]
        values[f"{channel}_opted_out_at"] = max(opted_out_at).astimezone(UTC) if opted_out_at else None
    if format_ == "csv":
        return _csv_line([_write_cell(name, values[name]) for name in COLUMNS])
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=_write_value).encode() + b"\n"


def _csv_line(cells: Sequence[str]) -> bytes:
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
    text: str = value.isoformat()
    return text.replace("+00:00", "Z")
