"""Cells of CSV files that a spreadsheet will open.

A spreadsheet takes a cell for a formula that begins with ``=``, ``+``, ``-`` or ``@``, also in full width, and some do
so behind spaces of any kind and characters that nobody sees. Source: OWASP, "CSV Injection".
"""

import re
from typing import Final

_FORMULA_SIGNS: Final = frozenset("=+-@\N{MINUS SIGN}")
_BLANK: Final = frozenset(
    "'\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}"
    "\N{BRAILLE PATTERN BLANK}\N{MUSICAL SYMBOL NULL NOTEHEAD}"
    "\N{EGYPTIAN HIEROGLYPH FULL BLANK}\N{EGYPTIAN HIEROGLYPH HALF BLANK}"
)
"""Besides separators, control and format characters, and marks: what shows as nothing, and our own apostrophe.

Most of these are letters to Python.
"""
_NUMBER: Final = re.compile(r"\+[0-9]+")


def defused(cell: str, *, is_number: bool = False) -> str:
    """A cell that no spreadsheet takes for a formula: one like it gets an apostrophe in front.

    With ``is_number`` a phone number (``+`` and digits) stays as it is; a spreadsheet shows it as a number.
    """
    if is_number and _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if _is_like_a_formula(cell) else cell


def restored(cell: str) -> str:
    """The cell that ``defused`` was given."""
    return cell[1:] if cell.startswith("'") and _is_like_a_formula(cell[1:]) else cell


def _is_like_a_formula(cell: str) -> bool:
    if not cell or (cell[0].isalnum() and cell[0] not in _BLANK):
        return False
    import unicodedata  # noqa: PLC0415 - most requests of the API write no cell

    for character in cell:
        if character in _BLANK or unicodedata.category(character)[0] in "ZCM":
            continue
        return unicodedata.normalize("NFKC", character) in _FORMULA_SIGNS
    return False
