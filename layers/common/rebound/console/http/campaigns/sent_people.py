"""Whom one campaign went to and what became of each, whom it left out, and sending it again to some of them."""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.console.http.campaigns.sent import reason_in_words
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.typed import confirms
from rebound.console.http.visits import Visit
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.eligibility.domain.explanation import attempt_sentence
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.staff.domain import Right

if TYPE_CHECKING:
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.customers.domain import Customer

PEOPLE: Final = 50
"""On a page."""
LOOKED_AT: Final = 50
"""Messages, or people left out, that are looked at for one page: some may be few among very many, and it goes on."""
SHOWN: Final = tuple(status for status in MessageStatus if status is not MessageStatus.SENDING)
ADDED_BACK: Final = (Exclusion.INVALID_CONTACT, Exclusion.WAITING_FOR_RETRY)
"""Why those were left out whom adding them back by hand brings back."""
AGAIN: Final = (MessageStatus.BOUNCED, MessageStatus.FAILED)
"""What became of those to whom it can be sent again: nothing arrived."""
STEPS: Final = ("queued_at", "sent_at", "delivered_at", "failed_at")
MAX_NAME: Final = 200
"""Characters of a campaign's name, as the API has it."""
MOST_NAMED: Final = 100
"""Of those to whom it is sent again."""


class ShownPerson(Struct, frozen=True):
    """A line of a list. ``name`` is ``None`` for who is deleted; ``may_tick`` for who can be sent to again.

    ``has_log`` says that the message has a history of its own.
    """

    customer_id: str
    name: str | None
    what: str
    kind: str
    why: str | None
    address: str | None
    at: datetime | None
    may_tick: bool
    has_log: bool = False
    again: str | None = None
    """The id of the copy in which it was sent to them again."""


def show_messages(visit: Visit, campaign_id: str) -> PageAnswer:
    """To whom it went, and what became of that; perhaps only of one status."""
    query, behind = visit.request.query, visit.behind
    campaign = behind.campaign_service.find(visit.business_id, campaign_id)
    status = query.choice("status", MessageStatus) if query.given("status") else None
    page = behind.read_recipients.rows_of(
        campaign, status=status, limit=PEOPLE, cursor=query.given("cursor"), most=LOOKED_AT
    )
    return _people(
        visit,
        campaign,
        "messages",
        chosen=status,
        choices=[(each, visit.words(f"campaign.message.{each}")) for each in SHOWN],
        rows=[_sent(visit, each.message, each.customer) for each in page.items],
        next_cursor=page.next_cursor,
    )


def show_left_out(visit: Visit, campaign_id: str) -> PageAnswer:
    """Who did not get it, and why; perhaps only for one reason."""
    query, behind = visit.request.query, visit.behind
    campaign = behind.campaign_service.find(visit.business_id, campaign_id)
    reason = query.choice("reason", Exclusion) if query.given("reason") else None
    found = behind.read_recipients.excluded_of(
        campaign, reason=reason, limit=PEOPLE, cursor=query.given("cursor"), most=LOOKED_AT
    )
    return _people(
        visit,
        campaign,
        "left-out",
        chosen=reason,
        choices=[(each, reason_in_words(visit, each)) for each in Exclusion],
        rows=[
            ShownPerson(
                customer_id=each.customer_id,
                name=None if each.customer is None else each.customer.full_name,
                what=reason_in_words(visit, each.reason),
                kind="",
                why=None,
                address=None,
                at=None,
                may_tick=each.customer is not None and each.reason in ADDED_BACK,
            )
            for each in found.page.items
        ],
        next_cursor=found.page.next_cursor,
        complete=found.complete,
    )


def show_message(visit: Visit, campaign_id: str, customer_id: str) -> PageAnswer:
    """What became of the message to one of them, step by step."""
    behind, business_id = visit.behind, visit.business_id
    campaign = behind.campaign_service.find(business_id, campaign_id)
    if campaign.run_id is None:
        raise NotFoundError("message")
    key = MessageKey(business_id, customer_id, campaign.message_id(customer_id))
    message = behind.ports.messages.get_many([key]).get(key)
    if message is None:
        raise NotFoundError("message")
    steps = [(name, getattr(message, name)) for name in STEPS]
    return visit.page(
        "campaign_message",
        campaign=campaign,
        message=message,
        customer=behind.ports.customers.get_many(business_id, [customer_id]).get(customer_id),
        steps=[(name, at) for name, at in steps if at is not None],
        sentence=attempt_sentence(message),
    )


def ask_again(visit: Visit, campaign_id: str) -> PageAnswer:
    """Whom it would be sent to again, and whether that is meant."""
    return _question(visit, campaign_id)


def send_again(visit: Visit, campaign_id: str) -> PageAnswer:
    """Send a copy of it to those who were ticked, flagged or not, when the number is right.

    The same people lead to the one copy, however often it is asked for.
    """
    form, behind, words = visit.request.form, visit.behind, visit.words
    campaign = behind.campaign_service.find(visit.business_id, campaign_id)
    ticked = dict.fromkeys(form.all("customer"))
    people = _may_again(visit, campaign, ticked)
    if len(people) != len(ticked):
        return _question(visit, campaign_id)
    if not people or not confirms(form.one("number"), len(people)):
        wrong = {"number": [words("campaign.again_wrong", n=len(people))]}
        return _question(visit, campaign_id, wrong=wrong)
    again = words("campaign.again_name", name=campaign.name).unescape()
    name = again if len(again) <= MAX_NAME else campaign.name
    try:
        done = behind.send_again(visit.business_id, campaign, people, name)
    except InvalidInputError as error:
        return _question(visit, campaign_id, said=[each.message for each in error.errors])
    except ConflictError as error:
        return _question(visit, campaign_id, HTTPStatus.CONFLICT, said=[str(error)])
    if done.copy_id is None:
        return _question(visit, campaign_id, HTTPStatus.CONFLICT)
    if done.was_before:
        visit.did_nothing()
    else:
        visit.did(of=done.copy_id, name=name, number=str(len(people)))
    query = {"done": "again_before" if done.was_before else "again"}
    return see(visit.request.link("campaigns", done.copy_id, query=query))


def _may_again(visit: Visit, campaign: "Campaign", ticked: Collection[str]) -> list[str]:
    """Those of the ticked ones who are still there, and to whom nothing of this campaign came."""
    became = visit.behind.read_recipients.became_of(campaign, ticked)
    people = [
        each
        for each, (status, reason) in became.items()
        if status in AGAIN or (status is MessageStatus.EXCLUDED and reason in ADDED_BACK)
    ]
    known = visit.behind.ports.customers.get_many(visit.business_id, people)
    return [each for each in ticked if each in known]


def _people(
    visit: Visit,
    campaign: "Campaign",
    part: str,
    *,
    chosen: str | None,
    choices: Sequence[tuple[str, str]],
    rows: Sequence[ShownPerson],
    next_cursor: str | None,
    complete: bool = True,
) -> PageAnswer:
    """A page of people. One that has few of them and goes on is gone on with by the script until there are enough."""
    asked = {} if chosen is None else {"status" if part == "messages" else "reason": str(chosen)}
    shown = len(rows) + _number(visit.request.query.one("shown"))
    if any(row.may_tick for row in rows) and visit.may(Right.SEND):
        before = visit.behind.send_again.known(visit.business_id, campaign.campaign_id)
        rows = [
            replace(row, may_tick=row.may_tick and row.customer_id not in before, again=before.get(row.customer_id))
            for row in rows
        ]
    more = None
    if next_cursor is not None:
        is_enough = shown >= PEOPLE
        query = {**asked, "cursor": next_cursor, "shown": "0" if is_enough else str(shown)}
        more = visit.request.link("campaigns", campaign.campaign_id, part, query=query)
    return visit.page(
        "campaign_people",
        campaign=campaign,
        part=part,
        asked="status" if part == "messages" else "reason",
        chosen=chosen,
        choices=choices,
        rows=rows,
        more=more,
        goes_on=more is not None and shown < PEOPLE,
        complete=complete,
        is_first="cursor" not in visit.request.query,
        may_tick=any(row.may_tick for row in rows),
    )


def _question(
    visit: Visit,
    campaign_id: str,
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
    *,
    wrong: Mapping[str, Sequence[str]] | None = None,
    said: Sequence[str] = (),
) -> PageAnswer:
    form, behind = visit.request.form, visit.behind
    campaign = behind.campaign_service.find(visit.business_id, campaign_id)
    ticked = dict.fromkeys(form.all("customer"))
    may = _may_again(visit, campaign, ticked)
    before = behind.send_again.known(visit.business_id, campaign_id)
    people = [each for each in may if each not in before]
    known = behind.ports.customers.get_many(visit.business_id, may[:MOST_NAMED])
    if len(may) != len(ticked):
        said = [visit.words("campaign.again_not_theirs", n=len(ticked) - len(may))]
    if len(people) != len(may):
        names = ", ".join(known[each].full_name for each in may if each in before and each in known)
        said = [*said, visit.words("campaign.again_had", n=len(may) - len(people), names=names)]
    if not ticked:
        said = [visit.words("campaign.again_nobody")]
    return visit.page(
        "campaign_again",
        status if wrong or said else HTTPStatus.OK,
        campaign=campaign,
        people=people,
        names=[known[each].full_name for each in people[:MOST_NAMED] if each in known],
        number=form.one("number"),
        wrong=wrong or {},
        said=said,
    )


def _sent(visit: Visit, message: Message, customer: "Customer | None") -> ShownPerson:
    status = message.shown_status
    return ShownPerson(
        customer_id=message.key.customer_id,
        name=None if customer is None else customer.full_name,
        what=visit.words(f"campaign.message.{status}"),
        kind="bad" if status in AGAIN else "",
        why=_why(visit, message),
        address=message.shown_address,
        at=message.delivered_at or message.failed_at or message.sent_at or message.held_until or message.queued_at,
        may_tick=customer is not None and status in AGAIN,
        has_log=status is not MessageStatus.QUEUED,
    )


def _why(visit: Visit, message: Message) -> str | None:
    """Why it did not arrive, or has not gone out."""
    if not message.reason:
        return None
    if message.status is MessageStatus.EXCLUDED:
        return reason_in_words(visit, message.reason)
    if visit.words.has(f"reason.{message.reason}"):
        return visit.words(f"reason.{message.reason}")
    return attempt_sentence(message)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < len(str(PEOPLE)) + 1 else 0
