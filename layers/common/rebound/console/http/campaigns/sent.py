"""One campaign once it was announced: how far it is, what came of it, and what is done with it."""

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.campaigns.domain.campaigns import ENDED, RUNNING, Campaign, CampaignStatus
from rebound.campaigns.domain.redemptions import reward_on
from rebound.campaigns.domain.results import RESULT_STATUSES
from rebound.campaigns.domain.variant_outcomes import COUNTED_FOR
from rebound.console.domain.charts import Bar, Line, OverTime, Span, bars, over_time
from rebound.console.http.campaigns import compared
from rebound.console.http.campaigns.compose import segment_of
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.typed import clock_time, confirms
from rebound.console.http.visits import Visit
from rebound.kernel.currencies import decimals_of, written_amount
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError
from rebound.messages.domain.messages import MessageStatus
from rebound.templates.domain.content import EmailContent, Said, TextContent

if TYPE_CHECKING:
    from rebound.campaigns.application.campaign_service import CampaignView

DONE: Final = ("pause", "resume", "cancel", "roll_back", "again", "again_before", "winner")
"""What the page says once, after it was done."""
KINDS: Final = {
    MessageStatus.DELIVERED: "good",
    MessageStatus.BOUNCED: "bad",
    MessageStatus.FAILED: "bad",
    MessageStatus.UNCERTAIN: "warning",
}
OVER_TIME: Final[Mapping[str, tuple[MessageStatus, ...]]] = {
    "delivered": (MessageStatus.DELIVERED,),
    "not_delivered": (MessageStatus.BOUNCED, MessageStatus.FAILED),
    "no_word": (MessageStatus.SENT, MessageStatus.UNCERTAIN),
}
"""What is drawn by time, and of which statuses it is."""
KINDS_OVER_TIME: Final = {"delivered": "good", "not_delivered": "bad", "no_word": "plain"}
_TYPED: Final = ("number", "since", "until", "variant")


class Earned(Struct, frozen=True):
    """What vouchers brought in, in one currency, as it is written; ``reward`` is ``None`` where none is due."""

    redeemed: int
    revenue: str
    reward: str | None


def show(visit: Visit, campaign_id: str) -> PageAnswer:
    """How it stands. The page looks again by itself while something goes on, and is made anew once that has changed."""
    view = visit.behind.campaign_service.get(visit.business_id, campaign_id)
    page = _page(visit, view)
    was = visit.request.query.given("was")
    if visit.request.by_script and was is not None and was != state_of(view.campaign):
        return replace(page, headers={**page.headers, "HX-Refresh": "true"})
    return page


def pause(visit: Visit, campaign_id: str) -> PageAnswer:
    """Hand over nothing more for now."""
    return _steered(visit, campaign_id, "pause", visit.behind.steer_campaign.pause)


def resume(visit: Visit, campaign_id: str) -> PageAnswer:
    """Go on where it stopped."""
    return _steered(visit, campaign_id, "resume", visit.behind.steer_campaign.resume)


def cancel(visit: Visit, campaign_id: str) -> PageAnswer:
    """End it: what has not been handed over never will be."""
    return _steered(visit, campaign_id, "cancel", visit.behind.steer_campaign.cancel)


def choose_winner(visit: Visit, campaign_id: str) -> PageAnswer:
    """Let a variant go to the rest now, before the time at which the best would."""
    chosen = visit.request.form.one("variant")
    before = visit.behind.campaign_service.find(visit.business_id, campaign_id)
    try:
        visit.behind.choose_winner.by_hand(visit.business_id, campaign_id, chosen)
    except InvalidInputError as error:
        wrong, status = visit.wrong(error), HTTPStatus.UNPROCESSABLE_ENTITY
        return _again(visit, campaign_id, status, typed={"variant": chosen}, wrong=wrong)
    except ConflictError as error:
        return _again(visit, campaign_id, HTTPStatus.CONFLICT, said=[str(error)])
    if before.split is not None and before.split.chosen is not None:
        visit.did_nothing()
    visit.did(name=before.name, variant=chosen)
    return see(visit.request.link("campaigns", campaign_id, query={"done": "winner"}))


def copy(visit: Visit, campaign_id: str) -> PageAnswer:
    """A draft that says the same to the same; sent twice, it is one."""
    request = f"console#copy#{campaign_id}#{visit.request.form.one('once')}"
    try:
        copied = visit.behind.edit_campaign.copy(visit.business_id, campaign_id, request=request).campaign
    except InvalidInputError as error:
        return _again(visit, campaign_id, HTTPStatus.UNPROCESSABLE_ENTITY, said=[e.message for e in error.errors])
    visit.did(of=copied.campaign_id, name=copied.name, once=True)
    return see(visit.request.link("campaigns", copied.campaign_id))


def roll_back(visit: Visit, campaign_id: str) -> PageAnswer:
    """Take back the flags that its bounces raised, once somebody has typed how many bounces there are."""
    form = visit.request.form
    typed = {name: form.one(name) for name in ("number", "since", "until")}
    unprocessable = HTTPStatus.UNPROCESSABLE_ENTITY
    view = visit.behind.campaign_service.get(visit.business_id, campaign_id)
    if form.one("rollback") != _rollback_id(view.campaign):
        said = [visit.words("campaign.rolled_back_meanwhile")]
        return _page(visit, view, HTTPStatus.CONFLICT, said=said, typed=typed)
    bounced = view.results[MessageStatus.BOUNCED]
    if not bounced or not confirms(typed["number"], bounced):
        wrong = {"number": [visit.words("campaign.wrong_number")]}
        return _again(visit, campaign_id, unprocessable, typed=typed, wrong=wrong)
    try:
        since, until = (_moment(visit, name, typed[name]) for name in ("since", "until"))
        to_its_end = None if until is None else until.replace(second=59)
        visit.behind.ask_for_rollback(visit.business_id, campaign_id, since, to_its_end)
    except InvalidInputError as error:
        return _again(visit, campaign_id, unprocessable, typed=typed, wrong=visit.wrong(error))
    except ConflictError as error:
        return _again(visit, campaign_id, HTTPStatus.CONFLICT, said=[str(error)])
    visit.did(name=view.campaign.name, number=str(bounced))
    return see(visit.request.link("campaigns", campaign_id, query={"done": "roll_back"}))


def _rollback_id(campaign: Campaign) -> str:
    """Of the rollback that is the last; empty for none."""
    return campaign.rollback.rollback_id if campaign.rollback is not None else ""


def state_of(campaign: Campaign) -> str:
    """What the whole page depends on, so that it is made anew when that changes."""
    rollback, split = campaign.rollback, campaign.split
    has_winner = "chosen" if split is not None and split.chosen is not None else ""
    return f"{campaign.status}-{'' if rollback is None else f'{rollback.rollback_id}-{rollback.done}'}-{has_winner}"


def _steered(visit: Visit, campaign_id: str, what: str, steer: Callable[[str, str], "CampaignView"]) -> PageAnswer:
    try:
        view = steer(visit.business_id, campaign_id)
    except ConflictError as error:
        return _again(visit, campaign_id, HTTPStatus.CONFLICT, said=[str(error)])
    visit.did(name=view.campaign.name)
    return see(visit.request.link("campaigns", campaign_id, query={"done": what}))


def _moment(visit: Visit, field: str, typed: str) -> datetime | None:
    """A time by the business's clock; ``None`` for none. Raises ``InvalidInputError``."""
    if not typed:
        return None
    at = clock_time(typed)
    if at is None:
        raise InvalidInputError(FieldError(field, visit.words("campaign.no_time")))
    return at.replace(tzinfo=ZoneInfo(visit.business.time_zone if visit.business is not None else "UTC"))


def _again(
    visit: Visit,
    campaign_id: str,
    status: HTTPStatus,
    *,
    said: Sequence[str] = (),
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    """The page after something that was not done, with why, and with what was typed."""
    view = visit.behind.campaign_service.get(visit.business_id, campaign_id)
    return _page(visit, view, status, said=said, typed=typed, wrong=wrong)


def _page(
    visit: Visit,
    view: "CampaignView",
    status: HTTPStatus = HTTPStatus.OK,
    *,
    said: Sequence[str] = (),
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    campaign, done = view.campaign, visit.request.query.one("done")
    rollback, behind = campaign.rollback, visit.behind
    is_running, now = campaign.status in RUNNING, behind.ports.clock.now()
    return visit.page(
        "campaign",
        status,
        campaign=campaign,
        segment=segment_of(visit, campaign),
        view=view,
        state=state_of(campaign),
        accounted=view.audience.targeted - view.results[MessageStatus.QUEUED],
        results=_results(visit, view),
        reasons=_reasons(visit, view),
        left_out=sum(view.audience.excluded.values()),
        over_time=_over_time(view),
        kinds_over_time=KINDS_OVER_TIME,
        now=now,
        earned=_earned(view),
        by_variant=compared.by_variant(visit, view),
        outcomes=compared.outcomes(view),
        counted_for=COUNTED_FOR.days,
        reached=compared.reached(visit, view),
        winner=compared.winner(campaign, view.variants),
        content=_said_by(campaign.content),
        # Results go on coming in after the end, but nobody waits for them.
        goes_on=is_running or (rollback is not None and not rollback.done),
        is_running=is_running,
        may_pause=is_running or campaign.status is CampaignStatus.SCHEDULED,
        may_cancel=campaign.status not in ENDED,
        rollback_id=_rollback_id(campaign),
        bounced=view.results[MessageStatus.BOUNCED],
        done=done if done in DONE else None,
        said=said,
        typed={**dict.fromkeys(_TYPED, ""), **(typed or {})},
        wrong=wrong or {},
        once=behind.ports.ids.ulid(now),
    )


def _results(visit: Visit, view: "CampaignView") -> Sequence[Bar]:
    link, words, campaign_id = visit.request.link, visit.words, view.campaign.campaign_id
    return bars(
        [
            Line(
                words(f"campaign.message.{status}"),
                view.results[status],
                KINDS.get(status, "plain"),
                # Those of each tier are listed with their own campaign.
                None if view.children else link("campaigns", campaign_id, "messages", query={"status": status}),
            )
            for status in RESULT_STATUSES
        ]
    )


def _over_time(view: "CampaignView") -> OverTime | None:
    spans = [
        Span(
            span.since,
            span.until,
            {name: sum(span.results.get(each, 0) for each in statuses) for name, statuses in OVER_TIME.items()},
        )
        for span in view.over_time or ()
    ]
    return over_time(spans, list(OVER_TIME))


def _reasons(visit: Visit, view: "CampaignView") -> Sequence[Bar]:
    """Why people were left out, the commonest reason first."""
    link, campaign_id = visit.request.link, view.campaign.campaign_id
    return bars(
        [
            Line(
                reason_in_words(visit, reason),
                count,
                "warning",
                None if view.children else link("campaigns", campaign_id, "left-out", query={"reason": reason}),
            )
            for reason, count in sorted(view.audience.excluded.items(), key=lambda pair: (-pair[1], pair[0]))
        ]
    )


def reason_in_words(visit: Visit, reason: str) -> str:
    """Why somebody was left out; a reason of a later version as it is."""
    name = f"campaign.reason.{reason}"
    return visit.words(name) if visit.words.has(name) else reason


def _earned(view: "CampaignView") -> Sequence[Earned] | None:
    """What the vouchers of a campaign brought in, by currency; ``None`` for one without."""
    if view.brought_in is None:
        return None
    return [
        Earned(
            total.redeemed,
            f"{written_amount(total.revenue, currency)} {currency}",
            f"{reward_on(total.revenue, view.reward_percent, decimals_of(currency)):f} {currency}"
            if view.reward_percent
            else None,
        )
        for currency, total in sorted(view.brought_in.items())
        if total.redeemed
    ]


def _said_by(content: Said) -> Mapping[str, str | None]:
    """What can be shown of what it says without reading a template."""
    match content:
        case EmailContent(subject=subject, text=text):
            return {"subject": subject, "text": text, "template": None}
        case TextContent(body=body):
            return {"subject": None, "text": body, "template": None}
    return {"subject": None, "text": None, "template": content.made_from.template_id}
