"""Family and friends of a customer: who they are, linking more of them, asking them first."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, TooSoonError
from rebound.kernel.written_text import is_one_line, tidied
from rebound.relations.application import NewRelation
from rebound.relations.domain import MAX_NAME, MAX_RELATIONSHIP
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.customers.application.customer_service import CustomerView

MOST_FOUND: Final = 8
_TYPED: Final = ("q", "other_id", "name", "relationship", "their_relationship", "ask", "address")


def show(visit: Visit, customer_id: str) -> PageAnswer:
    """The page."""
    return _page(visit, customer_id)


def change(visit: Visit, customer_id: str) -> PageAnswer:
    """Look for who it is, link them, or end it: the button says which."""
    form = visit.request.form
    if form.one("do") == "remove":
        visit.behind.relation_service.remove(visit.business_id, customer_id, form.one("relation_id"))
        return _saved(visit, customer_id)
    typed = {name: form.one(name) for name in _TYPED}
    if form.one("do") == "find":
        return _page(visit, customer_id, typed=typed, found=_found(visit, customer_id, typed["q"]))
    try:
        invite: bool | str = typed["address"] or True if typed["ask"] else False
        request = f"console#family#{customer_id}#{form.one('once')}"
        visit.behind.relation_invitations(
            visit.business_id, customer_id, _new(visit, typed), invite=invite, request=request
        )
    except InvalidInputError as error:
        wrong = {_FIELDS.get(field, field): said for field, said in visit.wrong(error).items()}
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    except (ConflictError, TooSoonError) as error:
        wrong, status = {"": [str(error)]}, HTTPStatus.CONFLICT
    else:
        return _saved(visit, customer_id)
    return _page(visit, customer_id, status, typed=typed, wrong=wrong, found=_found(visit, customer_id, typed["q"]))


_FIELDS: Final = {"invite": "address", "customer_id": "q"}
"""What the form calls what the use case names."""


def _new(visit: Visit, typed: Mapping[str, str]) -> NewRelation:
    """What is asked for. Raises ``InvalidInputError``."""
    errors = [
        FieldError(name, visit.words("customer_family.one_line", n=longest))
        for name, longest, needed in (
            ("relationship", MAX_RELATIONSHIP, True),
            ("their_relationship", MAX_RELATIONSHIP, False),
            ("name", MAX_NAME, False),
        )
        if len(typed[name]) > longest or not is_one_line(typed[name]) or (needed and not tidied(typed[name]))
    ]
    if bool(typed["other_id"]) == bool(typed["name"]):
        errors.append(FieldError("q", visit.words("customer_family.who_wrong")))
    if errors:
        raise InvalidInputError(*errors)
    return NewRelation(
        relation_id="",
        relationship=tidied(typed["relationship"]),
        there=tidied(typed["their_relationship"]) or None,
        other_id=typed["other_id"] or None,
        name=tidied(typed["name"]) or None,
    )


def _found(visit: Visit, customer_id: str, q: str) -> Sequence["CustomerView"]:
    if not q:
        return ()
    try:
        page = visit.behind.list_customers(visit.business_id, CustomerFilter(q=q[:200]), limit=MOST_FOUND)
    except InvalidInputError:
        return ()
    return [view for view in page.items if view.customer.customer_id != customer_id]


def _saved(visit: Visit, customer_id: str) -> PageAnswer:
    return see(visit.request.link("customers", customer_id, "family", query={"saved": "1"}))


def _page(
    visit: Visit,
    customer_id: str,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
    found: Sequence["CustomerView"] | None = None,
) -> PageAnswer:
    behind = visit.behind
    return visit.page(
        "customer_family",
        status,
        tab="family",
        customer=behind.ports.customers.get(visit.business_id, customer_id),
        relations=behind.relation_invitations.list(visit.business_id, customer_id),
        typed=typed or dict.fromkeys(_TYPED, ""),
        wrong=wrong or {},
        found=found,
        saved="saved" in visit.request.query,
        once=visit.request.form.one("once") or behind.ports.ids.ulid(behind.ports.clock.now()),
    )
