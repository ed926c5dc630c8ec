"""The rows of a CSV file (RFC 4180) as spreadsheets and booking systems write them.

The separator is the one with which the first line names most columns: Excel writes ``;`` wherever the comma separates
decimals, and a tab when asked to. A quote that nobody closed would swallow all rows up to the next quote. So a row over
several lines that does not end as a row should is given up at the line where its quote opens, and what follows that
line is read again.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.imports_exports.application.file_lines import MAX_LINE, UnreadableFileError
from rebound.imports_exports.domain import FilePosition
from rebound.kernel.written_text import is_blank

if TYPE_CHECKING:
    from rebound.imports_exports.application.file_lines import Line

SEPARATORS: Final = (",", ";", "\t", "|")
_NAMED_SEPARATOR: Final = re.compile(
    r"""\s*"?sep="?(?P<separator>[^"\s]|\t)(?:[\s,;|"]|(?P=separator))*""", re.IGNORECASE
)
"""A first line in which Excel says which separator a file has; other programs quote it, or fill it up."""
_BREAK: Final = re.compile(r"[\r\n]")


class CsvRow(Struct, frozen=True):
    """The cells of a row, as many as there are columns, or what is wrong with it; ``place`` is the one behind it."""

    line: int
    cells: Sequence[str]
    place: FilePosition
    problem: str | None = None


class CsvRows:
    """Iterates over the rows of a file that have something in them.

    ``read_header`` makes the columns' names of the cells of the first line, ``""`` for one that is skipped, and raises
    ``UnreadableFileError``. ``score`` says how many of the cells of a first line name a column.
    """

    def __init__(
        self,
        lines: Iterable[Line],
        start: FilePosition,
        read_header: Callable[[Sequence[str]], tuple[str, ...]],
        score: Callable[[Sequence[str]], int],
    ) -> None:
        self._lines = iter(lines)
        self._again: deque[Line] = deque()
        self._separator = start.separator
        self.columns = start.columns if start.columns is not None else self._header(read_header, score)

    def __iter__(self) -> Iterator[CsvRow]:
        while (line := self._next()) is not None:
            if line.problem:
                yield self._refused(line, line.problem)
            elif not is_blank(line.text):
                row = self._row(line)
                if row.problem or not all(map(is_blank, row.cells)):
                    yield row

    def _next(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def _header(
        self, read_header: Callable[[Sequence[str]], tuple[str, ...]], score: Callable[[Sequence[str]], int]
    ) -> tuple[str, ...]:
        line = self._next()
        named = _NAMED_SEPARATOR.fullmatch(line.text) if line is not None else None
        if named is not None:
            line = self._next()
        while line is not None and not line.problem and is_blank(line.text):
            line = self._next()
        if line is None:
            raise UnreadableFileError("The file is empty; the first line must name the columns.")
        if line.problem:
            raise UnreadableFileError(
                f"Line {line.number}, which must name the columns, cannot be read: {line.problem}"
            )
        separators = SEPARATORS if named is None else (named["separator"],)
        read = {separator: _cells_of_line(line.text, separator) for separator in separators}
        whole = {separator: cells for separator, cells in read.items() if cells is not None}
        if not whole:
            raise UnreadableFileError(f"Line {line.number}, which must name the columns, has a quote too many.")
        self._separator = max(whole, key=lambda separator: (score(whole[separator]), len(whole[separator])))
        cells = whole[self._separator]
        while len(cells) > 1 and is_blank(cells[-1]):
            cells = cells[:-1]
        return read_header(cells)

    def _row(self, first: Line) -> CsvRow:
        if '"' not in first.text:
            return self._counted(first.number, first.text.rstrip("\r\n").split(self._separator), first)
        cutter = _Cutter(self._separator)
        taken = [first]
        try:
            cutter.feed(first.text)
            while cutter.is_open:
                line = self._next()
                if line is None:
                    return self._unclosed(taken, cutter.opened)
                taken.append(line)
                if line.problem or line.place.offset - first.place.offset > MAX_LINE:
                    return self._unclosed(taken, cutter.opened)
                cutter.feed(line.text)
        except _StrayQuoteError:
            if len(taken) > 1:
                return self._unclosed(taken, cutter.opened)
            return self._refused(first, "Has a quote inside of a cell that is not quoted, or behind one that is.")
        if self._has_swallowed_rows(cutter.cells, taken):
            return self._unclosed(taken, cutter.opened)
        return self._counted(first.number, cutter.cells, taken[-1])

    def _has_swallowed_rows(self, cells: Sequence[str], taken: Sequence[Line]) -> bool:
        """Whether a quote seems to be closed by one that belongs to another row: what lies between looks like rows.

        Nothing good is lost: no column that is read takes a line break, and a row of too many or few cells is bad.
        """
        between = [line.text for line in taken[1:-1] if line.text.strip()]
        if not between or any('"' in text or len(text.split(self._separator)) != len(self.columns) for text in between):
            return False
        is_whole = len(cells) == len(self.columns)
        return not is_whole or any(name and _BREAK.search(cell) for name, cell in zip(self.columns, cells, strict=True))

    def _unclosed(self, taken: Sequence[Line], opened: int) -> CsvRow:
        """Give up the row whose quote opens in the ``opened``-th line, and read again what follows that line."""
        self._again.extendleft(reversed(taken[opened + 1 :]))
        return self._refused(taken[opened], "Has a quote that is not closed in this row.")

    def _counted(self, line: int, cells: list[str], last: Line) -> CsvRow:
        wanted = len(self.columns)
        while len(cells) > wanted and is_blank(cells[-1]):
            del cells[-1]
        problem = None
        # Of blank cells nothing is known to be missing: the row is no row.
        if len(cells) != wanted and not all(map(is_blank, cells)):
            problem = f"Has {len(cells)} cells where the first line names {wanted}."
        return CsvRow(line, cells, self._place(last), problem)

    def _refused(self, line: Line, problem: str) -> CsvRow:
        return CsvRow(line.number, (), self._place(line), problem)

    def _place(self, last: Line) -> FilePosition:
        return replace(last.place, columns=self.columns, separator=self._separator)


class _StrayQuoteError(Exception):
    """A quote that neither opens nor closes a cell."""


class _Cutter:
    """Cuts one row into cells; a row whose last cell ``is_open`` goes on in the next line.

    ``opened`` is the number of the line, from 0, in which the last cell of several lines opens.
    """

    def __init__(self, separator: str) -> None:
        self.cells: list[str] = []
        self.is_open = False
        self.opened = 0
        self._fed = 0
        self._separator = separator
        self._parts: list[str] = []
        blank = " " if separator == "\t" else " \t"
        self._opening = re.compile(f'[{blank}]*"')
        self._blank = re.compile(f"[{blank}]*")

    def feed(self, line: str) -> None:
        """Take another line, with its line end. Raises ``_StrayQuoteError``."""
        known = len(self.cells)
        at = self._quoted(line, 0) if self.is_open else self._cell(line, 0)
        while at is not None:
            at = self._cell(line, at)
        if self.is_open and len(self.cells) > known:
            self.opened = self._fed
        self._fed += 1

    def _cell(self, line: str, at: int) -> int | None:
        """Cut the cell that begins at a place; returns the place of the next one, if the line has one."""
        opening = self._opening.match(line, at)
        if opening:
            self.is_open = True
            self._parts = []
            return self._quoted(line, opening.end())
        end = line.find(self._separator, at)
        cell = line[at:].rstrip("\r\n") if end < 0 else line[at:end]
        if cell.count('"') % 2:
            raise _StrayQuoteError
        self.cells.append(cell)
        return None if end < 0 else end + 1

    def _quoted(self, line: str, at: int) -> int | None:
        """Go on within quotes; a quote written twice is a quote."""
        while True:
            end = line.find('"', at)
            if end < 0:
                self._parts.append(line[at:])
                return None
            twice = line.startswith('"', end + 1)
            self._parts.append(line[at : end + twice])
            if not twice:
                break
            at = end + 2
        self.is_open = False
        self.cells.append("".join(self._parts))
        behind = self._blank.match(line, end + 1)
        after = behind.end() if behind else end + 1
        if not line[after:].rstrip("\r\n"):
            return None
        if line[after] != self._separator:
            raise _StrayQuoteError
        return after + 1


def _cells_of_line(text: str, separator: str) -> list[str] | None:
    """The cells of a row of one line; ``None`` when its quotes do not fit."""
    cutter = _Cutter(separator)
    try:
        cutter.feed(text)
    except _StrayQuoteError:
        return None
    return None if cutter.is_open else cutter.cells
