"""Twilio's status callbacks: form POSTs, signed, retried as the URL's fragment asks."""

import http.client
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit

from twilio.request_validator import RequestValidator

from local.twin.callbacks import DELIVERED, GIVEN_UP, Attempt, Verdict

CONNECT_TIMEOUT_SECONDS = 5.0
TOTAL_TIMEOUT_SECONDS = 15.0
MOST_RETRIES = 5


@dataclass(frozen=True, slots=True)
class StatusCallback:
    """One callback; the URL still has its fragment, the token stays the same over retries."""

    url: str
    fields: Mapping[str, str]
    idempotency_token: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after which failures Twilio tries again: ``ct`` connection, ``rt`` no answer, ``4xx``, ``5xx``.

    Without a fragment it is one retry after a failed connection (Twilio, "Connection overrides").
    """

    count: int = 1
    failures: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, url: str) -> "RetryPolicy":
        """Read ``#rc=2&rp=ct,rt,5xx``; what cannot be read keeps its default."""
        asked = parse_qs(urlsplit(url).fragment)
        count = asked.get("rc", [""])[0]
        failures = frozenset(filter(None, ",".join(asked.get("rp", [])).split(",")))
        default = cls()
        return cls(
            min(int(count), MOST_RETRIES) if count.isdecimal() else default.count,
            failures or default.failures,
        )

    def retries(self, failure: str, attempt: int) -> bool:
        """Whether to try again after the attempt of that number (from 0) failed like that."""
        return attempt < self.count and (failure in self.failures or "all" in self.failures)


class _ConnectError(Exception):
    pass


class StatusCallbackPoster:
    """Posts callbacks, with one kept connection per thread and host."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._local = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Close what the threads have kept, once they have ended."""
        for connection in self._opened:
            connection.close()

    def send(self, attempts: Sequence[Attempt[StatusCallback]]) -> Sequence[Verdict]:
        """Post one after the other; a 2xx is delivered, the rest depends on the retry policy."""
        return [self._send(attempt.payload, attempt.number) for attempt in attempts]

    def _send(self, callback: StatusCallback, number: int) -> Verdict:
        failure = self._failure(callback)
        if failure is None:
            return DELIVERED
        if RetryPolicy.of(callback.url).retries(failure, number):
            return Verdict(delivered=False, retry_after_seconds=0.2 * 2**number)
        return GIVEN_UP

    def _failure(self, callback: StatusCallback) -> str | None:
        """Post; returns what went wrong in the words of ``rp``, or None."""
        try:
            status = self._post(callback)
        except _ConnectError:
            return "ct"
        except (OSError, http.client.HTTPException):
            return "rt"
        return None if status < HTTPStatus.MULTIPLE_CHOICES else f"{status // 100}xx"

    def _post(self, callback: StatusCallback) -> int:
        url, _ = urldefrag(callback.url)
        parts = urlsplit(url)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "Accept": "*/*",
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": callback.idempotency_token,
            "X-Twilio-Signature": self._validator.compute_signature(url, callback.fields),
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = urlencode(callback.fields)
        connection, kept = self._connection(parts.scheme, parts.netloc)
        try:
            return self._exchange(connection, target, body, headers)
        except (OSError, http.client.HTTPException):
            connection.close()
            if not kept:
                raise
        # The other side may have closed a kept connection in the meantime: that is no failure yet.
        connection, _ = self._connection(parts.scheme, parts.netloc)
        return self._exchange(connection, target, body, headers)

    @staticmethod
    def _exchange(connection: http.client.HTTPConnection, target: str, body: str, headers: Mapping[str, str]) -> int:
        connection.request("POST", target, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status

    def _connection(self, scheme: str, netloc: str) -> tuple[http.client.HTTPConnection, bool]:
        """An open connection, and whether it was kept from an earlier post."""
        kept: dict[str, http.client.HTTPConnection] = self._local.__dict__.setdefault("connections", {})
        origin = f"{scheme}://{netloc}"
        connection = kept.get(origin)
        if connection is not None and connection.sock is not None:
            return connection, True
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        connection = kind(netloc.rpartition("@")[2], timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            raise _ConnectError(str(error)) from error
        connection.sock.settimeout(TOTAL_TIMEOUT_SECONDS - CONNECT_TIMEOUT_SECONDS)
        kept[origin] = connection
        self._opened.append(connection)
        return connection, False
