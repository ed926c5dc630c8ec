"""Where an address stands within the value of an attribute, or within a style sheet."""

import re
from collections.abc import Callable
from typing import Final

type Around = tuple[str, str]
"""What of an address stands before a place in it, and what after."""

ADDRESSES: Final = frozenset(
    {"href", "src", "action", "formaction", "background", "cite", "poster", "longdesc", "data", "xlink:href"}
)
"""Attributes whose whole value is an address."""
_REFRESHES: Final = re.compile(r"\s*[0-9.]*\s*[;,]?\s*(?:url\s*=\s*)?(?P<quote>[\"']?)", re.IGNORECASE)
_SPACE: Final = re.compile(r"\s")
_ENDS_CSS: Final = re.compile(r"[\s\"')]")


def address_around(attribute: str, before: str, after: str, *, refreshes: bool) -> Around | None:
    """What of an address is around a place in an attribute's value, of which ``before`` and ``after`` are the rest.

    Character references are read already. ``None`` where the place is in no address. ``refreshes`` says that the tag is
    a ``meta`` that leads elsewhere by itself.
    """
    if attribute in ADDRESSES:
        return before, after
    find: Callable[[str, str], Around | None] | None = _OTHERS.get(attribute)
    if attribute == "content" and refreshes:
        find = _in_refresh
    return None if find is None else find(before, after)


def in_css(before: str, after: str) -> Around | None:
    """What of a ``url(…)`` is around a place in a style (CSS Values and Units Level 4, 4.5)."""
    begins = before.lower().rfind("url(")
    if begins < 0:
        return None
    inside = before[begins + len("url(") :].lstrip()
    quote = inside[:1]
    if quote in {'"', "'"}:
        return None if quote in inside[1:] else (inside[1:], after.partition(quote)[0])
    return None if _ENDS_CSS.search(inside) else (inside, _ENDS_CSS.split(after, maxsplit=1)[0])


def _in_srcset(before: str, after: str) -> Around:
    """Of the candidates of an image, each an address and perhaps a size, with commas between (HTML, 4.8.4.2)."""
    return _SPACE.split(before)[-1].lstrip(","), _SPACE.split(after, maxsplit=1)[0].rstrip(",")


def _in_refresh(before: str, after: str) -> Around | None:
    """Behind the seconds of a ``meta`` that refreshes (HTML, 4.2.5.3)."""
    found = _REFRESHES.match(before)
    if found is None or not found[0].strip():
        return None
    inside, quote = before[found.end() :], found["quote"]
    return (inside, after.partition(quote)[0]) if quote else (inside, after)


_OTHERS: Final = {"srcset": _in_srcset, "imagesrcset": _in_srcset, "style": in_css}
