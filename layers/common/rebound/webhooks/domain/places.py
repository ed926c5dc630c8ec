"""Where a webhook may be: on the internet, over HTTPS; nowhere inside.

What is written is judged when a webhook is put (``problem_of``), and every address that its name resolves to right
before each connection (``is_allowed``): a name may mean something else by then.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

type Address = IPv4Address | IPv6Address

MAX_URL: Final = 500
HTTPS_PORT: Final = 443
FIRST_OPEN_PORT: Final = 1024
MAX_HOST: Final = 253
_GLOBAL: Final = IPv6Network("2000::/3")
"""What is assigned to be reached over the internet (RFC 4291, 2.4)."""
_EMBEDDED: Final = (
    IPv6Network("2001::/23"),  # special purposes: Teredo, ORCHID, benchmarks (RFC 2928, RFC 6890)
    IPv6Network("2002::/16"),  # 6to4 (RFC 3056)
    IPv6Network("2001:db8::/32"),  # documentation (RFC 3849)
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
"""Ranges of it that lead elsewhere: into an IPv4 network, or nowhere."""
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_INSIDE: Final = ("localhost", "local", "internal", "localdomain", "home.arpa", "intranet", "lan", "onion")
"""Ends of names that mean something inside of a network."""
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


def is_loopback(address: Address) -> bool:
    """Whether it is this machine itself."""
    return address.is_loopback


def is_allowed(address: Address, *, loopback: bool) -> bool:
    """Whether a connection may go to an address: one of the internet or, with ``loopback``, of this machine.

    IPv6 addresses that carry an IPv4 address (mapped, NAT64, 6to4, Teredo) are never allowed: what they reach depends
    on the network. A zone (``%eth0``) is only for addresses of a link.
    """
    if address.is_loopback:
        return loopback
    if isinstance(address, IPv6Address):
        inside = any(address in network for network in _EMBEDDED)
        return address in _GLOBAL and address.is_global and not inside and address.scope_id is None
    return address.is_global and not address.is_multicast and not address.is_reserved


def literal_of(host: str) -> Address | None:
    """The address that a host is, if it is one as it is usually written; else it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def problem_of(url: str, *, loopback: bool) -> str | None:  # noqa: C901 - one rule after the other
    """What is wrong with a webhook's address, as a sentence; ``None`` when nothing is.

    ``loopback`` allows this machine, there also without TLS.
    """
    if len(url) > MAX_URL:
        return f"Must have at most {MAX_URL} characters."
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return "Must be of ASCII without spaces: other characters of a path as %XX, those of a name in Punycode."
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "Must be an address such as https://hooks.example.com/rebound."
    host = parts.hostname
    address = literal_of(host)
    here = loopback and (host == "localhost" or (address is not None and address.is_loopback))
    if parts.scheme not in (("https", "http") if here else ("https",)):
        return "Must begin with https://."
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "Must have no credentials: the signature says who posts."
    if "#" in url:
        return "Must have no fragment (#…)."
    port = port_of(parts)
    if port != HTTPS_PORT and port < FIRST_OPEN_PORT and not here:
        return f"Must be at port {HTTPS_PORT}, or one from {FIRST_OPEN_PORT} on."
    if here:
        return None
    if address is not None:
        return None if is_allowed(address, loopback=False) else _NOT_INSIDE
    labels = host.removesuffix(".").split(".")
    if len(host) > MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        return "Must have the name of a host in it."
    if labels[-1][0].isdigit() or labels[-1].lower().startswith("0x"):
        # An address in one of its odd spellings, which some take for 127.0.0.1.
        return "Must have a name, or an address as it is usually written."
    if len(labels) == 1 or host.removesuffix(".").lower().endswith(tuple(f".{end}" for end in _INSIDE)):
        return _NOT_INSIDE
    return None


_NOT_INSIDE: Final = "Must be on the internet, not on this machine or in a private network."


def port_of(parts: SplitResult) -> int:
    """The port of an address that ``problem_of`` has nothing against."""
    return parts.port or (HTTPS_PORT if parts.scheme == "https" else 80)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        zero = parts.port == 0
    except ValueError:
        return None
    return None if zero else parts
