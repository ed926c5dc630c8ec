"""What customers text: shapes and routes."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Self
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from rebound.contacts.domain.replies import Decision, Keyword, Meaning, Reply
from rebound.inbound import wiring
from rebound.inbound.application.report_replies import RepliesWanted, ReplyView, write_header, write_reply
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.ids import id_of_external
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    PROBLEM,
    TOO_MANY,
    Cursor,
    Limit,
    authorizer,
    business_of,
    json_answer,
    responses,
)
from rebound.platform.http.shapes import CUSTOMER_ID, MAX_EXTERNAL_ID, Answer, Line, Moment, Request, Time


class ReplyAnswer(Answer):
    """One text that somebody sent to the business."""

    reply_id: str
    at: Time = Field(description="When it was received.")
    number: str | None = Field(description="Whose it is; null when no customer uses the number any more.")
    to: str = Field(description="The number that was texted.")
    body: str | None = Field(description="What it said; null when no customer uses the number any more.")
    kind: Meaning = Field(description="What it was taken for.")
    keyword: Keyword | None
    message_id: str | None = Field(description="The message that it answers, where that is known.")
    customer_id: str | None = Field(description="The customer whose message it answers, where that is known.")
    external_id: str | None = Field(description="Of that customer.")
    appointment_id: str | None
    needs_staff: bool = Field(description="Whether it waits for somebody to read it.")
    resolved_at: Time | None
    resolved_by: str | None
    decision: Decision | None

    @classmethod
    def of(cls, reply: Reply, external_ids: Mapping[str, str | None]) -> Self:
        """The answer for a reply; ``external_ids`` has that of its customer, unless they are deleted."""
        external_id = external_ids.get(reply.customer_id or "")
        return cls.filled(reply, kind=reply.meaning, needs_staff=reply.is_waiting, external_id=external_id)


class ReplyingCustomerAnswer(Answer):
    """Somebody who uses or used the number."""

    customer_id: str
    external_id: str | None
    first_name: str
    last_name: str


class ReportedReplyAnswer(ReplyAnswer):
    """A reply of the report, with who may have sent it."""

    customers: list[ReplyingCustomerAnswer] = Field(
        default_factory=list, description="Who uses or used the number, ten at the most; the likeliest first."
    )

    @classmethod
    def of_view(cls, view: ReplyView) -> Self:
        """The answer for a reply and its customers."""
        customers = [ReplyingCustomerAnswer.filled(customer) for customer in view.customers]
        external_ids = {customer.customer_id: customer.external_id for customer in view.customers}
        return cls(**dict(ReplyAnswer.of(view.reply, external_ids)), customers=customers)


class ReplyPage(Answer):
    """Part of the report of replies, newest first."""

    items: list[ReportedReplyAnswer]
    next_cursor: str | None


class ReviewPage(Answer):
    """Part of the replies that somebody must read, the oldest first."""

    items: list[ReplyAnswer]
    next_cursor: str | None


class ResolveRequest(Request):
    """What somebody made of a text."""

    decision: Annotated[Decision, Field(strict=False)] = Field(
        description="opt_out: its sender wants no more texts, as after a STOP, which only they can take back. keep: it "
        "changes nothing, and what was held back because of it goes out again."
    )
    who: Line | None = Field(default=None, description="Who decided, as they are called with you; else the key's id.")


MAX_ROWS: Final = 1000
"""Of a file."""
Since = Annotated[Moment | None, Query(description="RFC 3339; only replies from then on.")]
Until = Annotated[Moment | None, Query(description="RFC 3339; only replies before.")]
KindOfReply = Annotated[Meaning | None, Query(description="What the reply was taken for.")]
FromCustomer = Annotated[
    str | None, Query(pattern=CUSTOMER_ID, description="Only from numbers that this customer uses or used.")
]
FromExternalId = Annotated[
    str | None,
    Query(min_length=1, max_length=MAX_EXTERNAL_ID, description="In place of customer_id."),
]
WordsOfReply = Annotated[
    str | None, Query(max_length=200, description="Words, each of which stands in the text or the number.")
]
Waiting = Annotated[bool | None, Query(description="Only those that wait for somebody to read them, or only others.")]
_ITEMS: Final = Query(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="How many items at most.")
_ROWS: Final = Query(default=MAX_ROWS, ge=1, le=MAX_ROWS, description="How many rows at most.")


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    _all(app)
    _waiting_for_staff(app)


def _all(app: APIGatewayRestResolver) -> None:
    def list_replies(wanted: RepliesWanted, limit: int, cursor: str | None) -> Response[str]:
        page = wiring.use_cases().report_replies(business_of(app), wanted, limit, cursor)
        items = [ReportedReplyAnswer.of_view(view) for view in page.items]
        return json_answer(ReplyPage(items=items, next_cursor=page.next_cursor))

    def download_replies(wanted: RepliesWanted, limit: int, cursor: str | None) -> Response[str]:
        views, after = wiring.use_cases().report_replies.file(business_of(app), wanted, limit, cursor)
        header = write_header() if cursor is None else ""
        asked = dict(app.current_event.query_string_parameters or {})
        more = {} if after is None else {"Link": f'<?{urlencode({**asked, "cursor": after})}>; rel="next"'}
        return Response(
            status_code=HTTPStatus.OK,
            content_type="text/csv; charset=utf-8",
            body=header + "".join(write_reply(view) for view in views),
            headers={"Content-Disposition": 'attachment; filename="replies.csv"', **more},
        )

    described = "What customers texted, newest first; a page may be short or empty and still have a next_cursor"
    _filtered(app, "/v1/replies", described, responses(ReplyPage), _ITEMS, list_replies)
    described = "The same as CSV; when there is more, Link says where (RFC 8288), and only the first part has a header"
    _filtered(app, "/v1/replies.csv", described, _csv_responses(), _ROWS, download_replies)


def _filtered(
    app: APIGatewayRestResolver,
    path: str,
    summary: str,
    answers: dict[int, Any],
    size: Any,
    answer: Callable[[RepliesWanted, int, str | None], Response[str]],
) -> None:
    """A route that answers with the replies of a filter; ``size`` is the ``limit`` of its query."""

    def route(
        since: Since = None,
        until: Until = None,
        kind: KindOfReply = None,
        customer_id: FromCustomer = None,
        external_id: FromExternalId = None,
        q: WordsOfReply = None,
        needs_staff: Waiting = None,
        limit: int = size,
        cursor: Cursor = None,
    ) -> Response[str]:
        whose = customer_id
        if external_id is not None:
            if customer_id is not None:
                raise InvalidInputError(FieldError("external_id", "Give at most one of customer_id, external_id."))
            whose = id_of_external(business_of(app), external_id)
        return answer(RepliesWanted(since, until, kind, whose, q, needs_staff), limit, cursor)

    # The operation's id in the OpenAPI document is made of the name.
    route.__name__ = answer.__name__
    app.get(path, summary=summary, tags=["Messages"], responses=answers)(route)


def _csv_responses() -> dict[int, Any]:
    described = responses(Answer)
    return {**described, 200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}


def _waiting_for_staff(app: APIGatewayRestResolver) -> None:
    tags = ["Messages"]

    @app.get(
        "/v1/replies/review",
        summary="Texts of customers that somebody must read, the oldest first",
        tags=tags,
        responses=responses(ReviewPage),
    )
    def list_replies_to_review(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().review_replies.waiting(business_of(app), limit, cursor)
        known = _external_ids(app, page.items)
        items = [ReplyAnswer.of(reply, known) for reply in page.items]
        return json_answer(ReviewPage(items=items, next_cursor=page.next_cursor))

    @app.post(
        "/v1/replies/<reply_id>/resolve",
        summary="Say what a text that somebody had to read means",
        tags=tags,
        responses=responses(ReplyAnswer),
    )
    def resolve_reply(reply_id: str, request: Annotated[ResolveRequest, Body()]) -> Response[str]:
        who = request.who or authorizer(app)["key_id"]
        reply = wiring.use_cases().review_replies.resolve(business_of(app), reply_id, request.decision, who)
        return json_answer(ReplyAnswer.of(reply, _external_ids(app, [reply])))


def _external_ids(app: APIGatewayRestResolver, replies: Iterable[Reply]) -> Mapping[str, str | None]:
    whose = [reply.customer_id for reply in replies if reply.customer_id is not None]
    return wiring.use_cases().external_ids(business_of(app), whose)


INBOUND_TEXT: Final[Mapping[str, Any]] = {
    "post": {
        "summary": "What somebody texts to a number of Twilio's",
        "description": "Signed by Twilio (X-Twilio-Signature); stored and applied before it is answered, for every "
        "business whose text_from is the number or its messaging service. The same MessageSid counts once.",
        "operationId": "receive_twilio_text",
        "tags": ["Callbacks"],
        "security": [],
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}},
        "responses": {
            "200": {
                "description": "TwiML: the answer to STOP, START or HELP, empty when there is nothing to say",
                "content": {"text/xml": {"schema": {"type": "string"}}},
            },
            "400": {"description": "Signed, and not a text", "content": PROBLEM},
            "403": {"description": "No signature, or a wrong one", "content": PROBLEM},
            "429": {**TOO_MANY, "content": PROBLEM},
        },
    }
}
