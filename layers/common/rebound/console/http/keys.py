"""The keys by which a business's own programs call the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from rebound.businesses.application.tenant_service import DEFAULT_GRACE, NewKey
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.api_scopes import AS_CUSTOMER, SCOPED, ApiScope
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.written_text import is_one_line

PAGE: Final = 50
MAX_LABEL: Final = 100
HOURS: Final = DEFAULT_GRACE.total_seconds() / 3600
"""How long a key goes on that another follows."""


class ShownKey(Struct, frozen=True):
    """A line of the list."""

    key_id: str
    label: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    has_ended: bool


def show_list(visit: Visit) -> PageAnswer:
    """All keys, oldest first, also those that have ended."""
    return _page(visit)


def create(visit: Visit) -> PageAnswer:
    """A new key. Its token is in the answer to this form and never again, so no address leads to it.

    The same form sent twice makes one.
    """
    form = visit.request.form
    label, scopes = form.one("label"), form.all("scope")
    wrong: dict[str, list[str]] = {}
    if len(label) > MAX_LABEL or not is_one_line(label):
        wrong["label"] = [visit.words("keys.label_wrong", n=MAX_LABEL)]
    if not scopes or set(scopes) - set(ApiScope):
        wrong["scope"] = [visit.words("keys.scope_wrong")]
    if wrong:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, label=label, chosen=scopes, wrong=wrong)
    if not _is_first(visit, "create"):
        return _sent_before(visit)
    chosen = [scope for scope in ApiScope if scope in scopes]
    made = visit.behind.tenant_service.create_key(visit.business_id, chosen, label)
    visit.did(of=made.key.key_id, name=label, scopes=chosen)
    return _page(visit, made=made)


def rotate(visit: Visit, key_id: str) -> PageAnswer:
    """A key that follows another, shown as a new one is; the same form sent twice makes one."""
    if visit.behind.ports.api_keys.find(visit.business_id, key_id) is None:
        raise NotFoundError("API key")
    if not _is_first(visit, f"rotate#{key_id}"):
        return _sent_before(visit)
    try:
        made = visit.behind.tenant_service.rotate_key(visit.business_id, key_id)
    except ConflictError as error:
        return _page(visit, HTTPStatus.CONFLICT, said=[str(error)])
    visit.did(name=made.key.label)
    return _page(visit, made=made)


def revoke(visit: Visit, key_id: str) -> PageAnswer:
    """End a key now."""
    revoked = visit.behind.tenant_service.revoke_key(visit.business_id, key_id)
    visit.did(name=revoked.label)
    return see(visit.request.link("keys", query={"revoked": "1"}))


def _is_first(visit: Visit, what: str) -> bool:
    """Whether this form was not sent before: of two clicks only one makes a key."""
    ports, once = visit.behind.ports, visit.request.form.one("once")
    proposed = ports.ids.ulid(ports.clock.now())
    request = f"console#keys#{what}#{once}"
    return not once or ports.request_ids.id_for(visit.business_id, request, proposed) == proposed


def _sent_before(visit: Visit) -> PageAnswer:
    return _page(visit, HTTPStatus.CONFLICT, said=[visit.words("keys.sent_before")])


def _page(
    visit: Visit,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    label: str = "",
    chosen: Sequence[str] = (),
    wrong: Mapping[str, Sequence[str]] | None = None,
    said: Sequence[str] = (),
    made: NewKey | None = None,
) -> PageAnswer:
    tenants, business_id = visit.behind.tenant_service, visit.business_id
    try:
        page = tenants.page_of_keys(business_id, PAGE, visit.request.query.given("cursor"))
    except InvalidInputError:
        page = tenants.page_of_keys(business_id, PAGE, None)
    now = visit.behind.ports.clock.now()
    return visit.page(
        "keys",
        status,
        keys=[
            ShownKey(
                key.key_id,
                key.label,
                key.scopes,
                key.created_at,
                key.expires_at,
                has_ended=key.expires_at is not None and key.expires_at <= now,
            )
            for key in page.items
        ],
        next_cursor=page.next_cursor,
        scoped=SCOPED,
        as_customer=str(AS_CUSTOMER),
        label=label,
        chosen=chosen,
        wrong=wrong or {},
        said=said,
        made=made,
        hours=HOURS,
        once=visit.behind.ports.ids.ulid(now),
        revoked="revoked" in visit.request.query,
    )
