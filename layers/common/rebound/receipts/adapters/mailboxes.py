"""Addresses in any form that RFC 5322 allows, and the form of RFC 3464, read down to ``local@domain``.

SES passes on what a report or a header says: with a display name, comments, angle brackets, as a group.
"""
# ruff: noqa: PLC0415 - the libraries are only needed for addresses that are not plain, which are few

import re
from typing import Final

_PLAIN: Final = re.compile(r"[^\s\"(),:;<>@\[\\\]]+@[^\s\"(),:;<>@\[\\\]]+", re.ASCII)
_TYPE: Final = re.compile(r"\s*rfc822\s*;", re.IGNORECASE)
"""The address type of a report's ``Final-Recipient`` (RFC 3464, 2.3.2), which SES may pass on."""
_FOLD: Final = re.compile(r"[\r\n]+")
_ROOT: Final = re.compile(r"\.(?=\s*(?:[>,;(]|$))")
"""The dot of a domain that is written to the root: no part of an address, but mail servers write it."""
_BRACKETS: Final = re.compile(r"<[^<>]*@[^<>]*>")
_ASIDE: Final = re.compile(r'"(?:\\.|[^"\\])*"|\((?:\\.|[^()\\])*\)', re.DOTALL)
"""A quoted string, or a comment without another in it."""


def addresses_in(text: str) -> tuple[str, ...]:
    """The addresses that are written in a text, mostly one; the text itself when none can be read.

    The spelling stays, but for quotes around a local part that needs none, and a domain becomes ASCII (RFC 5891).
    """
    text = _TYPE.sub("", text.strip(), count=1).strip()
    plain = text.removesuffix(".")
    if plain.isascii() and _PLAIN.fullmatch(plain):
        return (plain,)
    found = _parsed(text)
    brackets = _BRACKETS.findall(_without_asides(text))
    if len(found) <= 1 and len(brackets) == 1:
        # Display names often have an @ without quotes, which RFC 5322 does not allow.
        found = _parsed(brackets[0]) or found
    return found or (text,)


def _without_asides(text: str) -> str:
    """The text without quoted strings and comments, however deep they are in each other."""
    while (shorter := _ASIDE.sub("", text)) != text:
        text = shorter
    return text


def _parsed(text: str) -> tuple[str, ...]:
    from email.policy import default

    try:
        header = default.header_factory("To", _ROOT.sub("", _FOLD.sub("", text)))
        found = [(address.username, address.domain) for address in header.addresses]
    except (ValueError, IndexError, AttributeError):
        # The library's parser fails in several ways on what is no address.
        return ()
    return tuple(f"{local}@{_ascii(domain)}" for local, domain in found if local and domain)


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain
