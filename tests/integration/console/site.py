"""The console on a port of this machine, for a browser: requests go to the real handler over AWS in memory."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

from tests.integration.conftest import Stack, recorded

OPERATIONS: Final = "/console/operations"
STAGE: Final = "/live"
"""What a stage puts before every path, and the event's path has not."""


def is_of_operators(address: str) -> bool:
    """Whether the gateway gives a path, without its query, to the function of the operators' pages."""
    _, _, behind = address.partition("/console/")
    return behind.split("/")[0] == "operations"


def answer_of(stack: Stack, event: Mapping[str, Any]) -> dict[str, Any]:
    """What the function answers that the gateway gives an event to."""
    function = "serve_operations" if is_of_operators(event["path"]) else "serve_console"
    answer: dict[str, Any] = stack.invoke(function, event)
    return answer


def event_of(method: str, path: str, headers: dict[str, str], body: str | None = None) -> dict[str, Any]:
    """The event that API Gateway makes of a request; ``path`` with its query, without the stage."""
    event = recorded("api_gateway/post_campaign.json")
    address, _, query = path.partition("?")
    several = parse_qs(query, keep_blank_values=True)
    _, _, behind = address.partition("/console/")
    place = OPERATIONS if is_of_operators(address) else "/console"
    behind = behind.removeprefix("operations").removeprefix("/") if place == OPERATIONS else behind
    event.update(
        resource=f"{place}/{{proxy+}}" if behind else place,
        pathParameters={"proxy": behind} if behind else None,
        path=address,
        httpMethod=method,
        headers=headers,
        multiValueHeaders={name: [value] for name, value in headers.items()},
        queryStringParameters={name: values[-1] for name, values in several.items()} or None,
        multiValueQueryStringParameters=several or None,
        body=body,
        isBase64Encoded=False,
    )
    event["requestContext"].pop("authorizer", None)
    return event


@contextmanager
def served(stack: Stack) -> Iterator[str]:
    """The address of the console while the block runs. One request at a time, as in one process of Lambda."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path = self.path.removeprefix(STAGE)
            answer = answer_of(stack, event_of(self.command, path, dict(self.headers), body or None))
            content = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                # Chromium would look for TLS from then on.
                if name != "Strict-Transport-Security":
                    self.send_header(name, value)
            for name, values in answer.get("multiValueHeaders", {}).items():
                for value in values:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Nothing: what went wrong is in the answer."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{STAGE}/console"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
