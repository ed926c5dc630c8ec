"""What was done, as pages list it: everything, or what was done to one thing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rebound.console.domain.deeds import Deed
from rebound.console.http.history.shown import shown
from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit
from rebound.kernel.ids import ULIDS
from rebound.staff.domain import ObjectKey

PAGE: Final = 50
OF_OPERATORS: Final = frozenset({"business", "dead_letters", "stack"})
"""The kinds of things that operators do something to."""
ALL_KINDS: Final = dict.fromkeys(deed.kind for deed in Deed)


def page_of_one(visit: Visit, kind: str, object_id: str, name: Callable[[], str], *address: str) -> PageAnswer:
    """The page of one thing, also of one that is gone. Raises ``NotFoundError`` for what never was."""
    before_entry, link = _before(visit), visit.request.link
    page = visit.behind.audit_log.of(_place(visit), ObjectKey(kind, object_id), PAGE, before_entry)
    here = (*address, object_id, "history")
    called = next((each.name for each in page.entries if each.name), None)
    return visit.page(
        "history_of_one",
        name=called or name(),
        back=link(*address, object_id),
        entries=[shown(visit, each) for each in page.entries],
        earlier=link(*here, query={"before": page.earlier}) if page.earlier else None,
        newest=link(*here) if before_entry else None,
    )


def _place(visit: Visit) -> str | None:
    """The business that is looked at; ``None`` for operators."""
    return visit.member.business_id if visit.member is not None else None


def _before(visit: Visit) -> str | None:
    given = visit.request.query.one("before")
    return given if ULIDS.fullmatch(given) else None


def found(visit: Visit, kinds: Sequence[str], *address: str) -> Mapping[str, Any]:
    """What a list of all that was done shows, of these kinds of things, at an address of the console."""
    query, place, before_entry = visit.request.query, _place(visit), _before(visit)
    by, kind = query.one("by"), query.one("kind") if query.one("kind") in kinds else ""
    page = visit.behind.audit_log.page(place, PAGE, before_entry, member_id=by or None, kind=kind or None)
    asked = {name: value for name, value in (("by", by), ("kind", kind)) if value}
    people = {each.member_id: each.email for each in visit.behind.staff_service.list(place)}
    # Somebody who is here no more can be asked for where they are seen.
    people |= {each.member_id: each.email for each in page.entries if each.member_id == by}
    link = visit.request.link
    return {
        "entries": [shown(visit, each) for each in page.entries],
        "earlier": link(*address, query={**asked, "before": page.earlier}) if page.earlier else None,
        "newest": link(*address, query=asked) if before_entry else None,
        "here": link(*address),
        "kinds": kinds,
        "kind": kind,
        "people": people,
        "by": by,
    }
