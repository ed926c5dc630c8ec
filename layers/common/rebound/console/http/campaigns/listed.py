"""The campaigns of a business: which there are, and how far those are that run."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from rebound.campaigns.application.campaign_service import CampaignsWanted
from rebound.campaigns.domain.campaigns import RUNNING, UNDER_WAY, Campaign, CampaignStatus
from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit
from rebound.kernel.errors import InvalidInputError
from rebound.messages.domain.messages import MessageStatus

if TYPE_CHECKING:
    from rebound.campaigns.application.campaign_service import CampaignView

PAGE: Final = 25
MOST_COUNTED: Final = 1
"""Campaigns whose progress stands in the list: it is three requests for each."""


def show_list(visit: Visit) -> PageAnswer:
    """The campaigns that are asked for, newest first. While one runs the page looks again by itself."""
    query = visit.request.query
    asked = {"q": query.one("q"), "status": query.one("status")}
    rows: Sequence[Campaign] = ()
    next_cursor, wrong = None, []
    service = visit.behind.campaign_service
    try:
        status = CampaignStatus(asked["status"]) if asked["status"] in list(CampaignStatus) else None
        wanted = CampaignsWanted(status, None, asked["q"] or None)
        page = service.listed(visit.business_id, PAGE, query.given("cursor"), wanted)
    except InvalidInputError as error:
        wrong = [each.message for each in error.errors]
    else:
        rows, next_cursor = page.items, page.next_cursor
    counted = [each for each in rows if each.status in UNDER_WAY and not each.contents][:MOST_COUNTED]
    given = {name: value for name, value in asked.items() if value}
    return visit.page(
        "campaigns",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        asked=asked,
        given=given,
        here={**given, **({"cursor": query.one("cursor")} if "cursor" in query else {})},
        statuses=tuple(CampaignStatus),
        rows=rows,
        progress={each.campaign_id: progress_of(service.view(each)) for each in counted},
        is_running=any(each.status in RUNNING for each in rows),
        next_cursor=next_cursor,
        wrong=wrong,
    )


def progress_of(view: "CampaignView") -> Mapping[str, int]:
    """How many are meant to get it, and how many of them are accounted for."""
    targeted, queued = view.audience.targeted, view.results[MessageStatus.QUEUED]
    return {"is_expanded": view.is_expanded, "targeted": targeted, "done": targeted - queued}
