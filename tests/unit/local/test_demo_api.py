"""The demo's HTTP client on an invented connection, and the command's way of saying what is wrong."""

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

import local.demo.__main__ as command
from local.demo.api import HttpApi, Rebound, Stack, read_stack
from local.demo.errors import DemoError

STACK = Stack("http://127.0.0.1:4566/restapis/a1/live/_user_request_", "rb_key", "http://127.0.0.1:4567")


class FakeResponse:
    def __init__(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self._body = body
        self._headers = headers or {}

    def read(self) -> bytes:
        return self._body

    def getheader(self, name: str) -> str | None:
        return self._headers.get(name)


class FakeConnection(http.client.HTTPConnection):
    """Gives out prepared answers in order; an exception among them breaks the connection."""

    def __init__(self, answers: list[FakeResponse | Exception]) -> None:
        super().__init__("127.0.0.1")
        self.answers = answers
        self.requests: list[tuple[str, str, Any, dict[str, str]]] = []

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> None:
        self.requests.append((method, url, body, dict(headers)))

    def getresponse(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Client:
    """An ``HttpApi`` over fake connections, with what it opened and how long it slept."""

    def __init__(self, *answers: FakeResponse | Exception) -> None:
        self.connection = FakeConnection(list(answers))
        self.opened: list[tuple[str, str]] = []
        self.slept: list[float] = []
        self.api = HttpApi(STACK, self._connect, self.slept.append)

    def _connect(self, scheme: str, address: str, timeout_seconds: float) -> http.client.HTTPConnection:
        self.opened.append((scheme, address))
        return self.connection


def test_a_request_carries_key_body_and_an_idempotency_key() -> None:
    client = Client(FakeResponse(202, b'{"import_id": "i"}'))
    assert client.api.call("POST", "/v1/imports", {"content": "Zoë"}) == {"import_id": "i"}
    method, url, body, headers = client.connection.requests[0]
    assert (method, url) == ("POST", "/restapis/a1/live/_user_request_/v1/imports")
    assert json.loads(body) == {"content": "Zoë"}
    assert headers["Authorization"] == "Bearer rb_key"
    assert headers["Idempotency-Key"]


def test_one_connection_serves_all_requests() -> None:
    client = Client(FakeResponse(200, b"{}"), FakeResponse(200, b"{}"))
    client.api.call("GET", "/v1/business")
    client.api.call("GET", "/v1/business")
    assert client.opened == [("http", "127.0.0.1:4566")]
    assert "Idempotency-Key" not in client.connection.requests[0][3]


def test_a_broken_connection_is_opened_again_and_the_same_request_sent_again() -> None:
    client = Client(http.client.RemoteDisconnected("gone"), FakeResponse(200, b"{}"))
    client.api.call("POST", "/v1/imports", {})
    first, second = client.connection.requests
    assert first == second
    assert len(client.opened) == 2


def test_no_answer_at_all_is_said_in_plain_words() -> None:
    client = Client(ConnectionRefusedError("refused"), ConnectionRefusedError("refused"))
    with pytest.raises(DemoError, match=r"GET /v1/business got no answer \(refused\)\. Is the stack still up\?"):
        client.api.call("GET", "/v1/business")


def test_a_busy_api_is_asked_again_after_the_time_it_names() -> None:
    client = Client(FakeResponse(429, b"{}", {"Retry-After": "3"}), FakeResponse(429, b"{}"), FakeResponse(200, b"{}"))
    client.api.call("GET", "/v1/business")
    assert client.slept == [3.0, 1.0]


def test_a_problem_is_shown_with_its_fields() -> None:
    problem = {"title": "Invalid", "detail": "Two values.", "errors": [{"field": "email", "message": "is odd"}]}
    client = Client(FakeResponse(422, json.dumps(problem).encode()))
    with pytest.raises(DemoError, match=r"POST /v1/x was answered with 422: Two values\.\n  email: is odd"):
        client.api.call("POST", "/v1/x", {})


@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_an_answer_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(DemoError, match="not a JSON object"):
        Client(FakeResponse(200, body)).api.call("GET", "/v1/business")


def test_lists_are_followed_to_their_last_page() -> None:
    def customer(customer_id: str) -> dict[str, Any]:
        return {"customer_id": customer_id, "first_name": "A", "last_name": "B", "contacts": {"email": None}}

    client = Client(
        FakeResponse(200, json.dumps({"items": [customer("1")], "next_cursor": "a+b"}).encode()),
        FakeResponse(200, json.dumps({"items": [customer("2")], "next_cursor": None}).encode()),
    )
    assert [each.customer_id for each in Rebound(client.api).customers(failed="any")] == ["1", "2"]
    assert client.connection.requests[1][1].endswith("/v1/customers?failed=any&limit=100&cursor=a%2Bb")


def test_the_stack_is_read_with_or_without_the_version_in_its_address(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    for api_url in ("http://127.0.0.1:1/live", "http://127.0.0.1:1/live/v1", "http://127.0.0.1:1/live/"):
        file.write_text(json.dumps({"api_url": api_url, "api_key": "k", "twin_url": "http://127.0.0.1:2"}))
        assert read_stack(file) == Stack("http://127.0.0.1:1/live", "k", "http://127.0.0.1:2")


def test_without_a_stack_the_command_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "read_stack", lambda: read_stack(tmp_path / "none.json"))
    assert command.main() == 1
    assert "Start one with `make up`" in capsys.readouterr().err


def test_a_stack_file_that_is_not_one_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text('{"api_url": "http://127.0.0.1:1"}')
    with pytest.raises(DemoError, match="does not look like what `make up` writes"):
        read_stack(file)
