"""What businesses have booked, when accounts are held, and what texts cost."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from rebound.console.domain.deeds import Deed
from rebound.console.http.operations.watching import PAGE, TABS
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.provider_codes import TEXT_PROVIDERS

MOST_PRICES: Final = 1000
"""More than there are countries with their providers."""
_HOLDS: Final = ("share", "volume", "contact")
_PRICE: Final = ("country", "provider", "price", "currency")
_DONE: Final = ("holds", "holds_off", "price", "price_removed")


def show(visit: Visit) -> PageAnswer:
    """A page of businesses with their plans, the policy of holds, and all prices."""
    return _page(visit)


def set_holds(visit: Visit) -> PageAnswer:
    """Hold accounts that mostly send bulk, or hold no further one."""
    form, holds = visit.request.form, visit.behind.account_holds
    if "off" in form:
        holds.switch_off()
        visit.did(Deed.STACK_HOLDS_OFF)
        return see(visit.request.link("operations", "plans", query={"done": "holds_off"}))
    typed = {name: form.one(name) for name in _HOLDS}
    try:
        share, volume = _number(visit, typed, "share"), _number(visit, typed, "volume")
        holds.set_policy(share=share, volume=int(volume), contact=typed["contact"])
    except InvalidInputError as error:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, wrong=visit.wrong(error))
    visit.did(Deed.STACK_HOLDS_SET)
    return see(visit.request.link("operations", "plans", query={"done": "holds"}))


def set_price(visit: Visit) -> PageAnswer:
    """Enter what a segment costs."""
    form = visit.request.form
    typed = {name: form.one(name) for name in _PRICE}
    try:
        visit.behind.text_price_table.set(**typed)
    except InvalidInputError as error:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, wrong=visit.wrong(error))
    visit.did(price=list(filter(None, typed.values())))
    return see(visit.request.link("operations", "plans", query={"done": "price"}))


def remove_price(visit: Visit) -> PageAnswer:
    """Take a price away."""
    form = visit.request.form
    visit.behind.text_price_table.remove(country=form.one("country"), provider=form.one("provider"))
    visit.did(price=list(filter(None, (form.one("country"), form.one("provider")))))
    return see(visit.request.link("operations", "plans", query={"done": "price_removed"}))


def _number(visit: Visit, typed: Mapping[str, str], name: str) -> float:
    whole = name == "volume"
    try:
        return int(typed[name]) if whole else float(typed[name].replace(",", "."))
    except ValueError:
        said = visit.words("operations.whole_number" if whole else "operations.a_number")
        raise InvalidInputError(FieldError(name, said)) from None


def _page(
    visit: Visit,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, list[str]] | None = None,
) -> PageAnswer:
    policy = visit.behind.account_holds.policy()
    now = dict.fromkeys((*_HOLDS, *_PRICE), "")
    if policy is not None:
        now |= {"share": f"{policy.share:g}", "volume": str(policy.volume), "contact": policy.contact}
    page = visit.behind.tenant_service.list_businesses(PAGE, visit.request.query.given("cursor"))
    done = visit.request.query.one("done")
    return visit.page(
        "operations_plans",
        status,
        tabs=TABS,
        tab="plans",
        policy=policy,
        rows=page.items,
        next_cursor=page.next_cursor,
        prices=visit.behind.text_price_table.page(MOST_PRICES, None).items,
        providers=TEXT_PROVIDERS,
        values={**now, **(typed or {})},
        wrong=wrong or {},
        done=done if done in _DONE else None,
    )
