"""What a business may post of a waiver."""

from typing import Any

import pytest

from tests.integration.conftest import Stack
from tests.integration.sequences.test_waivers import PATH, POSTED


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"version": " "}, ["version"]),
        ({"version": "v" * 129}, ["version"]),
        ({"version": "one\ntwo"}, ["version"]),
        ({"version": 2}, ["version"]),
        ({"note": "n" * 501}, ["note"]),
        ({"url": "http://sign.example.com"}, ["url"]),
        ({"url": "https://"}, ["url"]),
        *(({"url": f"https://{host}/rules"}, ["url"]) for host in (".", "..", "a..b", "x:99999999", "x:0", "x:y")),
        ({"url": "https://[sign"}, ["url"]),
        ({"url": "https://sign.example.com/" + "u" * 500}, ["url"]),
        ({"url": "https://sign.example.com/a b", "version": ""}, ["version", "url"]),
        ({"url": "https://sign.example.com/{a}"}, ["url"]),
        ({"more": 1}, ["more"]),
    ],
)
def test_what_cannot_be_posted_is_refused_and_changes_nothing(
    stack: Stack, given: dict[str, Any], fields: list[str]
) -> None:
    answer = stack.api("POST", f"{PATH}/versions", {**POSTED, **given})

    assert (answer.status, sorted(answer.fields)) == (422, sorted(fields)), answer.text
    assert stack.api("GET", PATH).status == 404
    assert stack.api("GET", "/v1/waivers").body == {"items": []}


def test_a_version_is_posted_once_under_its_name(stack: Stack) -> None:
    first = stack.api("POST", f"{PATH}/versions", POSTED)
    assert first.status == 200, first.text
    assert stack.api("POST", f"{PATH}/versions", {**POSTED, "version": " 2 "}).body == first.body
    other = stack.api("POST", f"{PATH}/versions", {**POSTED, "note": None})
    assert (other.status, other.body["code"]) == (409, "waiver_version_known")
    assert stack.api("GET", "/v1/waivers/none").status == 404
