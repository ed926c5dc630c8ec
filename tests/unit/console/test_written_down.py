"""Which forms leave an entry: what the handler says and what is answered decide it, whatever else happened."""

from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Final

import pytest

from rebound.console.domain.deeds import Deed
from rebound.console.http.history.entries import write_down
from rebound.console.http.requests import PageAnswer, PageRequest
from rebound.console.http.routes import Route
from rebound.console.http.visits import Visit
from rebound.staff.domain import Right, Role, StaffMember
from tests.fakes.making import BUSINESS_ID, at

ANA: Final = StaffMember(BUSINESS_ID, "ana@example.com", Role.OWNER, "m-ana", at(0))
ONE: Final = (Deed.CAMPAIGN_PAUSED,)
TWO: Final = (Deed.RECURRING_SWITCHED_ON, Deed.RECURRING_SWITCHED_OFF)
ON: Final = HTTPStatus.SEE_OTHER


class Log:
    """Notes what is written."""

    def __init__(self) -> None:
        self.written: list[tuple[Any, ...]] = []

    def write(self, who: StaffMember, did: str, **given: Any) -> None:
        self.written.append((who, did, given["object_id"], given["name"]))


def left(does: tuple[Deed, ...], status: HTTPStatus, *said: Any, member: StaffMember | None = ANA) -> list[Any]:
    """What is written after a form at which the handler has ``said`` something and which was answered so."""
    log = Log()
    request = PageRequest("POST", ["a", "x"], "../", None, None, {})  # type: ignore[arg-type]
    behind: Any = SimpleNamespace(audit_log=log)
    visit = Visit(request, behind, SimpleNamespace(member=member))  # type: ignore[arg-type]
    for each in said:
        each(visit)
    write_down(Route("POST", "a/*", "a.b", (Right.SEND,), does), visit, ["x"], PageAnswer(status))
    return [(did, object_id, name) for _, did, object_id, name in log.written]


def says(*given: Any, **named: Any) -> Any:
    return lambda visit: visit.did(*given, **named)


@pytest.mark.parametrize(
    ("does", "status", "said", "written"),
    [
        (ONE, ON, (), [(ONE[0], "x", None)]),
        (ONE, ON, (says(of="y", name="New"),), [(ONE[0], "y", "New")]),
        (ONE, HTTPStatus.OK, (), []),
        (ONE, HTTPStatus.OK, (says(name="Spring"),), [(ONE[0], "x", "Spring")]),
        (ONE, ON, (lambda visit: visit.did_nothing(),), []),
        (ONE, HTTPStatus.CONFLICT, (says(),), []),
        (ONE, HTTPStatus.UNPROCESSABLE_ENTITY, (), []),
        (TWO, ON, (), []),
        (TWO, ON, (says(TWO[1]),), [(TWO[1], "x", None)]),
        ((), ON, (), []),
    ],
)
def test_what_leaves_an_entry(
    does: tuple[Deed, ...], status: HTTPStatus, said: tuple[Any, ...], written: list[Any]
) -> None:
    assert left(does, status, *said) == written


def test_who_has_chosen_no_business_leaves_none() -> None:
    assert left(ONE, ON, member=None) == []
