"""Who did what: every form leaves one entry in the audit log when it does something, and none when it does not."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from rebound.console.domain.deeds import Deed
from rebound.console.http.routes import ROUTES, SIGNED_IN, Route
from rebound.console.wiring import use_cases
from rebound.staff.application import sign_in
from rebound.staff.domain import AuditEntry, Role
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.console.crawl import MARK, Made, changes, fields_sent, names_in
from tests.integration.console.doing import DOING, DONE, prepare

FORMS: Final = [route for route in ROUTES if route.method == "POST" and route.rights]


def named(given: Any) -> str:
    return given.address if isinstance(given, Route) else str(given)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long an answer takes is staff's matter."""
    monkeypatch.setattr(sign_in, "ASKING_TAKES", sign_in.ASKING_TAKES * 0)


@pytest.fixture
def made(stack: Stack) -> Made:
    return Made.of(stack)


def entries(route: Route) -> Sequence[AuditEntry]:
    return use_cases().ports.audit.newest(None if route.is_for_operators else BUSINESS_ID, 100)


def test_of_everything_that_is_done_it_is_known_how() -> None:
    assert {(route.address, deed) for route, deed in DONE} == set(DOING), "doing.DOING says how: add a row for each."


@pytest.mark.parametrize(("route", "deed"), DONE, ids=named)
def test_what_is_done_leaves_one_entry_with_who(made: Made, route: Route, deed: Deed) -> None:
    form = prepare(made, route, deed)
    before = entries(route)
    seen = form()
    assert seen.status in (200, 303), seen.text
    entry, *others = entries(route)
    assert others == list(before)
    assert entry.did == deed
    me = use_cases().staff_service.list(None if route.is_for_operators else BUSINESS_ID)
    assert (entry.email, entry.member_id) in [(each.email, each.member_id) for each in me]
    if deed.kind == "customer":
        # Only their own rows are forgotten with them.
        assert MARK not in str(entry)
        assert entry.name is None
    if entry.object_key is not None:
        place = None if route.is_for_operators else BUSINESS_ID
        assert use_cases().audit_log.of(place, entry.object_key, 1).entries == [entry]


@pytest.mark.parametrize("route", [each for each in FORMS if not each.does and each.rights != SIGNED_IN], ids=named)
def test_a_form_without_a_name_for_it_changes_nothing(made: Made, route: Route) -> None:
    desk, path = made.allowed(route), made.path(route)
    fields = fields_sent(made)[route.address]
    with changes() as written:
        assert desk.post(path, {**dict(fields), "q": MARK}).status in (200, 422)
    assert written == []
    assert entries(route) == []


@pytest.mark.parametrize("route", [route for route in FORMS if route.does], ids=named)
def test_what_is_refused_leaves_no_entry(made: Made, route: Route) -> None:
    path = made.path(route)
    for role in Role:
        if not any(map(role.may, route.rights)):
            assert made.desk(role).post(path).status == 403
    desk = made.allowed(route)
    assert desk.post(path, origin="https://evil.example.com").status == 403
    assert desk.post(path, {"csrf": "x"}).status == 403
    wrong = [dict.fromkeys(names_in(route, "form|fields"), value) for value in ("", "\u202e", "x" * 3000)]
    for fields in wrong:
        before = entries(route)
        status = desk.post(path, fields).status
        assert len(entries(route)) == len(before) or status < 400, status
