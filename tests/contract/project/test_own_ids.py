"""By the document: wherever our ids of customers stand, in requests, queries and answers, the business's own do too."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rebound.platform.http.openapi import operations
from tests.fakes.aws import REPOSITORY

DOCUMENT: dict[str, Any] = json.loads((REPOSITORY / "docs" / "openapi.json").read_text(encoding="utf-8"))


def objects(name: str, schema: Any) -> Iterator[tuple[str, set[str]]]:
    """The names of the fields of a shape, and of those inside of it."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield name, set(schema["properties"])
        for each in schema.values():
            yield from objects(name, each)
    elif isinstance(schema, list):
        for each in schema:
            yield from objects(name, each)


SHAPES = [each for name, schema in DOCUMENT["components"]["schemas"].items() for each in objects(name, schema)]
QUERIES = [
    (f"{method} {path}", {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"})
    for path, method, operation in operations(DOCUMENT)
]


@pytest.mark.parametrize(("where", "fields"), [*SHAPES, *QUERIES], ids=str)
def test_what_has_a_customer_id_has_an_external_id(where: str, fields: set[str]) -> None:
    ours = {field for field in fields if field.endswith(("customer_id", "customer_ids"))}

    assert {field.replace("customer_id", "external_id") for field in ours} <= fields


def test_something_is_looked_at() -> None:
    assert len([fields for _, fields in SHAPES if "customer_id" in fields]) > 8
    assert len([fields for _, fields in SHAPES if "include_customer_ids" in fields]) > 2
    assert len([fields for _, fields in QUERIES if "customer_id" in fields]) > 1
