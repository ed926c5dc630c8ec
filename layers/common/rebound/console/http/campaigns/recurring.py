"""Recurring campaigns: the list, and the form in which one is made, changed and stopped."""

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime, time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from rebound.console.domain.deeds import Deed
from rebound.console.http.campaigns.compose import MOST_SEGMENTS, business_of, name_of, zone_of
from rebound.console.http.campaigns.content import (
    beside_fields,
    content_of,
    shown_content,
    typed_in,
    typed_of,
    voucher_of,
)
from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.typed import whole_number
from rebound.console.http.visits import Visit
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ChangedMeanwhileError, ConflictError, FieldError, InvalidInputError
from rebound.kernel.ids import time_of
from rebound.recurring.domain.days import Every, Weekday
from rebound.recurring.domain.recurring_campaigns import (
    Birthday,
    LostCustomer,
    RecurringCampaign,
    RecurringStatus,
    Regular,
)
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import UNWRITTEN, TemplateContent

if TYPE_CHECKING:
    from rebound.recurring.application.recurring_service import RecurringView
    from rebound.recurring.domain.recurring_campaigns import Audience

PAGE: Final = 25
LATEST: Final = 10
"""Campaigns that came of one."""
MOST_BEFORE: Final = 60
MOST_AFTER: Final = 1000
MONTHLY: Final = "monthly"
"""Beside the days of a week."""
KINDS: Final = ("birthday", "lost", "regular")
_TYPED: Final = (
    "name",
    "channel",
    "category",
    "whom",
    "days_before",
    "after_days",
    "segment_id",
    "every",
    "day_of_month",
    "at",
    "local",
    "exclude_failed",
    "backlog",
)
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def show_list(visit: Visit) -> PageAnswer:
    """Those of the business, the oldest first."""
    page = visit.behind.ports.recurring.page(visit.business_id, PAGE, visit.request.query.given("cursor"))
    return visit.page("recurring", rows=page.items, next_cursor=page.next_cursor, Birthday=Birthday, Lost=LostCustomer)


def begin(visit: Visit) -> PageAnswer:
    """The form of one that there is not yet."""
    typed = {**dict.fromkeys(_TYPED, ""), **typed_of(UNWRITTEN[0], None)}
    typed |= {"channel": Channel.EMAIL, "category": Category.MARKETING, "whom": "birthday", "days_before": "0"}
    return _page(visit, None, typed | {"every": Weekday.MONDAY, "at": "09:00", "exclude_failed": "1"})


def create(visit: Visit) -> PageAnswer:
    """Make one, which is on from then on; the same form sent twice makes one. Or only look at what is typed."""
    form, typed = visit.request.form, _typed(visit.request.form)
    if form.one("do") not in ("on", "save"):
        return _page(visit, None, typed)
    try:
        new = RecurringCampaign(
            business_id=visit.business_id,
            recurring_id="",
            name="",
            category=form.choice("category", Category),
            channel=form.choice("channel", Channel),
            content=UNWRITTEN[0],
            audience=Birthday(),
            at=time(),
            created_at=_NO_TIME,
            updated_at=_NO_TIME,
        )
        request = f"console#recurring#{form.one('once')}"
        view = visit.behind.recurring_service.post(_changed(visit, typed)(new), request)
    except InvalidInputError as error:
        return _page(visit, None, typed, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=beside_fields(visit, error))
    visit.did(of=view.recurring.recurring_id, name=view.recurring.name, once=True)
    return see(visit.request.link("recurring", view.recurring.recurring_id, query={"saved": "1"}))


def show(visit: Visit, recurring_id: str) -> PageAnswer:
    """One, when it is sent next, and what came of it last."""
    view = visit.behind.recurring_service.find(business_of(visit), recurring_id)
    return _page(visit, view, _typed_of(view.recurring))


def save(visit: Visit, recurring_id: str) -> PageAnswer:
    """Change one: what is sent from then on. Or only look at what is typed."""
    service, business_id, form = visit.behind.recurring_service, visit.business_id, visit.request.form
    typed = {**_typed(form), "channel": ""}

    def again(status: HTTPStatus = HTTPStatus.OK, **said: Any) -> PageAnswer:
        view = service.find(business_of(visit), recurring_id)
        return _page(visit, view, typed | {"channel": view.recurring.channel}, status, **said)

    if form.one("do") not in ("on", "save"):
        return again()
    try:
        change = _changed(visit, typed)
        view = service.change(business_id, recurring_id, change, [form.one("version")] if form.one("version") else None)
        visit.did(name=view.recurring.name)
    except InvalidInputError as error:
        return again(HTTPStatus.UNPROCESSABLE_ENTITY, wrong=beside_fields(visit, error))
    except ChangedMeanwhileError:
        stands = service.find(business_of(visit), recurring_id).recurring
        # Whoever sends the same form twice has changed it themselves.
        if _kept(change(stands)) != _kept(stands):
            return again(HTTPStatus.CONFLICT, is_changed=True)
        visit.did_nothing()
    except ConflictError as error:
        return again(HTTPStatus.CONFLICT, wrong={"": [str(error)]})
    return see(visit.request.link("recurring", recurring_id, query={"saved": "1"}))


def switch(visit: Visit, recurring_id: str) -> PageAnswer:
    """Stop it, or let it go on; what was sent stays."""
    status = RecurringStatus.ON if visit.request.form.one("do") == "on" else RecurringStatus.OFF

    def change(before: RecurringCampaign) -> RecurringCampaign:
        return replace(before, status=status)

    view = visit.behind.recurring_service.change(visit.business_id, recurring_id, change, None)
    is_on = status is RecurringStatus.ON
    visit.did(Deed.RECURRING_SWITCHED_ON if is_on else Deed.RECURRING_SWITCHED_OFF, name=view.recurring.name)
    return see(visit.request.link("recurring", recurring_id, query={"saved": "1"}))


def delete(visit: Visit, recurring_id: str) -> PageAnswer:
    """Remove it; what was sent stays."""
    name = visit.behind.recurring_service.find(business_of(visit), recurring_id).recurring.name
    visit.behind.recurring_service.delete(visit.business_id, recurring_id, None)
    visit.did(name=name)
    return see(visit.request.link("recurring"))


def _typed(form: Form) -> dict[str, str]:
    return {**typed_in(form), **{name: form.one(name) for name in _TYPED}}


def _typed_of(recurring: RecurringCampaign) -> dict[str, str]:
    typed = {**dict.fromkeys(_TYPED, ""), **typed_of(recurring.content, recurring.voucher)}
    typed |= {"name": recurring.name, "channel": recurring.channel, "category": recurring.category}
    typed |= {"at": f"{recurring.at:%H:%M}", "every": Weekday.MONDAY}
    switches = {"local": recurring.local, "exclude_failed": recurring.exclude_failed, "backlog": recurring.backlog}
    typed |= {name: "1" if is_on else "" for name, is_on in switches.items()}
    match recurring.audience:
        case Birthday(days_before):
            return typed | {"whom": "birthday", "days_before": str(days_before)}
        case LostCustomer(after_days):
            return typed | {"whom": "lost", "after_days": str(after_days)}
        case Regular(selection, every):
            typed |= {"whom": "regular", "segment_id": selection.segment_id or ""}
    if every.weekday is not None:
        return typed | {"every": every.weekday}
    return typed | {"every": MONTHLY, "day_of_month": str(every.day_of_month)}


def _changed(visit: Visit, typed: Mapping[str, str]) -> Callable[[RecurringCampaign], RecurringCampaign]:
    """What makes of one what is typed; its channel stays. Raises ``InvalidInputError``, as what it gives does."""
    category = visit.request.form.choice("category", Category)
    try:
        at = datetime.strptime(typed["at"][:5], "%H:%M").time()  # noqa: DTZ007 - a clock's, without a zone
    except ValueError:
        raise InvalidInputError(FieldError("at", visit.words("recurring.no_time"))) from None
    name, given = name_of(visit, typed["name"]), voucher_of(visit, typed)

    def change(before: RecurringCampaign) -> RecurringCampaign:
        said = content_of(visit, typed, before.channel, category, before.content)
        number = 0 if before.voucher is None else before.voucher.number
        return replace(
            before,
            name=name,
            category=category,
            at=at,
            audience=_audience(visit, typed, before),
            content=said,
            local=typed["local"] == "1",
            exclude_failed=typed["exclude_failed"] == "1",
            backlog=typed["backlog"] == "1",
            voucher=None if given is None else replace(given, number=number),
        )

    return change


def _audience(visit: Visit, typed: Mapping[str, str], before: RecurringCampaign) -> "Audience":
    if typed["whom"] == "birthday":
        return Birthday(_number(visit, typed, "days_before", 0, MOST_BEFORE))
    if typed["whom"] == "lost":
        return LostCustomer(_number(visit, typed, "after_days", 1, MOST_AFTER))
    if typed["every"] in list(Weekday):
        every = Every(weekday=Weekday(typed["every"]))
    else:
        every = Every(day_of_month=_number(visit, typed, "day_of_month", 1, 31))
    if typed["segment_id"]:
        return Regular(Selection(typed["segment_id"]), every)
    stands = before.audience
    if isinstance(stands, Regular) and stands.selection.filter is not None:
        # A filter that a program gave has no name to be chosen by.
        return Regular(stands.selection, every)
    raise InvalidInputError(FieldError("segment_id", visit.words("compose.choose_whom")))


def _number(visit: Visit, typed: Mapping[str, str], name: str, least: int, most: int) -> int:
    number = whole_number(typed[name], most, least)
    if number is None:
        raise InvalidInputError(FieldError(name, visit.words("recurring.number_wrong", least=least, most=most)))
    return number


def _kept(recurring: RecurringCampaign) -> RecurringCampaign:
    """One as its row keeps it, which has no version of a template."""
    said = recurring.content
    return replace(recurring, content=said.unpinned) if isinstance(said, TemplateContent) else recurring


def _page(
    visit: Visit,
    view: "RecurringView | None",
    typed: Mapping[str, str],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    wrong: Mapping[str, Sequence[str]] | None = None,
    is_changed: bool = False,
) -> PageAnswer:
    behind, business_id = visit.behind, visit.business_id
    latest: Sequence[str] = ()
    if view is not None and "came" in visit.request.query:
        latest = behind.ports.occurrences.page(business_id, view.recurring.recurring_id, LATEST, None).items
    channel = Channel(typed["channel"]) if typed["channel"] in list(Channel) else Channel.EMAIL
    return visit.page(
        "recurring_one",
        status,
        view=view,
        typed=typed,
        wrong=wrong or {},
        is_changed=is_changed,
        saved="saved" in visit.request.query and visit.request.method == "GET",
        shown=shown_content(visit, typed, channel),
        channels=tuple(Channel),
        categories=tuple(Category),
        kinds=KINDS,
        weekdays=tuple(Weekday),
        monthly=MONTHLY,
        segments=behind.segment_service.known(business_id).in_order[:MOST_SEGMENTS],
        zone=zone_of(visit),
        latest=[(each, time_of(each)) for each in latest],
        once=visit.request.form.one("once") or behind.ports.ids.ulid(behind.ports.clock.now()),
    )
