"""The OpenAPI file is the one that the code writes; a change of a shape without ``make openapi`` is found at once."""

from pathlib import Path
from typing import Final

from rebound.api.areas import API

FILE: Final = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_file_is_what_the_code_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == API.document(), "run `make openapi`"
