"""The tables of the guide are those that the code writes; a change without ``make openapi`` is found at once."""

import re
from pathlib import Path

import pytest

from local import guide_tables
from local.guide_tables import GUIDE, TABLES, written


@pytest.mark.parametrize("page", TABLES)
def test_the_page_says_what_the_code_does(page: str) -> None:
    assert (GUIDE / page).read_text(encoding="utf-8") == written(page), "run `make openapi`"


def test_every_place_in_a_page_is_filled() -> None:
    found = {
        (page.name, name)
        for page in GUIDE.glob("*.md")
        for name in re.findall(r"<!-- ([^:\n]+): from the code", page.read_text(encoding="utf-8"))
    }
    assert found == {(page, name) for page, tables in TABLES.items() for name in tables}


def test_a_table_that_says_otherwise_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in TABLES:
        text = (GUIDE / page).read_text(encoding="utf-8")
        (tmp_path / page).write_text(re.sub(r"^\| ", "| x", text, flags=re.MULTILINE), encoding="utf-8")
    monkeypatch.setattr(guide_tables, "GUIDE", tmp_path)
    assert all(guide_tables.written(page) != (tmp_path / page).read_text(encoding="utf-8") for page in TABLES)
