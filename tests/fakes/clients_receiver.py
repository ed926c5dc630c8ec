"""A server of a client's on this machine, which events are posted to: it checks signatures as the guide says."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class ClientsReceiver:
    """Answers 503 as often as ``failures`` says, then 204; keeps what is signed with the ``secret``."""

    def __init__(self) -> None:
        self.secret = ""
        self.failures = 0
        self.headers: list[str] = []
        self.verified: list[dict[str, Any]] = []
        self.answered: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(self.headers["Rebound-Signature"], body))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/rebound?from=rebound"

    def take(self, header: str, body: bytes) -> int:
        self.headers.append(header)
        if len(self.answered) < self.failures:
            self.answered.append(503)
            return 503
        parts = [part.split("=", 1) for part in header.split(",")]
        [at] = [value for name, value in parts if name == "t"]
        expected = hmac.new(self.secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        signed = any(hmac.compare_digest(expected, value) for name, value in parts if name == "v1")
        if signed:
            self.verified.append(json.loads(body))
        self.answered.append(204 if signed else 400)
        return self.answered[-1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
