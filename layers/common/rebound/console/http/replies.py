"""Texts of customers that somebody must read, and what they decide."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.contacts.domain.replies import Decision
from rebound.kernel.errors import ConflictError, InvalidInputError

PAGE: Final = 25


def show_list(visit: Visit) -> PageAnswer:
    """Those that wait, the oldest first."""
    return _page(visit)


def resolve(visit: Visit, reply_id: str) -> PageAnswer:
    """Write what somebody made of a text, under their address."""
    decision = visit.request.form.one("decision")
    if decision not in list(Decision):
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, [visit.words("replies.choose")])
    try:
        visit.behind.review_replies.resolve(visit.business_id, reply_id, Decision(decision), visit.me.email)
    except ConflictError as error:
        return _page(visit, HTTPStatus.CONFLICT, [str(error)])
    visit.did(decision=decision)
    return see(visit.request.link("replies", query={"resolved": decision}))


def _page(visit: Visit, status: HTTPStatus = HTTPStatus.OK, wrong: Sequence[str] = ()) -> PageAnswer:
    cursor, said = visit.request.query.given("cursor"), list(wrong)
    try:
        page = visit.behind.review_replies.waiting(visit.business_id, PAGE, cursor)
    except InvalidInputError:
        # What a link names may be gone; then the list begins.
        page = visit.behind.review_replies.waiting(visit.business_id, PAGE, None)
    resolved = visit.request.query.one("resolved")
    return visit.page(
        "replies",
        status,
        views=visit.behind.report_replies.views(visit.business_id, page.items),
        next_cursor=page.next_cursor,
        resolved=resolved if resolved in list(Decision) else None,
        wrong=said,
    )
