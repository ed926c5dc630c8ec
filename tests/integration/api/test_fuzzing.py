"""Requests made of the OpenAPI document: the API answers each as the document says, and none with an error of ours."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.fakes.aws import REPOSITORY
from tests.fakes.fuzzing import fuzz
from tests.integration.conftest import Answer, Stack

KEY: Final = "of-the-business"
ELSEWHERE: Final = "^/v1/(webhooks/twilio|unsubscribe|preferences|confirm|appointment|stop)/"
"""What other functions answer."""
_TEMPLATE: Final = yaml_parse((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
_UNAUTHORIZED: Final = _TEMPLATE["Resources"]["Api"]["Properties"]["GatewayResponses"]["UNAUTHORIZED"]
NO_KEY: Final = Answer(
    401, {"Content-Type": "application/problem+json"}, _UNAUTHORIZED["ResponseTemplates"]["application/json"]
)


def gateway(stack: Stack) -> ThreadingHTTPServer:
    """The API on a port of this machine, with as much of a gateway as requests need."""
    one_at_a_time = Lock()

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def answer(self) -> None:
            asked = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
            found = NO_KEY
            if self.headers.get("Authorization") == f"Bearer {KEY}":
                with one_at_a_time:
                    found = stack.api(
                        self.command,
                        unquote(asked.path),
                        query=dict(parse_qsl(asked.query, keep_blank_values=True)),
                        headers=dict(self.headers),
                        raw=body or None,
                    )
            content = found.text.encode()
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else content)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_QUERY = answer  # noqa: N815 - their names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Nobody reads it."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Gateway)


@pytest.fixture
def url(stack: Stack) -> Iterator[str]:
    with gateway(stack) as server:
        answering = Thread(target=server.serve_forever)
        answering.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        answering.join()


@pytest.mark.parametrize(
    "phase",
    [
        # The edges of each value, one at a time, the same in every run.
        ("coverage", "--max-time", "20"),
        ("fuzzing", "--max-examples", "4"),
    ],
    ids=lambda phase: phase[0],
)
def test_the_api_answers_as_documented(url: str, phase: tuple[str, ...]) -> None:
    made = fuzz(url, KEY, "--exclude-path-regex", ELSEWHERE, "--seed", "1", "--phases", *phase)
    # How many fit into the time is the machine's affair.
    assert made > 10
    print(f"{made} requests")  # noqa: T201 - for whoever measures it
