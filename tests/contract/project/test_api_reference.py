"""The console's reference of the API: what the document says, all of it, once, and safe to show."""

import gzip
import json
import re
from collections import Counter
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from local.api_reference.examples import REQUESTS, Examples
from local.api_reference.pages import ERRORS, PAGES, prose, slug, written
from rebound.api.areas import API
from rebound.kernel.problem_codes import PROBLEMS
from rebound.platform.http.openapi import operations
from tests.fakes.partial_updates import DOCUMENT

KEPT: Final = {path.stem: path.read_text(encoding="utf-8") for path in PAGES.glob("*.html")}
OPERATIONS: Final = list(operations(DOCUMENT))
HOSTILE: Final = '"><script>alert(1)</script>'


def test_the_pages_are_what_the_document_says() -> None:
    assert written(json.loads(API.document())) == KEPT, "run `make openapi`"


def test_every_operation_stands_once_on_the_page_of_its_tag() -> None:
    found = Counter(
        (name, each) for name, page in KEPT.items() for each in re.findall(r'<section[^>]* id="(\w+)"', page)
    )
    for path, method, operation in OPERATIONS:
        assert [name for name, each in found.elements() if each == operation["operationId"]] == [
            slug(operation["tags"][0])
        ], (method, path)
        page = KEPT[slug(operation["tags"][0])]
        section = page.partition(f'id="{operation["operationId"]}"')[2].partition("</section>")[0]
        assert f'<span class="tag">{method.upper()}</span> <code>{path}</code>' in section
        assert all(f"<code>{each['name']}</code>" in section for each in operation.get("parameters", ()))
        assert f'href="reference/{slug(operation["tags"][0])}#{operation["operationId"]}"' in KEPT["index"]


def test_every_link_leads_to_something() -> None:
    ids = {name: re.findall(r' id="([^"]+)"', page) for name, page in KEPT.items()}
    assert [each for each in ids.values() if len(set(each)) < len(each)] == []
    for name, page in KEPT.items():
        for link in re.findall(r'href="([^"]+)"', page):
            where, _, anchor = link.partition("#")
            target = where.removeprefix("reference/") or name
            assert target in KEPT, link
            assert not anchor or anchor in ids[target], (name, link)


def test_every_error_stands_on_their_page() -> None:
    assert re.findall(r"<tr><td><code>(\w+)</code>", KEPT[ERRORS]) == sorted(
        PROBLEMS, key=lambda code: PROBLEMS[code].status
    )


@pytest.mark.parametrize("name", KEPT)
def test_a_page_is_small_and_runs_nothing(name: str) -> None:
    page = KEPT[name]
    assert len(gzip.compress(page.encode())) < 60_000
    assert not re.search(r"<(script|style|iframe|form|img)|\s(style|on\w+)=|javascript:", page)


def test_an_example_is_what_its_schema_takes() -> None:
    examples = Examples(DOCUMENT["components"]["schemas"])
    wrong = []
    for path, method, operation in OPERATIONS:
        made: list[tuple[Any, Any]] = [
            (content["schema"], examples.request(operation["operationId"], content["schema"]))
            for content in operation.get("requestBody", {}).get("content", {}).values()
        ]
        for answer in operation["responses"].values():
            schemas = [content["schema"] for content in answer.get("content", {}).values()]
            made += [(schema, examples.of(schema, whole=True)) for schema in schemas]
        for schema, value in made:
            whole = {**schema, "components": DOCUMENT["components"]}
            wrong += [(method, path, error.message) for error in Draft202012Validator(whole).iter_errors(value)]
    assert wrong == []


def test_every_example_that_was_written_by_hand_is_used() -> None:
    assert REQUESTS.keys() - {operation["operationId"] for _, _, operation in OPERATIONS} == set()


def test_what_a_document_says_is_text_and_never_a_page_of_its_own() -> None:
    field = {"type": "string", "description": HOSTILE, "examples": [HOSTILE], "pattern": HOSTILE, "enum": [HOSTILE]}
    shape = {"type": "object", "description": HOSTILE, "properties": {HOSTILE: field}, "required": [HOSTILE]}
    content = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Shape"}}}}
    operation = {
        "operationId": "doIt",
        "tags": ["Some things"],
        "summary": HOSTILE,
        "description": HOSTILE,
        "security": [{"key": [HOSTILE]}],
        "parameters": [{"name": HOSTILE, "in": "query", "required": True, "description": HOSTILE, "schema": field}],
        "requestBody": content,
        "responses": {"200": {"description": HOSTILE, **content}, "400": {"description": HOSTILE}},
    }
    pages = written(
        {
            "info": {"description": HOSTILE},
            "servers": [{"url": HOSTILE, "description": HOSTILE}],
            "paths": {"/v1/" + HOSTILE: {"post": operation}},
            "components": {"schemas": {"Shape": shape}},
        }
    )
    assert "<script" not in "".join(pages.values())
    assert "&lt;script&gt;" in pages["some-things"]


def test_of_what_is_written_only_code_and_paragraphs_mean_something() -> None:
    assert prose("Say ``a < b`` or `c`.\n\n*More* [x](javascript:y).") == (
        "<p>Say <code>a &lt; b</code> or <code>c</code>.</p><p>*More* [x](javascript:y).</p>"
    )
