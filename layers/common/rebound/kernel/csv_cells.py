"""Cells of CSV files that a spreadsheet will open."""

import re
from typing import Final

_FORMULA: Final = re.compile(r"'*[=+\-@]")


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
