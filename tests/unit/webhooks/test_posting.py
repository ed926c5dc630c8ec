"""One POST, to an address that was checked: no second look at the name, no redirect, no waiting for ever."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from rebound.webhooks.adapters.pinned_http import MAX_HEAD, PinnedHttpPoster
from rebound.webhooks.domain.webhooks import Posted
from tests.unit.webhooks.test_places import INSIDE_V4, INSIDE_V6, OUTSIDE, within

NAME: Final = "hooks.example.com"
OK: Final = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """A server on this machine that answers each connection with the same bytes, and keeps what it was sent."""

    def __init__(self, answer: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> None:
        self.sent: list[bytes] = []
        self.connections = 0
        self._answer = answer
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            try:
                connection = plain if self._tls is None else self._tls.wrap_socket(plain, server_side=True)
                with connection:
                    self.sent.append(connection.recv(65536))
                    self._answer(connection)
            except OSError:
                plain.close()

    def close(self) -> None:
        # Wakes up whoever waits in accept.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def receiving(answer: bytes | Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(answer if callable(answer) else lambda connection: connection.sendall(answer), tls)
    try:
        yield receiver
    finally:
        receiver.close()


def posted(
    url: str,
    *,
    loopback: bool = True,
    resolved: Sequence[str] = ("127.0.0.1",),
    trust: ssl.SSLContext | None = None,
    seconds: float = 5,
) -> Posted:
    poster = PinnedHttpPoster(loopback=loopback, resolve=lambda *_: list(resolved), trust=trust, total_seconds=seconds)
    return poster.post(url, b'{"id":1}', {"Content-Type": "application/json", "Rebound-Signature": "t=1,v1=ab"})


def test_what_is_posted_is_the_body_with_its_length_and_headers() -> None:
    with receiving(OK) as receiver:
        assert posted(f"http://127.0.0.1:{receiver.port}/in?a=b") == Posted(204)
        head, _, body = receiver.sent[0].partition(b"\r\n\r\n")

    assert head.split(b"\r\n") == [
        b"POST /in?a=b HTTP/1.1",
        f"Host: 127.0.0.1:{receiver.port}".encode(),
        b"User-Agent: Rebound-Webhooks/1",
        b"Accept: */*",
        b"Connection: close",
        b"Content-Length: 8",
        b"Content-Type: application/json",
        b"Rebound-Signature: t=1,v1=ab",
    ]
    assert body == b'{"id":1}'


@pytest.mark.parametrize("status", [200, 201, 299, 300, 400, 410, 429, 500, 599])
def test_the_status_of_the_answer_is_what_came_of_it(status: int) -> None:
    with receiving(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.0 %d Whatever\r\nA: b\r\n\r\nbody" % status
    ) as it:
        answer = posted(f"http://127.0.0.1:{it.port}/")

    assert answer == Posted(status)
    assert answer.is_success == (200 <= status < 300)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_nowhere(status: int) -> None:
    with receiving(OK) as inside:
        location = f"http://127.0.0.1:{inside.port}/".encode()
        with receiving(b"HTTP/1.1 %d Elsewhere\r\nLocation: %s\r\n\r\n" % (status, location)) as receiver:
            answer = posted(f"http://127.0.0.1:{receiver.port}/")

        assert (answer.status, answer.is_success) == (status, False)
        assert inside.connections == 0


@given(st.sampled_from(INSIDE_V4 + INSIDE_V6).flatmap(within).map(str), st.lists(st.sampled_from(OUTSIDE), max_size=2))
def test_a_name_of_which_one_address_is_inside_is_not_connected_to(inside: str, outside: list[str]) -> None:
    """Also with others that are not: which of them is taken would be chance."""
    answer = posted(f"https://{NAME}/", loopback=False, resolved=[*outside, inside])

    assert answer == Posted(problem="The name leads into a private network.")


def test_a_name_that_means_something_else_at_the_second_look_gets_no_second_look() -> None:
    """DNS rebinding: the first answer is on the internet, what comes after it inside."""
    asked: list[str] = []
    with receiving(OK) as inside:

        def resolve(host: str, _: int) -> list[str]:
            asked.append(host)
            return ["192.0.2.1" if len(asked) > 1 else "127.0.0.1"]

        poster = PinnedHttpPoster(loopback=True, resolve=resolve, total_seconds=5)
        assert poster.post(f"http://localhost:{inside.port}/", b"{}", {}) == Posted(204)
        assert len(asked) == 1
        # The next event looks again, and is judged by what the name means then.
        assert poster.post(f"http://localhost:{inside.port}/", b"{}", {}).problem is not None
        assert inside.connections == 1


def test_a_name_that_looks_like_this_machine_is_posted_to_without_tls_only_if_it_is_this_machine() -> None:
    answer = posted("http://localhost:8080/", resolved=["93.184.215.14"])

    assert answer == Posted(problem="Without TLS only this machine is posted to.")


@pytest.mark.parametrize(
    ("resolved", "problem"),
    [([], "The name has no address."), (["127.0.0.1"], "No connection could be made.")],
)
def test_who_is_not_there_is_told_apart(resolved: list[str], problem: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    assert posted(f"http://localhost:{port}/", resolved=resolved) == Posted(problem=problem)


def test_the_next_address_is_tried_when_the_first_takes_no_connection() -> None:
    with receiving(OK) as receiver:
        assert posted(f"http://localhost:{receiver.port}/", resolved=["::1", "127.0.0.1"]) == Posted(204)


def drips(connection: socket.socket) -> None:
    """A byte now and then, each sooner than a socket's own patience ends."""
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
        connection.sendall(bytes([byte]))
        if connection.fileno() < 0 or threading.Event().wait(0.05):
            return


@pytest.mark.parametrize("answer", [lambda _: threading.Event().wait(3), drips])
def test_a_receiver_that_takes_its_time_is_left(answer: Callable[[socket.socket], None]) -> None:
    began = monotonic()
    with receiving(answer) as receiver:
        given_up = posted(f"http://127.0.0.1:{receiver.port}/", seconds=0.5)

    assert given_up == Posted(problem="There was no answer within 0.5 seconds.")
    assert monotonic() - began < 2.5


def test_a_resolver_that_takes_its_time_is_left() -> None:
    slow = threading.Event()
    poster = PinnedHttpPoster(loopback=True, resolve=lambda *_: [str(slow.wait(10))], total_seconds=0.3)
    began = monotonic()

    assert poster.post("https://hooks.example.com/", b"{}", {}) == Posted(problem="The name has no address.")
    assert monotonic() - began < 2
    slow.set()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "The connection was closed before there was an answer."),
        (b"HTTP/1.1 200 OK\r\n", "The connection was closed before there was an answer."),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "The answer is not HTTP."),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "The answer is not HTTP."),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MAX_HEAD), "The answer's head is too long."),
    ],
)
def test_what_is_no_answer_is_none(answer: bytes, problem: str) -> None:
    with receiving(answer) as receiver:
        assert posted(f"http://127.0.0.1:{receiver.port}/") == Posted(problem=problem)


@given(st.binary(max_size=200))
def test_whatever_is_answered_there_is_an_outcome(answer: bytes) -> None:
    with receiving(answer) as receiver:
        outcome = posted(f"http://127.0.0.1:{receiver.port}/")

    assert (outcome.status is None) != (outcome.problem is None)


# --- TLS --------------------------------------------------------------------------------------------------------------


@cache
def certificate(name: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        # Whatever day it is.
        .not_valid_before(dt.datetime(1990, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2190, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), written


def serving(name: str, folder: Path) -> ssl.SSLContext:
    made, key = certificate(name)
    (folder / "both.pem").write_bytes(made + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


def trusting(name: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate(name)[0].decode())


def test_the_connection_goes_to_the_address_and_its_certificate_is_the_names(tmp_path: Path) -> None:
    with receiving(OK, serving(NAME, tmp_path)) as receiver:
        url = f"https://{NAME}:{receiver.port}/"
        assert posted(url, trust=trusting(NAME)) == Posted(204)
        assert f"Host: {NAME}:{receiver.port}".encode() in receiver.sent[0]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_of_another_name_or_of_nobody_known_is_refused(trusted: bool, tmp_path: Path) -> None:
    with receiving(OK, serving("other.example.com", tmp_path)) as receiver:
        url = f"https://{NAME}:{receiver.port}/"
        answer = posted(url, trust=trusting("other.example.com") if trusted else None)
        assert receiver.sent == []

    assert (answer.problem or "").startswith("The certificate is not valid for the name: ")


def test_a_receiver_without_tls_is_not_posted_to_over_https() -> None:
    with receiving(OK) as receiver:
        answer = posted(f"https://{NAME}:{receiver.port}/")
        assert not any(b"POST" in sent for sent in receiver.sent)

    assert answer == Posted(problem="The connection was not secure: TLS failed.")
