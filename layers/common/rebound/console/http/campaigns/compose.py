"""Writing a campaign in steps: for whom, what it says, and when. What is typed in a step is kept with the draft."""

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import NewCampaign
from rebound.campaigns.application.check_contents import unpinned
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.console.http.campaigns import divided
from rebound.console.http.campaigns.content import (
    beside_fields,
    content_of,
    shown_content,
    typed_in,
    typed_of,
    voucher_of,
)
from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.typed import CLOCK, clock_time, whole_number
from rebound.console.http.visits import Visit
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ChangedMeanwhileError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.ids import CUSTOMER_IDS
from rebound.kernel.local_time import first_instant_of, wall_clock
from rebound.messages.domain.goals import GoalKind
from rebound.messages.domain.variants import MOST as MOST_VARIANTS
from rebound.segments.domain.selections import CustomerFilter, Selection
from rebound.templates.domain.content import UNWRITTEN

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.customers.domain import Customer
    from rebound.segments.domain.segments import Segment

STEPS: Final = ("whom", "what", "when", "check")
MOST_SEGMENTS: Final = 100
"""Of which one can be chosen."""
MOST_FOUND: Final = 10
MAX_NAME: Final = 200
EVERYBODY: Final = "*everybody"
AS_IT_IS: Final = "*as-it-is"
"""In place of the id of a segment, which has no star."""
_EVERYBODY: Final = Selection(filter={"all": []})
MOST_BY_HAND: Final = 1000
"""Customers whom somebody adds back, and as many whom they take out, as programs may."""
_LISTED: Final = ("reason", "count", "from", "cursor", "of", "looked")
"""What says which page of people somebody looks at."""
_LAST_VERSION: Final = 10**9

# --- for whom ---------------------------------------------------------------------------------------------------------


def begin(visit: Visit) -> PageAnswer:
    """The first step of a campaign that there is not yet."""
    typed = {
        "name": "",
        "channel": Channel.EMAIL,
        "category": Category.MARKETING,
        "segment_id": "",
        "exclude_failed": "1",
    }
    return _whom(visit, None, {**typed, "exclude_failed": "1"})


def create(visit: Visit) -> PageAnswer:
    """Make the draft; the same form sent twice is one draft."""
    typed = _typed_whom(visit.request.form)
    try:
        channel = visit.request.form.choice("channel", Channel)
        new = NewCampaign(
            name=name_of(visit, typed["name"]),
            category=visit.request.form.choice("category", Category),
            channel=channel,
            selection=_selection(visit, typed["segment_id"]) or _EVERYBODY,
            content=UNWRITTEN[channel is not Channel.EMAIL],
            exclude_failed=typed["exclude_failed"] == "1",
            is_draft=True,
        )
        request = f"console#campaign#{visit.request.form.one('once')}"
        campaign = visit.behind.campaign_service.post(visit.business_id, new, request, foresees=False).campaign
    except InvalidInputError as error:
        return _whom(visit, None, typed, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=beside_fields(visit, error))
    visit.did(of=campaign.campaign_id, name=campaign.name, once=True)
    return see(visit.request.link("campaigns", campaign.campaign_id, "what"))


def show_whom(visit: Visit, campaign_id: str) -> PageAnswer:
    """For whom it is."""
    campaign = found(visit, campaign_id)
    return campaign_page(visit, campaign) or _whom(visit, campaign, _typed_of_whom(campaign))


def save_whom(visit: Visit, campaign_id: str) -> PageAnswer:
    """Keep for whom it is; or look for somebody who is to be taken out, or added back."""
    form = visit.request.form
    campaign, typed = found(visit, campaign_id), _typed_whom(form)
    if form.one("do") == "find":
        return _whom(visit, campaign, typed, sought=form.one("q"))

    def change() -> CampaignChange:
        selection = _selection(visit, typed["segment_id"])
        return CampaignChange(
            name=name_of(visit, typed["name"]),
            category=form.choice("category", Category),
            selection=None if selection is None else lambda _: selection,
            exclude_failed=typed["exclude_failed"] == "1",
        )

    again: Callable[..., PageAnswer] = lambda campaign, **said: _whom(visit, campaign, typed, **said)  # noqa: E731
    return saved(visit, campaign_id, change, again, "what", only_drafts=True)


def by_hand(visit: Visit, campaign_id: str) -> PageAnswer:
    """Add somebody back, take somebody out, or undo that."""
    form = visit.request.form
    what, _, customer_id = form.one("do").partition(":")
    if what not in ("add_back", "take_out", "undo") or not CUSTOMER_IDS.fullmatch(customer_id):
        raise NotFoundError("customer")
    if what != "undo":
        visit.behind.ports.customers.get(visit.business_id, customer_id)

    def change(campaign: Campaign) -> CampaignChange:
        return _changed_by_hand(visit, campaign, what, customer_id)

    def again(status: HTTPStatus, *said: str) -> PageAnswer:
        campaign = found(visit, campaign_id)
        return _whom(visit, campaign, _typed_of_whom(campaign), status, wrong={"": said})

    try:
        changed = visit.behind.edit_campaign.change(visit.business_id, campaign_id, change, foresees=False)
    except InvalidInputError as error:
        return again(HTTPStatus.UNPROCESSABLE_ENTITY, *(each.message for each in error.errors))
    except ConflictError as error:
        return again(HTTPStatus.CONFLICT, str(error))
    visit.did(name=changed.campaign.name, by_hand=what)
    back = form.one("back") if form.one("back") in ("whom", "check", "who") else "check"
    # A count in the background is of those who were meant before; what it has named is still to be dealt with.
    asked = {name: form.one(name) for name in _LISTED if form.one(name)} if back == "who" else None
    return see(visit.request.link("campaigns", campaign_id, back, query=asked))


def _changed_by_hand(visit: Visit, campaign: Campaign, what: str, customer_id: str) -> CampaignChange:
    """Raises ``ConflictError`` where more would get what is announced: nobody types the number any more."""
    added, taken = set(campaign.include_customer_ids), set(campaign.exclude_customer_ids)
    if what == "add_back" or (what == "undo" and customer_id in taken):
        check_draft(visit, campaign)
    # Somebody whom a program named by an id of its own is named by ours from then on, as are those beside them.
    is_named = customer_id in added | taken
    added.discard(customer_id)
    taken.discard(customer_id)
    if what != "undo":
        named = added if what == "add_back" else taken
        named.add(customer_id)
        if len(named) > MOST_BY_HAND:
            raise InvalidInputError(FieldError("do", visit.words("compose.too_many_by_hand", n=MOST_BY_HAND)))
    return CampaignChange(
        include_customer_ids=frozenset(added),
        include_external_ids=frozenset() if is_named else None,
        exclude_customer_ids=frozenset(taken),
        exclude_external_ids=frozenset() if is_named else None,
    )


def _typed_whom(form: Form) -> dict[str, str]:
    return {name: form.one(name) for name in ("name", "channel", "category", "segment_id", "exclude_failed")}


def _typed_of_whom(campaign: Campaign) -> dict[str, str]:
    return {
        "name": campaign.name,
        "channel": campaign.channel,
        "category": campaign.category,
        "segment_id": _choice_of(campaign.selection),
        "exclude_failed": "1" if campaign.exclude_failed else "",
    }


def _choice_of(selection: Selection) -> str:
    if selection.segment_id is not None:
        return selection.segment_id
    return EVERYBODY if selection.filter is not None and dict(selection.filter) == {"all": []} else AS_IT_IS


def name_of(visit: Visit, typed: str) -> str:
    """The name that is typed. Raises ``InvalidInputError``."""
    name = " ".join(typed.split())
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidInputError(FieldError("name", visit.words("compose.name_wrong", n=MAX_NAME)))
    return name


def _selection(visit: Visit, chosen: str) -> Selection | None:
    """Whom somebody has chosen; ``None`` for whom the draft is for already."""
    if not chosen:
        raise InvalidInputError(FieldError("segment_id", visit.words("compose.choose_whom")))
    if chosen == AS_IT_IS:
        return None
    return _EVERYBODY if chosen == EVERYBODY else Selection(segment_id=chosen)


def _whom(
    visit: Visit,
    campaign: Campaign | None,
    typed: Mapping[str, str],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    wrong: Mapping[str, Sequence[str]] | None = None,
    is_changed: bool = False,
    sought: str = "",
) -> PageAnswer:
    behind, business_id = visit.behind, visit.business_id
    people: Sequence[Customer] = ()
    if sought:
        try:
            wanted = CustomerFilter(q=sought)
            people = [view.customer for view in behind.list_customers(business_id, wanted, limit=MOST_FOUND).items]
        except InvalidInputError as error:
            wrong = {**(wrong or {}), "q": [each.message for each in error.errors]}
    by_hand: Sequence[tuple[str, str | None, bool]] = ()
    if campaign is not None and (named := [*campaign.include_customer_ids, *campaign.exclude_customer_ids]):
        known = behind.ports.customers.get_many(business_id, sorted(named)[:MOST_SEGMENTS])
        by_hand = [
            (id_, known[id_].full_name if id_ in known else None, id_ in campaign.include_customer_ids)
            for id_ in sorted(named)[:MOST_SEGMENTS]
        ]
    return visit.page(
        "compose_whom",
        status,
        **in_frame(campaign, "whom", is_changed=is_changed, wrong=wrong or {}),
        typed=typed,
        segments=visit.behind.segment_service.known(visit.business_id).in_order[:MOST_SEGMENTS],
        channels=tuple(Channel),
        categories=tuple(Category),
        everybody=EVERYBODY,
        as_it_is=AS_IT_IS if campaign is not None and _choice_of(campaign.selection) == AS_IT_IS else None,
        once=visit.request.form.one("once") or behind.ports.ids.ulid(behind.ports.clock.now()),
        sought=sought,
        people=people,
        by_hand=by_hand,
    )


# --- what it says -----------------------------------------------------------------------------------------------------


def show_what(visit: Visit, campaign_id: str) -> PageAnswer:
    """What it says."""
    campaign = found(visit, campaign_id)
    return campaign_page(visit, campaign) or _what(visit, campaign, _typed_of_what(visit, campaign))


def save_what(visit: Visit, campaign_id: str) -> PageAnswer:
    """Keep what it says; or only measure what is typed, or add a variant, and show what a template wants to know."""
    form = visit.request.form
    campaign, typed = found(visit, campaign_id), {**typed_in(form), **divided.typed_in(form)}
    if form.one("do") not in ("on", "save"):
        return _what(visit, campaign, divided.acted(visit, typed, form.one("do")))

    def change() -> CampaignChange:
        if divided.is_asked(typed) and campaign.contents is None:
            wanted = divided.change_of(visit, typed, campaign)
        else:
            said = content_of(visit, typed, campaign.channel, campaign.category, campaign.content)
            wanted = CampaignChange(content=None if says_several(campaign) else lambda _: said)
        voucher = voucher_of(visit, typed)
        return replace(wanted, voucher=UNSET if voucher is None and campaign.voucher is None else voucher)

    return saved(visit, campaign_id, change, lambda again, **said: _what(visit, again, typed, **said), "when")


def _typed_of_what(visit: Visit, campaign: Campaign) -> dict[str, str]:
    variants = () if campaign.split is None else campaign.split.variants
    said = {each.name: typed_of(each.content or campaign.content, None) for each in variants}
    return {**typed_of(campaign.content, campaign.voucher), **divided.typed_of(campaign, said, visit)}


def _what(
    visit: Visit,
    campaign: Campaign,
    typed: Mapping[str, str],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    wrong: Mapping[str, Sequence[str]] | None = None,
    is_changed: bool = False,
) -> PageAnswer:
    if not divided.is_asked(typed):
        typed = {**_typed_of_what(visit, campaign), **typed}
    what, _, place = visit.request.form.one("do").partition(":")
    shown = shown_content(
        visit,
        typed,
        campaign.channel,
        is_by_tier=campaign.contents is not None,
        is_to_all=not divided.variants_in(typed),
    )
    return visit.page(
        "compose_what",
        status,
        **in_frame(campaign, "what", is_changed=is_changed, wrong=wrong or {}),
        typed=typed,
        shown=shown,
        variants=divided.shown(visit, typed, shown.published, place if what == "measure" else ""),
        most_variants=MOST_VARIANTS,
        goals=[each for each in GoalKind if each is not GoalKind.REPLY or campaign.channel is Channel.SMS],
    )


# --- when -------------------------------------------------------------------------------------------------------------


def show_when(visit: Visit, campaign_id: str) -> PageAnswer:
    """When it is sent."""
    campaign = found(visit, campaign_id)
    return campaign_page(visit, campaign) or _when(visit, campaign, _typed_of_when(visit, campaign))


def save_when(visit: Visit, campaign_id: str) -> PageAnswer:
    """Keep when it is sent."""
    form = visit.request.form
    campaign, typed = found(visit, campaign_id), {name: form.one(name) for name in ("when", "send_at", "expires_at")}

    def change() -> CampaignChange:
        timing = _timing(visit, typed, is_draft=campaign.status is CampaignStatus.DRAFT)
        return CampaignChange(timing=lambda _: timing)

    return saved(visit, campaign_id, change, lambda again, **said: _when(visit, again, typed, **said), "check")


def _typed_of_when(visit: Visit, campaign: Campaign) -> dict[str, str]:
    zone = zone_of(visit)
    at = campaign.local_time
    if at is None and campaign.send_at is not None:
        at = wall_clock(campaign.send_at, zone)
    return {
        "when": "now" if at is None else "local" if campaign.local_time is not None else "at",
        "send_at": "" if at is None else f"{at:{CLOCK}}",
        "expires_at": "" if campaign.expires_at is None else f"{wall_clock(campaign.expires_at, zone):{CLOCK}}",
    }


def _timing(visit: Visit, typed: Mapping[str, str], *, is_draft: bool) -> Timing:
    expires = _clock(visit, "expires_at", typed["expires_at"])
    expires_at = None if expires is None else first_instant_of(expires, zone_of(visit))
    if typed["when"] not in ("at", "local"):
        if not is_draft:
            raise InvalidInputError(FieldError("when", visit.words("compose.not_now")))
        return Timing(expires_at=expires_at)
    at = _clock(visit, "send_at", typed["send_at"])
    if at is None:
        raise InvalidInputError(FieldError("send_at", visit.words("compose.no_time")))
    if typed["when"] == "local":
        return Timing(local_time=at, expires_at=expires_at)
    return Timing(first_instant_of(at, zone_of(visit)), expires_at=expires_at)


def _clock(visit: Visit, field: str, typed: str) -> datetime | None:
    """What a clock shows, as it was typed. Raises ``InvalidInputError``."""
    if not typed:
        return None
    at = clock_time(typed)
    if at is None:
        raise InvalidInputError(FieldError(field, visit.words("compose.no_time")))
    return at


def _when(
    visit: Visit,
    campaign: Campaign,
    typed: Mapping[str, str],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    wrong: Mapping[str, Sequence[str]] | None = None,
    is_changed: bool = False,
) -> PageAnswer:
    return visit.page(
        "compose_when",
        status,
        **in_frame(campaign, "when", is_changed=is_changed, wrong=wrong or {}),
        typed=typed,
        zone=zone_of(visit),
    )


# --- what all steps have ----------------------------------------------------------------------------------------------


def found(visit: Visit, campaign_id: str) -> Campaign:
    """The campaign. Raises ``NotFoundError``."""
    return visit.behind.campaign_service.find(visit.business_id, campaign_id)


def campaign_page(visit: Visit, campaign: Campaign) -> PageAnswer | None:
    """The way to the page of a campaign that cannot be written any more; ``None`` for one that can."""
    return None if campaign.is_editable else see(visit.request.link("campaigns", campaign.campaign_id))


def business_of(visit: Visit) -> "Business":
    """The business that somebody looks at."""
    return visit.of_business


def zone_of(visit: Visit) -> str:
    """The business's time zone."""
    return business_of(visit).time_zone


def in_frame(
    campaign: Campaign | None, step: str, *, is_changed: bool, wrong: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """What the frame of the steps shows."""
    return {
        "campaign": campaign,
        "step": step,
        "steps": STEPS,
        "is_changed": is_changed,
        "is_announced": campaign is not None and campaign.status is not CampaignStatus.DRAFT,
        "wrong": wrong,
    }


def saved(
    visit: Visit,
    campaign_id: str,
    change: Callable[[], CampaignChange],
    again: Callable[..., PageAnswer],
    onwards: str,
    *,
    only_drafts: bool = False,
) -> PageAnswer:
    """Keep a change, perhaps one of drafts only, and go on; or show the step again, with what was typed.

    What somebody else has changed since the step was shown is shown as well, and replaced only by sending it again.
    """
    form = visit.request.form
    # What is no version is none that there ever was.
    version = (whole_number(form.one("version"), _LAST_VERSION) or 0) if form.one("version") else None
    try:
        wanted = change()

        def checked(campaign: Campaign) -> CampaignChange:
            held = 0 if campaign.split is None else campaign.split.holdout
            if only_drafts or wanted.holdout not in (None, held):
                check_draft(visit, campaign)
            return wanted

        changed = visit.behind.edit_campaign.change(
            visit.business_id, campaign_id, checked, version=version, foresees=False
        )
        visit.did(name=changed.campaign.name)
    except InvalidInputError as error:
        wrong = beside_fields(visit, error)
        return again(found(visit, campaign_id), status=HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong)
    except ChangedMeanwhileError:
        campaign = found(visit, campaign_id)
        # Whoever sends the same form twice has changed it themselves.
        if _kept(change().applied_to(campaign)) != _kept(campaign):
            return again(campaign, status=HTTPStatus.CONFLICT, is_changed=True)
        visit.did_nothing()
    except ConflictError as error:
        return again(found(visit, campaign_id), status=HTTPStatus.CONFLICT, wrong={"": [str(error)]})
    step = visit.request.path[-1] if form.one("do") == "save" else onwards
    return see(visit.request.link("campaigns", campaign_id, step, query={"saved": "1"} if step != onwards else None))


def check_draft(visit: Visit, campaign: Campaign) -> None:
    """Raises ``ConflictError`` for a campaign that is announced: who gets it is what somebody typed the number for."""
    if campaign.status is not CampaignStatus.DRAFT:
        raise ConflictError("campaign_begun", visit.words("compose.whom_stands"))


def _kept(campaign: Campaign) -> Campaign:
    """A draft as its row keeps it, which has no version of a template."""
    return campaign.with_said(unpinned)


def says_several(campaign: Campaign) -> bool:
    """Whether it says something else to some than to others."""
    return campaign.contents is not None or len(campaign.all_said) > 1


def segment_of(visit: Visit, campaign: Campaign) -> "Segment | None":
    """The saved segment that it is for; ``None`` for none, and for one that is deleted."""
    if campaign.selection.segment_id is None:
        return None
    try:
        return visit.behind.segment_service.get(visit.business_id, campaign.selection.segment_id)
    except NotFoundError:
        return None
