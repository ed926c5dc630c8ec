"""``make up`` over a stack that runs already."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from local.stack import Stack, StackConfiguration, running, up
from local.stack.processes import Process

REGION: Final = "us-east-1"
HERE: Final = Process(0, "while the test runs")
PATH: Final = "/restapis/{}/live/_user_request_"


@contextmanager
def answering(path: str) -> Iterator[int]:
    """The port of a server that answers 200 at one path, and 404 elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200 if self.path == path else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_PUT = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Nothing: the statuses say it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("sources", ["as before", "changed"])
def test_up_over_a_running_stack_finds_the_api_that_is_there_now(
    sources: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a route has changed, the embedded AWS makes another API, with another id. The business keeps its key."""
    monkeypatch.setattr(Process, "runs", lambda self: self == HERE)
    monkeypatch.setattr(running, "build", lambda _: "changed")
    for found in ("deploy", "outputs"):
        monkeypatch.setattr(running, found, lambda _: {"ApiId": "now"})
    monkeypatch.setattr(running, "_twin_sources", lambda: "as before")
    monkeypatch.setattr(running, "_ANSWER_SECONDS", 0.3)
    with answering(f"{PATH.format('now')}/v1/business") as aws_port, answering("/inbound") as twin_port:
        configuration = StackConfiguration(tmp_path, aws_port, twin_port, REGION)
        aws_url = configuration.aws_endpoint_url
        before = Stack(f"{aws_url}{PATH.format('before')}", "the key", "b-1", configuration.twin_url, aws_url, REGION)
        ports = {"aws_port": aws_port, "twin_port": twin_port}
        record = {"aws": asdict(HERE), "twin": asdict(HERE), **ports, "twin_sources": "as before", "deployed": sources}
        (tmp_path / "state.json").write_text(json.dumps(record))
        (tmp_path / "stack.json").write_text(json.dumps(asdict(before)))

        now = up(configuration)

    assert now == replace(before, api_url=f"{aws_url}{PATH.format('now')}")
    assert json.loads((tmp_path / "stack.json").read_text()) == asdict(now)
