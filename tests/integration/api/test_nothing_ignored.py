"""What a client sends is looked at or refused: parameters, fields, methods and paths, on every route there is."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.api.areas import API
from rebound.kernel.api_scopes import ALL_SCOPES
from tests.integration.conftest import Answer, Stack

DOCUMENT: Final[dict[str, Any]] = json.loads(API.document())["paths"]
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""HEAD is answered as GET is."""
PUBLIC: Final = (
    "/v1/unsubscribe/",
    "/v1/preferences/",
    "/v1/confirm/",
    "/v1/appointment/",
    "/v1/profile/",
    "/v1/relation/",
    "/v1/stop/",
    "/v1/webhooks/twilio/",
)
"""Functions of their own answer these."""
FILLED: Final = {path: re.sub(r"{[^}]+}", "0" * 32, path) for path in DOCUMENT}
OPERATIONS: Final = [
    (method.upper(), path)
    for path, item in DOCUMENT.items()
    for method in item
    if not path.startswith(PUBLIC) and method.upper() in METHODS
]
PARAMETERS: Final = [
    (method, path, each["name"])
    for method, path in OPERATIONS
    for each in DOCUMENT[path][method.lower()].get("parameters", [])
    if each["in"] == "query"
]


def methods_of(path: str) -> set[str]:
    found = {method.upper() for method in DOCUMENT[path]} & {*METHODS}
    return found | {"HEAD"} if "GET" in found else found


def errors_of(answer: Answer) -> dict[str, str]:
    return {error["field"]: error["message"] for error in answer.body.get("errors", [])}


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_parameter_that_a_route_has_not_is_refused_by_name(stack: Stack, method: str, path: str) -> None:
    answer = stack.api(method, FILLED[path], query={"utm_source": "letter"})
    message = errors_of(answer)["utm_source"]

    assert answer.status == 422
    assert message.startswith("Is not a parameter of this request.")
    for known in (name for m, p, name in PARAMETERS if (m, p) == (method, path)):
        assert known in message


@pytest.mark.parametrize(("method", "path", "name"), PARAMETERS)
def test_a_parameter_that_is_given_twice_is_refused(stack: Stack, method: str, path: str, name: str) -> None:
    answer = stack.api(method, FILLED[path], query={name: ["1", "2"]})

    assert answer.status == 422
    assert [each["message"] for each in answer.body["errors"] if each["field"] == name] == ["Must be given once."]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


SLIPS: Final[tuple[Callable[[str], str], ...]] = (
    lambda name: f"{name}s",
    lambda name: name.upper(),
    lambda name: name.replace("_", "-").title(),
    _camel,
    lambda name: name[:-1],
    lambda name: name[0] + name,
    lambda name: f" {name}",
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_name_that_was_meant_is_given(stack: Stack, data: st.DataObject) -> None:
    method, path, name = data.draw(st.sampled_from([each for each in PARAMETERS if len(each[2]) > 2]))
    written = data.draw(st.sampled_from(SLIPS))(name)
    known = {each for m, p, each in PARAMETERS if (m, p) == (method, path)}
    answer = stack.api(method, FILLED[path], query={written: "1"})

    if written not in known:
        assert answer.body["did_you_mean"] == {written: name}
        assert errors_of(answer)[written].endswith(f"Did you mean {name}?")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.text(st.characters(codec="utf-8"), max_size=300))
def test_no_name_of_a_parameter_makes_a_request_fail(stack: Stack, data: st.DataObject, name: str) -> None:
    method, path = data.draw(st.sampled_from(OPERATIONS))
    answer = stack.api(method, FILLED[path], query={name: "1"})

    assert answer.status in (404, 422) or name in {each for m, p, each in PARAMETERS if (m, p) == (method, path)}
    assert all(len(error["field"]) <= 100 for error in answer.body.get("errors", []))


def test_what_is_wrong_with_values_is_said_in_the_same_answer(stack: Stack) -> None:
    answer = stack.api("GET", "/v1/customers", query={"tags": "VIP", "limit": "0"})

    assert answer.fields == ["limit", "tags"]
    assert answer.body["did_you_mean"] == {"tags": "tag"}


def test_a_parameter_is_refused_before_a_key_is_kept_or_known(stack: Stack) -> None:
    named = {"Idempotency-Key": "one"}
    customer = {"first_name": "Ana", "last_name": "Silva"}

    assert stack.api("POST", "/v1/customers", customer, query={"dry_run": "true"}, headers=named).status == 422
    assert stack.api("POST", "/v1/customers", customer, headers=named).status == 201
    assert stack.api("POST", "/v1/customers", customer, query={"dry_run": "true"}, headers=named).status == 422


# --- fields -----------------------------------------------------------------------------------------------------------


def test_the_field_that_was_meant_is_given(stack: Stack) -> None:
    def meant(method: str, path: str, body: object) -> dict[str, str]:
        answer = stack.api(method, path, body)
        found: dict[str, str] = answer.body.get("did_you_mean", {})
        assert answer.status == 422, answer.text
        assert all(errors_of(answer)[field].endswith(f"Did you mean {name}?") for field, name in found.items())
        return found

    ana = {"first_name": "Ana", "last_name": "Silva"}
    assert meant("POST", "/v1/customers", {**ana, "e_mail": "a@example.com"}) == {"e_mail": "email"}
    assert meant("POST", "/v1/customers", {**ana, "shoe_size": 38}) == {}
    assert meant("PATCH", "/v1/business", {"timezone": "UTC"}) == {"timezone": "time_zone"}
    assert meant("PATCH", "/v1/business", {"quiet_hours": {"sms": {"form": "21:00"}}})["quiet_hours.sms.form"] == "from"
    assert meant("PATCH", "/v1/business", {"switches": {"txt": True}}) == {"switches.txt": "text"}
    mail = {"category": "marketing", "channel": "email", "filter": {"all": []}, "name": "Offer"}
    content = {"subject": "Hi", "text": "Hi"}
    assert meant("POST", "/v1/campaigns", {**mail, "content": {**content, "htm": "x"}}) == {"content.htm": "html"}
    assert meant("POST", "/v1/campaigns", {**mail, "content": content, "sendAt": "x"}) == {"sendAt": "send_at"}
    assert meant("PUT", "/v1/segments/x", {"name": "X", "filter": {"tags": "vip"}}) == {"filter": "tag"}
    tree = {"all": [{"field": "firstname", "equals": "x"}, {"field": "gender", "equal": "f"}]}
    found = meant("PUT", "/v1/segments/x", {"name": "X", "filter": tree})
    assert found == {"filter.all[0].field": "first_name", "filter.all[1]": "equals"}


def test_the_name_that_was_meant_is_given_where_names_are_values(stack: Stack) -> None:
    mail = {"category": "marketing", "channel": "email", "filter": {"all": []}, "name": "Offer"}
    content = {"subject": "Hi ##{{frist_name}}", "text": "Hi"}
    file = {"format": "csv", "content": "a\nb", "columns": {"Vorname": "firstname"}, "protect": ["e_mail"]}
    imported = stack.api("POST", "/v1/imports", file)

    assert "Did you mean ##{{first_name}}?" in stack.api("POST", "/v1/campaigns", {**mail, "content": content}).text
    assert imported.status == 422
    assert imported.body["did_you_mean"] == {"columns.Vorname": "first_name", "protect": "email"}


WITHOUT_BODY: Final = [each for each in OPERATIONS if "requestBody" not in DOCUMENT[each[1]][each[0].lower()]]


@pytest.mark.parametrize(("method", "path"), WITHOUT_BODY)
def test_fields_are_refused_where_none_is_taken(stack: Stack, method: str, path: str) -> None:
    answer = stack.api(method, FILLED[path], {"dry_run": True})

    assert answer.status == 422
    assert errors_of(answer)["dry_run"] == "Is not a field of this request. It takes none."
    assert stack.api(method, FILLED[path], {}).status != 400


@pytest.mark.parametrize(
    "raw",
    [
        '{"first_name": "Ana", "last_name": "Silva", "last_name": "Souza"}',
        '{"first_name": "Ana", "last_name": "Silva", "x": {"y": 1, "y": 2}}',
        '{"first_name": "Ana", "last_name": "Silva", "first\\u005fname": "Bea"}',
    ],
)
def test_a_field_that_is_given_twice_is_refused(stack: Stack, raw: str) -> None:
    answer = stack.api("POST", "/v1/customers", raw=raw)

    assert (answer.status, answer.body["code"]) == (400, "malformed")
    assert "same name" in answer.body["detail"]


# --- methods and paths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENT)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_a_path_has_not_is_told_which_it_has(stack: Stack, method: str, path: str) -> None:
    if method in methods_of(path):
        return
    for scopes in (" ".join(ALL_SCOPES), ""):
        answer = stack.api(method, FILLED[path], {"first_name": "Ana"}, query={"x": "y"}, scopes=scopes)

        assert (answer.status, answer.body["code"]) == (405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == methods_of(path)


@pytest.mark.parametrize("path", [path for path in DOCUMENT if not path.startswith(PUBLIC)])
def test_head_is_get_without_a_body(stack: Stack, path: str) -> None:
    answer = stack.api("HEAD", FILLED[path])
    if "get" not in DOCUMENT[path]:
        assert answer.status == 405
        return
    as_get = stack.api("GET", FILLED[path])

    assert (answer.status, answer.text) == (as_get.status, "")
    assert answer.headers == as_get.headers
    assert stack.api("HEAD", FILLED[path], scopes="").status == stack.api("GET", FILLED[path], scopes="").status


def _nothing_at(path: str) -> Iterator[str]:
    yield path.replace("/v1/", "/v2/", 1)
    yield path.replace("/v1/", "/v1//", 1)
    if "/by-external-id/" in path:
        # Whatever comes behind is an id of somebody's, which may be in use or not.
        return
    yield f"{path}/nothing/at/all"
    yield path + "x" * 129


@pytest.mark.parametrize("path", [path for path in DOCUMENT if not path.startswith(PUBLIC)])
def test_a_path_that_is_not_there_is_so_for_every_method_and_key(stack: Stack, path: str) -> None:
    for nowhere in _nothing_at(FILLED[path]):
        for method in METHODS:
            for scopes in (" ".join(ALL_SCOPES), ""):
                answer = stack.api(method, nowhere, query={"x": "y"}, scopes=scopes)

                assert (answer.status, answer.body["code"]) == (404, "path_not_found"), nowhere


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_slash_at_the_end_changes_nothing(stack: Stack, method: str, path: str) -> None:
    plain, ended = stack.api(method, FILLED[path]), stack.api(method, f"{FILLED[path]}/")

    assert ended.status == plain.status
    assert plain.status < 400 or ended.body == plain.body
