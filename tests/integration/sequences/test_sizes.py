"""Sequences around the size that a row holds: kept as they are or refused by their field, never an error of ours."""

import json
import re
from typing import Any, Final

import pytest

from rebound.sequences.domain.sequences import MOST_BYTES, MOST_SEQUENCES
from tests.integration.conftest import Stack

PATH: Final = "/v1/sequences/large"


def large(size: int, letter: str = "x", emails: int = 5) -> dict[str, Any]:
    """A sequence of emails that are about so long together."""
    html = f"<p>{letter * (size // emails // len(letter.encode()))}</p>"
    said = {"channel": "email", "category": "marketing", "content": {"subject": "Hello", "html": html}}
    trigger = {"kind": "custom", "name": "x"}
    return {
        "name": "Large",
        "trigger": trigger,
        "steps": [{"id": f"s{number}", "send": said} for number in range(emails)],
    }


def put(stack: Stack, given: dict[str, Any], path: str = PATH) -> Any:
    """A request whose letters are not escaped."""
    return stack.api("PUT", path, raw=json.dumps(given, ensure_ascii=False))


@pytest.mark.parametrize("letter", ["x", "ü", "漢"])
@pytest.mark.parametrize("size", [MOST_BYTES - 2_000, MOST_BYTES, MOST_BYTES + 2_000, 450_000])
def test_what_fits_is_kept_and_what_does_not_changes_nothing(stack: Stack, size: int, letter: str) -> None:
    answer = put(stack, large(size, letter))
    if size < MOST_BYTES:
        assert answer.status == 200, answer.text
        assert stack.api("GET", PATH).body == answer.body
        switched = stack.api("PATCH", PATH, {"status": "on"})
        assert (switched.status, switched.body["steps"]) == (200, answer.body["steps"])
        return
    assert (answer.status, answer.fields) == (422, ["steps"]), answer.text
    [found, most] = map(int, re.findall(r"\d+", answer.body["errors"][0]["message"]))
    assert found > most == MOST_BYTES
    assert stack.api("GET", PATH).status == 404


def test_a_list_of_large_ones_comes_in_pages_that_an_answer_holds(stack: Stack) -> None:
    names = [f"s{number:02d}" for number in range(MOST_SEQUENCES // 4)]
    for name in names:
        assert put(stack, large(MOST_BYTES - 2_000), f"/v1/sequences/{name}").status == 200
    seen: list[str] = []
    query: dict[str, str] = {}
    while True:
        page = stack.api("GET", "/v1/sequences", query=query)
        assert page.status == 200
        assert len(page.text.encode()) < 5_000_000
        seen += [each["sequence_id"] for each in page.body["items"]]
        if page.body["next_cursor"] is None:
            break
        query = {"cursor": page.body["next_cursor"]}

    assert seen == names
