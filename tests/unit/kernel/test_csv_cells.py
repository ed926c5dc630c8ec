"""No cell that is written to a file is a formula for a spreadsheet, and each can be read back."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.kernel.csv_cells import defused, restored

SPACES = " \t\r\n\v\f\x00\x1c\x85\u00a0\u1680\u2003\u2007\u2009\u200a\u2028\u202f\u205f\u3000"
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u2060\u2066\u2800\u3164\ufe0f\ufeff\uffa0"
)
SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−"
before = st.text(st.sampled_from(SPACES + INVISIBLE + "'"), max_size=5)


@given(before, st.sampled_from(SIGNS), st.text(max_size=5))
def test_a_formula_is_defused_behind_whatever_shows_as_nothing(blank: str, sign: str, rest: str) -> None:
    cell = f"{blank}{sign}{rest}"

    assert defused(cell) == f"'{cell}"
    assert defused(cell, is_number=True) in (f"'{cell}", cell)


UNSEEN = sorted(
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(character)[0] in "ZCM" and unicodedata.category(character) not in {"Cn", "Co", "Cs"}
) + list("\u115f\u1160\u2800\u3164\uffa0\U00013441\U00013442\U0001d159")


def test_a_formula_is_defused_behind_each_character_that_shows_as_nothing() -> None:
    seen = [
        hex(ord(blank)) for blank in UNSEEN for cell in (f"{blank}=1", f"{blank} @a") if defused(cell) != f"'{cell}"
    ]

    assert not seen


@given(st.text())
@example("'=1")
@example("\u3164=1")
@example("'")
def test_every_cell_can_be_read_back(cell: str) -> None:
    assert restored(defused(cell)) == cell


@given(st.text())
def test_what_is_defused_is_taken_for_text(cell: str) -> None:
    assert defused(cell) == cell or defused(cell)[0] == "'"


@pytest.mark.parametrize("cell", ["", "Ana", "O'Neill", "'s-Gravenhage", "a=b", " x", "Ärzte-Team", "(=1)", "é@x.com"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert defused(cell) == cell


@pytest.mark.parametrize(("cell", "written"), [("+14155550123", "+14155550123"), ("+1;=2", "'+1;=2"), ("=1", "'=1")])
def test_only_a_number_stays_one(cell: str, written: str) -> None:
    assert defused(cell, is_number=True) == written
    assert defused("+14155550123") == "'+14155550123"
