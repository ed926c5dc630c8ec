"""The tables of the guide are those that the code writes; a change without ``make openapi`` is found at once."""

import pytest

from local.guide_tables import GUIDE, TABLES, written


@pytest.mark.parametrize("page", TABLES)
def test_the_page_says_what_the_code_does(page: str) -> None:
    assert (GUIDE / page).read_text(encoding="utf-8") == written(page), "run `make openapi`"
