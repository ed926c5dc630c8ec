"""What everybody did: in a business, for its owners, and to the stack, for operators."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rebound.console.domain.deeds import Deed
from rebound.console.http.history.shown import shown
from rebound.console.http.operations.watching import TABS
from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit
from rebound.kernel.ids import ULIDS
from rebound.staff.domain import ObjectKey

PAGE: Final = 50
_OF_OPERATORS: Final = frozenset({"business", "dead_letters", "stack"})
_ALL_KINDS: Final = dict.fromkeys(deed.kind for deed in Deed)


def show(visit: Visit) -> PageAnswer:
    """What was done in the business, the newest first."""
    return visit.page("history", **_found(visit, [kind for kind in _ALL_KINDS if kind not in _OF_OPERATORS], "history"))


def show_operations(visit: Visit) -> PageAnswer:
    """What operators did."""
    kinds = [kind for kind in _ALL_KINDS if kind in _OF_OPERATORS]
    return visit.page("operations_history", tabs=TABS, tab="history", **_found(visit, kinds, "operations", "history"))


def show_campaign(visit: Visit, campaign_id: str) -> PageAnswer:
    """What was done to a campaign."""
    found = visit.behind.campaign_service.find
    return _of_one(visit, "campaign", campaign_id, lambda: found(visit.business_id, campaign_id).name, "campaigns")


def show_recurring(visit: Visit, recurring_id: str) -> PageAnswer:
    """What was done to a recurring campaign."""
    found = visit.behind.ports.recurring.get
    name: Callable[[], str] = lambda: found(visit.business_id, recurring_id).name  # noqa: E731
    return _of_one(visit, "recurring", recurring_id, name, "recurring")


def show_segment(visit: Visit, segment_id: str) -> PageAnswer:
    """What was done to a segment."""
    found = visit.behind.segment_service.get
    return _of_one(visit, "segment", segment_id, lambda: found(visit.business_id, segment_id).name, "segments")


def show_template(visit: Visit, template_id: str) -> PageAnswer:
    """What was done to a template, also as a layout."""
    found = visit.behind.template_service.latest
    name: Callable[[], str] = lambda: found(visit.business_id, template_id).version.name  # noqa: E731
    return _of_one(visit, "template", template_id, name, "templates")


def show_business(visit: Visit, business_id: str) -> PageAnswer:
    """What operators did to a business."""
    name: Callable[[], str] = lambda: visit.behind.tenant_service.get_business(business_id).name  # noqa: E731
    return _of_one(visit, "business", business_id, name, "operations", "businesses")


def _of_one(visit: Visit, kind: str, object_id: str, name: Callable[[], str], *address: str) -> PageAnswer:
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


def _found(visit: Visit, kinds: Sequence[str], *address: str) -> Mapping[str, Any]:
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
