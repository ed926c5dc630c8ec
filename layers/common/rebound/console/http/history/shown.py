"""An entry of the audit log as pages show it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from rebound.console.http.visits import Visit
    from rebound.console.http.words import Words
    from rebound.staff.domain import AuditEntry


class ShownEntry(Struct, frozen=True):
    """A line: ``what`` in words, to which thing, ``where`` that is (``None`` where there is no page), and details."""

    at: datetime
    email: str
    member_id: str
    what: str
    name: str
    where: str | None
    details: Sequence[str]


_PAGES: Final[Mapping[str, Sequence[str]]] = {
    "business": ("operations", "businesses"),
    "campaign": ("campaigns",),
    "clean_up": ("customers", "clean-up"),
    "customer": ("customers",),
    "dead_letters": ("operations", "dead-letters"),
    "export": ("exports",),
    "import": ("imports",),
    "job": ("jobs",),
    "recurring": ("recurring",),
    "segment": ("segments",),
    "sequence": ("sequences",),
    "template": ("templates",),
    "waiver": ("waivers",),
}
"""Where one of a kind has its own page: before its id."""
_LISTS: Final = {"key": "keys", "settings": "settings", "staff": "staff"}
"""Where only all of a kind have one."""
_GONE: Final = (".deleted", ".removed")


def shown(visit: "Visit", entry: "AuditEntry") -> ShownEntry:
    """An entry in the language of the page; one of another version by the names that it has."""
    words, what = visit.words, f"did.{entry.did}"
    return ShownEntry(
        entry.at,
        entry.email,
        entry.member_id,
        words(what) if words.has(what) else entry.did,
        entry.name or "",
        _where(visit, entry),
        [_told(words, name, values) for name, values in entry.details.items() if values],
    )


def _where(visit: "Visit", entry: "AuditEntry") -> str | None:
    if entry.kind in _LISTS:
        return visit.request.link(_LISTS[entry.kind])
    if entry.object_id is None or entry.kind not in _PAGES or entry.did.endswith(_GONE):
        return None
    return visit.request.link(*_PAGES[entry.kind], entry.object_id)


def _told(words: "Words", name: str, values: Sequence[str]) -> str:
    """A detail, such as "Role: Viewer"."""
    label, read = f"history.detail.{name}", _VALUES.get(name, _as_it_is)
    told = ", ".join(read(words, value) for value in values)
    return f"{words(label).unescape()}: {told}" if words.has(label) else told


def _as_it_is(_: "Words", value: str) -> str:
    return value


def _role(words: "Words", value: str) -> str:
    """What a role is called, without what it may."""
    name = f"role.{value}"
    return words(name).unescape().partition(":")[0] if words.has(name) else value


def _number(words: "Words", value: str) -> str:
    return words.number(int(value)) if value.isdecimal() else value


_OTHERWISE: Final = {"frequency_caps": "settings.group-caps"}
"""Settings whose words are those of their part of the page."""


def _named(*before: str) -> Callable[["Words", str], str]:
    """The words of a value behind one of several names."""

    def read(words: "Words", value: str) -> str:
        keys = (*(name + value.replace(".", "-") for name in before), _OTHERWISE.get(value, ""))
        return next((words(key).unescape() for key in keys if words.has(key)), value)

    return read


_VALUES: Final[Mapping[str, Callable[["Words", str], str]]] = {
    "booked": _named("operations."),
    "by_hand": _named("history.detail.by_hand_"),
    "decision": _named("replies."),
    "fields": _named("settings."),
    "included": _number,
    "number": _number,
    "profile": _named("field."),
    "role": _role,
}
"""Details whose values have words; the others are as somebody wrote them."""
