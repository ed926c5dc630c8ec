"""The people who sign in to look at a business."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.staff.application.staff_service import RoleChangedError
from rebound.staff.domain import MAX_LOCATION, ROLES_OF_BUSINESSES

if TYPE_CHECKING:
    from rebound.staff.domain import StaffMember

_SAID: Final = ("invited", "changed", "removed")
_ASKED: Final = ("email", "role", "location_id", "language")


def show_list(visit: Visit) -> PageAnswer:
    """All of them, by email."""
    return _page(visit)


def invite(visit: Visit) -> PageAnswer:
    """Send somebody a link that signs them in; where it cannot be sent, show it, if they are known nowhere else."""
    form = visit.request.form
    typed = {name: form.one(name) for name in _ASKED}
    try:
        invited = visit.behind.invite(
            visit.business_id,
            typed["email"],
            typed["role"],
            console_url=visit.behind.ports.console_url(visit.request.api_id),
            location_id=typed["location_id"] or None,
            language=typed["language"] or None,
            by=visit.me.email,
        )
    except InvalidInputError as error:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, wrong=visit.wrong(error))
    except ConflictError as error:
        return _page(visit, HTTPStatus.CONFLICT, typed=typed, said=[visit.words.said(str(error))])
    _did(visit, invited.member)
    if not invited.emailed:
        return _page(visit, not_emailed=True, link_of_invited=None if invited.elsewhere else invited.link)
    return see(visit.request.link("staff", query={"done": "invited"}))


def change(visit: Visit) -> PageAnswer:
    """Give somebody another role, and a location or none."""
    form = visit.request.form
    try:
        member = visit.behind.staff_service.change(
            visit.business_id,
            form.one("email"),
            form.one("role"),
            form.one("location_id") or None,
            seen_role=form.one("was_role"),
        )
    except RoleChangedError as error:
        role = visit.words(f"role.{error.member.role}")
        said = visit.words("staff.role_changed", email=error.member.email, role=role)
        return _page(visit, HTTPStatus.CONFLICT, said=[said])
    except (InvalidInputError, ConflictError) as error:
        return _not_done(visit, error)
    _did(visit, member)
    return see(visit.request.link("staff", query={"done": "changed"}))


def remove(visit: Visit) -> PageAnswer:
    """Let somebody in no more."""
    try:
        member = visit.behind.staff_service.remove(visit.business_id, visit.request.form.one("email"))
    except (InvalidInputError, ConflictError) as error:
        return _not_done(visit, error)
    _did(visit, member)
    return see(visit.request.link("staff", query={"done": "removed"}))


def _did(visit: Visit, member: "StaffMember") -> None:
    visit.did(of=member.member_id, name=member.email, role=member.role, location=member.location_id or ())


def _not_done(visit: Visit, error: InvalidInputError | ConflictError) -> PageAnswer:
    if isinstance(error, ConflictError):
        return _page(visit, HTTPStatus.CONFLICT, said=[visit.words.said(str(error))])
    said = [visit.words.said(each.message) for each in error.errors]
    return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, said=said)


def _page(
    visit: Visit,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
    said: Sequence[str] = (),
    not_emailed: bool = False,
    link_of_invited: str | None = None,
) -> PageAnswer:
    done = visit.request.query.one("done")
    people = visit.behind.staff_service.list(visit.business_id)
    known = {*visit.behind.ports.summaries.locations(visit.business_id), *(each.location_id for each in people)}
    return visit.page(
        "staff",
        status,
        people=people,
        locations=sorted(each for each in known if each is not None),
        longest=MAX_LOCATION,
        roles=ROLES_OF_BUSINESSES,
        typed=typed or dict.fromkeys(_ASKED, ""),
        wrong=wrong or {},
        said=said,
        done=done if done in _SAID else None,
        not_emailed=not_emailed,
        link_of_invited=link_of_invited,
    )
