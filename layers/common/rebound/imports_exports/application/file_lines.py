"""The lines of a file that somebody uploads: its encoding, its line ends, and where each line ends in bytes.

Spreadsheets and booking systems write UTF-8, with or without a byte order mark, UTF-16, and Windows-1252; some scripts
write UTF-32. What is neither UTF-16 nor UTF-32 is read as UTF-8 until the first line that is not; from there on such
lines are Windows-1252, unless an earlier line beyond ASCII was UTF-8: then the line is damaged, and costs its row.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Final

from msgspec import Struct

from rebound.imports_exports.domain import FilePosition
from rebound.kernel.errors import ReboundError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE: Final = 64 * 1024
"""The most bytes of a line, or of a CSV row of several lines."""
_BLOCK: Final = 64 * 1024
_END_OF_FILE: Final = "\x1a"
"""Ctrl-Z, with which programs of DOS end a text file; at the end of a line it means nothing."""
_BYTE_ORDER_MARK: Final = "\ufeff"
_UTF_8: Final = "utf-8"
_WINDOWS: Final = "cp1252"
_WORKBOOK: Final = (
    "The file is an Excel workbook, not text. Save it as “CSV UTF-8 (comma delimited)” in Excel (File, Save As), or "
    "download it as CSV, and import that."
)
_SIGNATURES: Final = {
    # A ZIP archive, which .xlsx, .ods and .numbers are; https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
    b"PK\x03\x04": _WORKBOOK,
    b"PK\x05\x06": _WORKBOOK,
    # An OLE compound file, which .xls is.
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _WORKBOOK,
    b"\x1f\x8b": "The file is compressed. Unpack it, and import the CSV or JSON Lines file inside.",
    b"%PDF": "The file is a PDF, not text. Export the list as CSV, and import that.",
}


class UnreadableFileError(ReboundError):
    """The file as a whole cannot be read; the import fails with this reason."""


class Line(Struct, frozen=True):
    """A line with its line end, its number from 1, and the place behind it; or what is wrong with the line."""

    text: str
    number: int
    place: FilePosition
    problem: str | None = None


class Lines:
    """Iterates over the lines from a place on, the one at which ``file`` was opened; one line in memory at a time.

    Raises ``UnreadableFileError`` for a file that is no text.
    """

    def __init__(self, file: IO[bytes], start: FilePosition) -> None:
        self._encoding = start.encoding
        self._number = start.line
        self._offset = start.offset
        head = b""
        if not start.offset:
            head = file.read(_BLOCK)
            self._encoding = _encoding_of(head)
        # Each byte a character, so that a line can be measured, and decoded by itself.
        self._text = io.TextIOWrapper(
            io.BufferedReader(_Continued(head, file), _BLOCK),
            encoding=self._encoding if self._is_wide else "latin-1",
            errors="surrogatepass" if self._is_wide else "strict",
            newline="",
        )

    def __iter__(self) -> Iterator[Line]:
        while read := self._read():
            self._number += 1
            rest, too_long = read, False
            while len(rest) > MAX_LINE and not rest.endswith(("\n", "\r")):
                too_long = True
                rest = self._read()
            if too_long:
                yield self._line("", f"Is longer than {MAX_LINE} bytes.")
                continue
            try:
                text = read if self._is_wide or read.isascii() else self._decoded(read.encode("latin-1"))
            except UnicodeDecodeError:
                yield self._line("", "Is not text in UTF-8 or Windows-1252, or is damaged.")
                continue
            yield self._line(text.removeprefix(_BYTE_ORDER_MARK) if self._number == 1 else text)

    @property
    def _is_wide(self) -> bool:
        return self._encoding.startswith(("utf-16", "utf-32"))

    def _read(self) -> str:
        try:
            read = self._text.readline(MAX_LINE + 1)
        except UnicodeDecodeError:
            raise UnreadableFileError(
                f"The file is not {self._encoding[:6].upper()} text: see line {self._number + 1}."
            ) from None
        self._offset += len(read.encode(self._encoding, "surrogatepass")) if self._is_wide else len(read)
        return read

    def _decoded(self, content: bytes) -> str:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            if self._encoding == _UTF_8:
                raise
            text = content.decode(_WINDOWS)
            self._encoding = _WINDOWS
            return text
        self._encoding = self._encoding or _UTF_8
        return text

    def _line(self, text: str, problem: str | None = None) -> Line:
        place = FilePosition(self._offset, self._number, encoding=self._encoding)
        if _END_OF_FILE in text:
            body = text.rstrip("\r\n")
            text = body.rstrip(_END_OF_FILE) + text[len(body) :]
        return Line(text, self._number, place, problem)


class _Continued(io.RawIOBase):
    """The rest of a stream behind what was read of it already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        block = self._head[: len(view)] or self._rest.read(len(view))
        self._head = self._head[len(view) :]
        view[: len(block)] = block
        return len(block)


def _encoding_of(head: bytes) -> str:
    """UTF-16 or UTF-32 by its byte order mark, or the zero bytes of its ASCII characters; ``""`` for any other."""
    for signature, reason in _SIGNATURES.items():
        if head.startswith(signature):
            raise UnreadableFileError(reason)
    # Before UTF-16, whose mark begins in the same way.
    if head.startswith(b"\xff\xfe\0\0") or (head[1:4] == b"\0\0\0" and head[:1] != b"\0"):
        return "utf-32-le"
    if head.startswith(b"\0\0\xfe\xff") or (head[:3] == b"\0\0\0" and head[3:4] not in {b"\0", b""}):
        return "utf-32-be"
    if head.startswith(b"\xff\xfe") or (head[1:2] == head[3:4] == b"\0" and head[:1] != b"\0"):
        return "utf-16-le"
    if head.startswith(b"\xfe\xff") or (head[:1] == head[2:3] == b"\0" and head[1:2] != b"\0"):
        return "utf-16-be"
    return ""
