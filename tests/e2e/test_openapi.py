"""The OpenAPI document: public, and the one in the repository."""

import json
from pathlib import Path

from tests.e2e.rebound_api import ReboundApi

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_document_is_served_without_a_key_and_is_the_one_in_the_repository(first_business: ReboundApi) -> None:
    answer = first_business.with_key(None).call("GET", "/v1/openapi.json").expecting(200)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == json.loads(DOCUMENT.read_text(encoding="utf-8"))
