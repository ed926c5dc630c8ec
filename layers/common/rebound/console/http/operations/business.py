"""One business, as operators see it: what it has booked, its text plan, its senders, and a hold on it."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from rebound.businesses.domain.business import Bundle
from rebound.businesses.domain.senders import sender_key
from rebound.businesses.domain.text_plan import TextPlan
from rebound.console.domain.deeds import Deed
from rebound.console.http.operations.businesses import checked
from rebound.console.http.operations.watching import TABS
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.text_senders import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rebound.businesses.domain.business import Business

_DONE: Final = ("created", "booked", "planned", "lifted", "granted", "removed")
_NUMBER: Final = re.compile("[0-9]{1,12}")
_FIELDS: Final = ("text_rate", "included", "tier", "upgrade_url", "reason", "sender")


def show(visit: Visit, business_id: str) -> PageAnswer:
    """How it stands."""
    return _page(visit, business_id)


def book(visit: Visit, business_id: str) -> PageAnswer:
    """What it has booked, and how quickly its texts go out."""
    from rebound.operations.http.tenants import BusinessOfOperatorRequest  # noqa: PLC0415

    form = visit.request.form
    change: dict[str, Any] = {}
    ticked, shown = set(form.all("bundles")), set(form.one("was_bundles").split())
    if ticked != shown:
        # Only what was ticked or cleared here: what another operator does at the same time stays.
        booked = {str(each) for each in visit.behind.tenant_service.get_business(business_id).bundles}
        change["bundles"] = sorted((booked | ticked - shown) - (shown - ticked))
    if form.one("text_rate") != form.one("was_text_rate"):
        change["text_rate"] = _number(form.one("text_rate"))

    def write() -> None:
        visit.behind.tenant_service.change_business(business_id, checked(BusinessOfOperatorRequest, change).change())

    if not change:
        visit.did_nothing()
    return _done(visit, business_id, "booked", write, booked=list(change))


def set_plan(visit: Visit, business_id: str) -> PageAnswer:
    """How many segments of texts it may use in a month, or that nobody counts them."""
    form = visit.request.form
    deed = Deed.BUSINESS_PLAN_OFF if "off" in form else Deed.BUSINESS_PLAN_SET

    def write() -> None:
        if "off" in form:
            visit.behind.set_text_plan(business_id, None)
            return
        if not _NUMBER.fullmatch(form.one("included")):
            raise InvalidInputError(FieldError("included", visit.words("operations.whole_number")))
        plan = TextPlan(
            int(form.one("included")),
            inbound_texts="inbound_texts" in form,
            inbound_calls="inbound_calls" in form,
            tier=form.given("tier"),
            upgrade_url=form.given("upgrade_url"),
        )
        visit.behind.set_text_plan(business_id, plan)

    included = () if "off" in form else form.one("included")
    return _done(visit, business_id, "planned", write, deed, included=included)


def lift_hold(visit: Visit, business_id: str) -> PageAnswer:
    """Let it send bulk again."""
    reason = visit.request.form.one("reason")
    return _done(visit, business_id, "lifted", lambda: visit.behind.account_holds.lift(business_id, reason))


def add_sender(visit: Visit, business_id: str) -> PageAnswer:
    """Let it send from an address, a number, a service or a name."""
    form = visit.request.form
    sender, share = form.one("sender"), "share" in form
    return _done(
        visit,
        business_id,
        "granted",
        lambda: visit.behind.sender_grants.add(business_id, sender, share=share),
        sender=sender,
    )


def remove_sender(visit: Visit, business_id: str) -> PageAnswer:
    """Take a sender away."""
    sender = visit.request.form.one("sender")
    return _done(
        visit,
        business_id,
        "removed",
        lambda: visit.behind.sender_grants.remove(business_id, sender),
        sender=sender,
    )


def _done(
    visit: Visit,
    business_id: str,
    what: str,
    write: "Callable[[], object]",
    deed: Deed | None = None,
    **details: Any,
) -> PageAnswer:
    """Write, and show what came of it; what was typed stays where it was refused."""
    try:
        write()
    except InvalidInputError as error:
        form = visit.request.form
        typed = {name: form.one(name) for name in _FIELDS if name in form}
        return _page(visit, business_id, HTTPStatus.UNPROCESSABLE_ENTITY, typed=typed, wrong=visit.wrong(error))
    visit.did(deed, name=visit.behind.tenant_service.get_business(business_id).name, **details)
    return see(visit.request.link("operations", "businesses", business_id, query={"done": what}))


def _number(typed: str) -> object:
    """What was typed as a number; what is none stays as it is, to be refused."""
    try:
        return float(typed) if typed else None
    except ValueError:
        return typed


def _shown(business: "Business") -> dict[str, str]:
    plan = business.text_plan
    return {
        "text_rate": "" if business.text_rate is None else f"{business.text_rate:g}",
        "included": "" if plan is None else str(plan.included),
        "tier": (plan.tier or "") if plan is not None else "",
        "upgrade_url": (plan.upgrade_url or "") if plan is not None else "",
        "reason": "",
        "sender": "",
    }


def _page(
    visit: Visit,
    business_id: str,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, list[str]] | None = None,
) -> PageAnswer:
    business = visit.behind.tenant_service.get_business(business_id)
    done = visit.request.query.one("done")
    shown = _shown(business)
    chosen = {sender_key(each) for each in (business.email_from, business.text_from) if each is not None}
    return visit.page(
        "operations_business",
        status,
        tabs=TABS,
        tab="businesses",
        shown_business=business,
        every_bundle=tuple(Bundle),
        plan=business.text_plan,
        now=visit.behind.read_text_plan(business),
        was_text_rate=shown["text_rate"],
        values={**shown, **(typed or {})},
        senders=[
            (sender, "email" if "@" in sender else kind_of(sender), sender_key(sender) in chosen)
            for sender in business.senders.email + business.senders.sms
        ],
        wrong={name if name in _FIELDS else "": said for name, said in (wrong or {}).items()},
        done=done if done in _DONE else None,
    )
