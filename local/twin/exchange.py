"""What goes in and out of the twin over HTTP, without the sockets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, the path is as sent (percent-encoding kept)."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        """Read a request line's target; blank query values are kept."""
        parts = urlsplit(target)
        lowered = {name.lower(): value for name, value in headers.items()}
        return cls(method, parts.path, parse_qs(parts.query, keep_blank_values=True), lowered, body)

    def form(self) -> dict[str, str]:
        """The URL-encoded body; of a repeated field the last value counts."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass(frozen=True, slots=True)
class Stream:
    """A body of known length that is produced while it is sent."""

    length: int
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer; Content-Length is the server's to add."""

    status: int
    body: bytes | Stream = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, document: Any, headers: Mapping[str, str] | None = None) -> "Response":
        """An answer with a JSON document."""
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})})
