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
_WORD: Final = r'(?:[^\s"(),.:;<>@\[\\\]]+|"(?:\\.|[^"\\])*")'
_LOCAL_PART: Final = re.compile(rf'(?<![^\s"(),:;<>@]){_WORD}(?:\.{_WORD})++(?=@)')
"""Words with dots between, of which each may be quoted (RFC 5322, 4.4)."""
_QUOTED: Final = re.compile(r'"((?:\\.|[^"\\])*)"')
_AROUND_A_SIGN: Final = re.compile(r'("(?:\\.|[^"\\])*")|(?<!\s)\s*+([.@])\s*+')
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
    closed = _closed_up(_FOLD.sub("", text))
    found = _parsed(closed)
    brackets = _BRACKETS.findall(_without_asides(closed))
    if len(found) <= 1 and len(brackets) == 1:
        # Display names often have an @ without quotes, which RFC 5322 does not allow.
        found = _parsed(brackets[0]) or found
    return found or (text,)


def _closed_up(text: str) -> str:
    """The text without comments and spaces among the words of an address, which may stand around each of them."""
    plain = _AROUND_A_SIGN.sub(lambda found: found[1] or found[2], _without_comments(text))
    return _LOCAL_PART.sub(_in_one_quotation, plain)


def _without_comments(text: str) -> str:
    """The text with a space for each comment; the text itself where a comment or a quotation does not end."""
    kept, depth, quoted, at = list[str](), 0, False, 0
    while at < len(text):
        written = text[at : at + 2] if text[at] == "\\" else text[at]
        at += len(written)
        if written == '"' and not depth:
            quoted = not quoted
        elif not quoted and written in {"(", ")"} and (depth or written == "("):
            depth += 1 if written == "(" else -1
            kept += [] if depth else [" "]
            continue
        if not depth:
            kept.append(written)
    return text if depth or quoted else "".join(kept)


def _in_one_quotation(local: re.Match[str]) -> str:
    """Words of which some are quoted, in a form that the library reads."""
    return f'"{_QUOTED.sub(r"\1", local[0])}"' if '"' in local[0] else local[0]


def _without_asides(text: str) -> str:
    """The text without quoted strings and comments, however deep they are in each other."""
    while (shorter := _ASIDE.sub("", text)) != text:
        text = shorter
    return text


def _parsed(text: str) -> tuple[str, ...]:
    from email.policy import default

    try:
        header = default.header_factory("To", _ROOT.sub("", text))
        found = [(address.username, address.domain) for address in header.addresses]
    except (ValueError, IndexError, AttributeError, RecursionError):
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
