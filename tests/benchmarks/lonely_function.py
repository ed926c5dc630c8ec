"""One function in a process of its own, as Lambda runs it; AWS and Twilio answer from the process that started it.

Started with the file descriptor of a pipe and the handler's file. Nothing of the benchmarks but this is imported, so
that what the process takes is the function's.
"""

import importlib.util
import io
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from botocore import handlers
from botocore.awsrequest import AWSResponse

MEGABYTE: Final = 1024
"""In the kilobytes of ``/proc``."""


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands to a function beside the event."""

    function_name: str
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:under-test"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


class Clock:
    """Implements ``Clock``: the time that came with the last event."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.seconds = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]


def peak_megabytes() -> float:
    """The most memory that this process has had since it was started; the parent's is not in it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / MEGABYTE
    raise OSError("/proc/self/status says nothing about memory")


def serve(connection: Connection, path: str) -> None:
    """Handle events until there are no more."""

    def ask(request: Any, **_: Any) -> AWSResponse:
        target = request.headers.get("X-Amz-Target")
        connection.send(("ask", request.method, request.url, target, request.body))
        status, kind, body = connection.recv()
        headers: Any = {"content-type": kind, "x-amzn-requestid": "0"}
        return AWSResponse(request.url, status, headers, _Raw(body))

    handlers.BUILTIN_HANDLERS.append(("before-send", ask))
    from rebound.platform.wiring import AwsPorts  # noqa: PLC0415 - no client may be made before

    clock = Clock(connection.recv())
    AwsPorts.made["clock"] = clock
    spec = importlib.util.spec_from_file_location("handler", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    while (given := connection.recv()) is not None:
        clock.seconds, event = given
        logs = io.StringIO()
        with redirect_stdout(logs):
            answer = module.lambda_handler(event, Context(path))
        connection.send(("done", answer))
    connection.send(("peak", peak_megabytes()))


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), sys.argv[2])
