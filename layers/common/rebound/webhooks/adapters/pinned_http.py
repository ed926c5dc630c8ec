"""HTTP to the receivers of clients: one POST, over a connection to an address that was checked.

A library for HTTP would resolve the name once more when it connects, and follow redirects; both lead to where a client
must not send us. So the name is resolved here, every address that it has is checked, the connection goes to one of
these, and its certificate has to be the name's. Of the answer only the head is read.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from ipaddress import ip_address
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rebound.webhooks.domain.places import Address, is_allowed, is_loopback, port_of, problem_of
from rebound.webhooks.domain.webhooks import Posted

if TYPE_CHECKING:
    from urllib.parse import SplitResult

CONNECT_SECONDS: Final = 3.0
"""For resolving the name, and for each address that is tried."""
TOTAL_SECONDS: Final = 10.0
"""From the first look at the name to the end of the answer's head."""
MAX_HEAD: Final = 16 * 1024
MOST_ADDRESSES: Final = 3
"""That are tried, one after the other."""
_HEAD: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_END: Final = re.compile(rb"\r?\n\r?\n")
_FIRST_FINAL: Final = 200
"""What is below says that the answer is still to come (RFC 9110, 15.2)."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host; raises ``OSError`` when there are none."""


class _FailedError(Exception):
    """Nothing came of it; the text is what the client reads."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that the system knows for a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PinnedHttpPoster:
    """Implements ``WebhookPoster``. ``loopback`` lets it post to this machine."""

    def __init__(
        self,
        *,
        loopback: bool,
        resolve: Resolve = resolve,
        trust: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._trust = trust
        self._total_seconds = total_seconds

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        until = monotonic() + self._total_seconds
        problem = problem_of(url, loopback=self._loopback)
        if problem is not None:
            return Posted(problem=f"The address is not allowed. {problem}")
        parts = urlsplit(url)
        try:
            with self._connected(parts, until) as connection:
                connection.settimeout(_left(until))
                connection.sendall(_request(parts, body, headers))
                return Posted(_status(connection, until))
        except _FailedError as error:
            return Posted(problem=str(error))
        except TimeoutError:
            return Posted(problem=f"There was no answer within {self._total_seconds:g} seconds.")
        except ssl.SSLError:
            return Posted(problem="The connection was not secure: TLS failed.")
        except OSError:
            return Posted(problem="The connection was lost before there was an answer.")

    def _connected(self, parts: SplitResult, until: float) -> socket.socket:
        """A connection to the receiver, to the first of its addresses that takes one."""
        host, port = parts.hostname or "", port_of(parts)
        addresses = self._addresses(host, port, until)
        if parts.scheme != "https" and not all(map(is_loopback, addresses)):
            raise _FailedError("Without TLS only this machine is posted to.")
        for address in addresses[:MOST_ADDRESSES]:
            with suppress(OSError):
                plain = socket.create_connection((str(address), port), timeout=min(CONNECT_SECONDS, _left(until)))
                break
        else:
            raise _FailedError("No connection could be made.")
        if parts.scheme != "https":
            return plain
        try:
            plain.settimeout(_left(until))
            return self._tls.wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise _FailedError(f"The certificate is not valid for the name: {error.verify_message}.") from None
        except BaseException:
            plain.close()
            raise

    def _addresses(self, host: str, port: int, until: float) -> Sequence[Address]:
        """What the host's name resolves to now; if one of it is no place to post to, nothing is."""
        found: list[str] = []

        def look_up() -> None:
            with suppress(OSError, UnicodeError):
                found.extend(self._resolve(host, port))

        # The system's resolver has a patience of its own, which may be longer.
        asking = Thread(target=look_up, daemon=True)
        asking.start()
        asking.join(min(CONNECT_SECONDS, _left(until)))
        written = list(found)
        if not written:
            raise _FailedError("The name has no address.")
        addresses = [ip_address(each) for each in written]
        if not all(is_allowed(address, loopback=self._loopback) for address in addresses):
            raise _FailedError("The name leads into a private network.")
        return addresses


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _request(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: Rebound-Webhooks/1",
        "Accept: */*",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _status(connection: socket.socket, until: float) -> int:
    """The status of the answer, whose body nobody reads."""
    head = b""
    while True:
        end = _END.search(head)
        if end is None:
            head += _more(connection, until)
            if len(head) > MAX_HEAD:
                raise _FailedError("The answer's head is too long.")
            continue
        found = _HEAD.match(head)
        if found is None:
            raise _FailedError("The answer is not HTTP.")
        status = int(found[1])
        if status >= _FIRST_FINAL:
            return status
        head = head[end.end() :]


def _more(connection: socket.socket, until: float) -> bytes:
    connection.settimeout(_left(until))
    read = connection.recv(4096)
    if not read:
        raise _FailedError("The connection was closed before there was an answer.")
    return read
