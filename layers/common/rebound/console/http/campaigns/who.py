"""Who gets a campaign that is written and who does not, by name, page by page, perhaps only for one reason."""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import Campaign
from rebound.console.http.campaigns.check import (
    Person,
    count_of,
    hand_of,
    is_known,
    person_of,
    question_of,
    reason_in_words,
)
from rebound.console.http.campaigns.compose import business_of, found, in_frame
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.typed import whole_number
from rebound.console.http.visits import Visit
from rebound.eligibility.application.preview_audience import Question
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.jobs.domain import JobKind, audience_of
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.ids import ULIDS

if TYPE_CHECKING:
    from rebound.jobs.application.job_service import JobView
    from rebound.jobs.domain import Job

PEOPLE: Final = 75
"""On a page; customers that are looked at for one, of whom only some may be meant."""
ENOUGH: Final = 25
"""Of whom a page has fewer is gone on with by the script."""
ADDED_BACK: Final = (Exclusion.INVALID_CONTACT, Exclusion.WAITING_FOR_RETRY)
_MOST: Final = 10**9


class People(Struct, frozen=True):
    """Some of them. ``more`` is what the next page is asked for by, ``None`` at the end.

    ``total`` is how many there are, where that is known, ``looked_at`` how many customers were looked at to find these,
    ``None`` where a count has named them, at ``counted_at``.
    """

    people: Sequence[Person] = ()
    more: Mapping[str, str] | None = None
    total: int | None = None
    looked_at: int | None = None
    counted_at: datetime | None = None


def show(visit: Visit, campaign_id: str) -> PageAnswer:
    """Some of those whom a campaign means: as a count has named them, or found among some more customers."""
    campaign, query = found(visit, campaign_id), visit.request.query
    reason = query.one("reason") if query.one("reason") in list(Exclusion) else None
    view = count_of(visit, query.given("count")) if reason is not None and "of" not in query else None
    if reason is None or view is None or not is_known(view) or not _is_for(view.job, campaign):
        return _looked_through(visit, campaign, reason)
    total = audience_of(view.counts[0]).excluded.get(reason, 0)
    ids = [one.customer_id for one in view.spared if one.reason == reason]
    if len(ids) != total:
        # They are too many to be named.
        asked = {"reason": reason, "count": view.job.job_id, "of": str(total)}
        return see(visit.request.link("campaigns", campaign_id, "who", query=asked))
    return _page(visit, campaign, reason, _named(visit, campaign, view, reason, ids))


def _named(visit: Visit, campaign: Campaign, view: "JobView", reason: str, ids: Sequence[str]) -> People:
    """Those whom a count has left out for a reason."""
    start = whole_number(visit.request.query.one("from"), _MOST) or 0
    shown = ids[start : start + PEOPLE]
    known = visit.behind.ports.customers.get_many(visit.business_id, shown) if shown else {}
    why, words = reason_in_words(visit, reason), visit.words
    people = []
    for id_ in shown:
        hand = hand_of(campaign, id_)
        said = why if not hand else f"{why}. {words('compose.is_added' if hand == 'added' else 'compose.is_taken')}"
        name = known[id_].full_name if id_ in known else words("compose.gone")
        may_be_added = reason in ADDED_BACK and id_ in known
        people.append(Person(id_, name, "excluded", said, hand, may_be_added=may_be_added))
    more = {"from": str(start + PEOPLE)} if start + PEOPLE < len(ids) else None
    return People(people, more, len(ids), counted_at=view.job.created_at)


def _looked_through(visit: Visit, campaign: Campaign, reason: str | None) -> PageAnswer:
    """Those who are found among some more customers."""
    query = visit.request.query
    job = _job(visit, campaign)
    try:
        found = visit.behind.preview_audience.recipients(
            visit.business_id,
            _question(visit, campaign, job),
            limit=PEOPLE,
            cursor=query.given("cursor"),
            reason=reason,
            most=PEOPLE,
            business=business_of(visit),
        )
    except InvalidInputError as error:
        return _page(visit, campaign, reason, None, [each.message for each in error.errors])
    except ConflictError as error:
        return _page(visit, campaign, reason, None, [str(error)])
    looked_at = (whole_number(query.one("looked"), _MOST) or 0) + found.looked_at
    people = [person_of(visit, campaign, each) for each in found.items]
    total, more = whole_number(query.one("of"), _MOST), None
    if found.next_cursor is not None:
        more = {"cursor": found.next_cursor, "looked": str(looked_at), **({} if total is None else {"of": str(total)})}
    elif "cursor" not in query:
        total = len(people)
    counted_at = None if job is None else job.created_at
    return _page(visit, campaign, reason, People(people, more, total, looked_at, counted_at))


def _job(visit: Visit, campaign: Campaign) -> "Job | None":
    job_id = visit.request.query.one("count")
    if not ULIDS.fullmatch(job_id):
        return None
    try:
        job = visit.behind.ports.jobs.get(visit.business_id, job_id)
    except NotFoundError:
        return None
    return job if _is_for(job, campaign) else None


def _question(visit: Visit, campaign: Campaign, job: "Job | None") -> Question:
    """What was counted, but for what was done by hand since; what is to be counted, where nothing was."""
    if job is None:
        return question_of(visit, campaign, is_next_page=True)
    return replace(
        Question.read(job.request),
        include_customer_ids=campaign.include_customer_ids,
        exclude_customer_ids=campaign.exclude_customer_ids,
    )


def _is_for(job: "Job", campaign: Campaign) -> bool:
    return job.kind is JobKind.PREVIEW and job.about == campaign.campaign_id


def _page(
    visit: Visit, campaign: Campaign, reason: str | None, page: People | None, flaws: Sequence[str] = ()
) -> PageAnswer:
    query = visit.request.query
    page = People() if page is None else page
    shown = (whole_number(query.one("shown"), _MOST) or 0) + len(page.people)
    asked, more = {"reason": reason or "", "count": query.one("count")}, None
    if page.more is not None:
        again = {"shown": str(shown)} if shown < ENOUGH else {}
        more = visit.request.link("campaigns", campaign.campaign_id, "who", query={**asked, **again, **page.more})
    return visit.page(
        "compose_people",
        HTTPStatus.OK,
        **in_frame(campaign, "check", is_changed=False, wrong={}),
        reason=reason,
        reasons=[(each, reason_in_words(visit, each)) for each in Exclusion],
        page=page,
        flaws=flaws,
        more=more,
        goes_on=more is not None and shown < ENOUGH,
        back="who",
        asked={**asked, **{name: query.one(name) for name in ("from", "cursor", "of", "looked")}},
        count=asked["count"],
    )
