"""All businesses of the stack: finding one, and making one."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from rebound.businesses.domain.business import Bundle
from rebound.console.http.operations.watching import PAGE, TABS
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.provider_codes import TEXT_PROVIDERS

LONGEST_SEARCH: Final = 100
_OPERATORS: Final = "#operator"
"""Whose requests these are: no business is called so."""
_TYPED: Final = ("name", "country", "time_zone", "text_provider", "owner_email", "email_from", "text_from")


def show_list(visit: Visit) -> PageAnswer:
    """A page of them, by id."""
    form = visit.request.form
    q = form.one("q")[:LONGEST_SEARCH]
    page = visit.behind.tenant_service.list_businesses(PAGE, form.given("cursor"), q or None)
    return visit.page(
        "operations_businesses", tabs=TABS, tab="businesses", rows=page.items, next_cursor=page.next_cursor, q=q
    )


def begin(visit: Visit) -> PageAnswer:
    """The form for a new one."""
    return _form(visit)


def create(visit: Visit) -> PageAnswer:
    """Make it, under an id of Rebound's; the same form sent twice makes one, and both lead to it."""
    # Shapes are loaded where somebody changes something.
    from rebound.operations.http.tenants import NewBusinessRequest  # noqa: PLC0415

    form = visit.request.form
    typed = {name: form.one(name) for name in _TYPED}
    given: dict[str, Any] = {name: value for name, value in typed.items() if value}
    try:
        change = checked(NewBusinessRequest, {**given, "bundles": form.all("bundles")}).change()
        business_id = _id_for(visit, form.one("once"))
        if not _is_there(visit, business_id):
            visit.behind.tenant_service.create_business(change, new_id=business_id)
    except InvalidInputError as error:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _form(visit, status, typed=typed, bundles=form.all("bundles"), wrong=visit.wrong(error))
    visit.did(of=business_id, name=typed["name"], once=True)
    return see(visit.request.link("operations", "businesses", business_id, query={"done": "created"}))


def _id_for(visit: Visit, once: str) -> str:
    """The id of the business that a form makes, however often it is sent."""
    ports = visit.behind.ports
    proposed = ports.ids.ulid(ports.clock.now()).lower()
    return ports.request_ids.id_for(_OPERATORS, f"console#business#{once}", proposed) if once else proposed


def _is_there(visit: Visit, business_id: str) -> bool:
    try:
        visit.behind.tenant_service.get_business(business_id)
    except NotFoundError:
        return False
    return True


def checked(shape: Any, given: Mapping[str, Any]) -> Any:
    """What was typed, as the API reads it. Raises ``InvalidInputError`` where the API would refuse it."""
    from pydantic import ValidationError  # noqa: PLC0415

    from rebound.platform.http.problems import fields_of_content  # noqa: PLC0415

    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise InvalidInputError(*fields_of_content(error, "")) from None


def _form(
    visit: Visit,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, str] | None = None,
    bundles: Sequence[str] = (),
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    known = {*_TYPED, "bundles"}
    return visit.page(
        "operations_new_business",
        status,
        tabs=TABS,
        tab="businesses",
        typed=typed or dict.fromkeys(_TYPED, ""),
        bundles=bundles,
        every_bundle=tuple(Bundle),
        once=visit.request.form.one("once") or visit.behind.ports.ids.ulid(visit.behind.ports.clock.now()),
        providers=TEXT_PROVIDERS,
        # What is about no field of the form stands above it.
        wrong={name if name in known else "": said for name, said in (wrong or {}).items()},
    )
