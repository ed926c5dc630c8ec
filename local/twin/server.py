"""The twin's HTTP side: sockets, and which door a request goes to."""

import http.server
import sys
import traceback
from collections.abc import Callable

from local.twin.exchange import Request, Response, Stream

type Door = Callable[[Request], Response]


class TwinServer(http.server.ThreadingHTTPServer):
    """Serves one door on loopback, over HTTP/1.1 with kept connections; port 0 takes a free one."""

    daemon_threads = True
    allow_reuse_address = True
    # A burst of Lambda functions opens many connections at once.
    request_queue_size = 256

    def __init__(self, port: int, door: Door) -> None:
        self.door = door
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Where the twin answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about clients that went away; everything else is a defect."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "rebound-twin"
    # One segment per answer, and no waiting for the acknowledgement of the one before.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: TwinServer

    def _answer(self) -> None:
        # Chunked bodies are not read: none of the three clients sends them.
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        try:
            response = self.server.door(Request.of(self.command, self.path, dict(self.headers.items()), body))
        except Exception:  # noqa: BLE001 - the client gets an answer, the defect a trace
            traceback.print_exc()
            response = Response.of_json(500, {"message": "the twin failed; see its standard error"})
        self._write(response)

    def _write(self, response: Response) -> None:
        body = response.body
        length = body.length if isinstance(body, Stream) else len(body)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        for chunk in body.chunks if isinstance(body, Stream) else (body,):
            self.wfile.write(chunk)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815 - http.server looks for these names

    def log_message(self, *_: object) -> None:
        """No access log: it would hold addresses and bury what matters."""
