"""What customers did: shapes and routes."""

from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field, WithJsonSchema

from rebound.activity import wiring
from rebound.activity.application.accept_activity import Accepted
from rebound.activity.domain.checking import (
    AMOUNT,
    APPOINTMENT_ID,
    EVENT_ID,
    HIGHEST_RATING,
    MAX_CREDITS,
    MAX_ID,
    MAX_LINE,
    MAX_WORDS,
    STARTS_WITHIN,
    TEMPLATE_ID,
)
from rebound.activity.domain.events import FIELDS, Event, EventKind, MembershipStatus
from rebound.activity.domain.summary import Summary
from rebound.customers.application.book_points import MAX_REASON, MOST_POINTS
from rebound.customers.domain import Customer
from rebound.kernel.currencies import CODE, written_amount
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    CustomerInPath,
    Limit,
    business_of,
    json_answer,
    name_of_request,
    responses,
)
from rebound.platform.http.shapes import Answer, Request, Time, text_of

MAX_EVENTS: Final = 500
_ID_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": MAX_ID}
_TIME_TEXT: Final = {"type": "string", "format": "date-time"}
_ID_PATTERN: Final = f"^{EVENT_ID.pattern}$"
_SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "appointment_id": {"type": "string", "pattern": f"^{APPOINTMENT_ID}$"},
    "template_id": {"type": "string", "pattern": f"^{TEMPLATE_ID}$"},
    "starts_at": {**_TIME_TEXT, "description": f"When it begins: at most {STARTS_WITHIN.days} days from now."},
    "amount": {
        "type": "string",
        "pattern": f"^{AMOUNT.pattern}$",
        "description": "Decimal text, with no more decimals than the currency has.",
        "examples": ["12.50"],
    },
    "currency": {"type": "string", "pattern": f"^{CODE}$", "description": "Of ISO 4217.", "examples": ["EUR"]},
    "status": {"type": "string", "enum": list(MembershipStatus)},
    "until": {"type": "string", "format": "date", "description": "The last day; or a time, whose day it is."},
    "credits_left": {"type": "integer", "minimum": 0, "maximum": MAX_CREDITS},
    "rating": {"type": "integer", "minimum": 1, "maximum": HIGHEST_RATING},
    "text": {"type": "string", "minLength": 1, "maxLength": MAX_WORDS},
    "who": {"type": "string", "minLength": 1, "maxLength": MAX_LINE},
}
_FIELDS: Final = tuple(dict.fromkeys(name for names in FIELDS.values() for name in names))
_EVENT_SCHEMA: Final = {
    "type": "object",
    "required": ["event_id", "kind", "at"],
    "properties": {
        "event_id": {"type": "string", "pattern": _ID_PATTERN, "description": "Your own id of the event."},
        "kind": {"type": "string", "enum": list(EventKind)},
        "at": {
            **_TIME_TEXT,
            "description": "When it happened, for a booking when it was made: at most one day from now.",
        },
        "customer_id": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "This or external_id."},
        "external_id": {**_ID_TEXT, "description": "Of somebody who may become a customer within 30 days."},
        **{name: dict(_SCHEMAS.get(name, _ID_TEXT)) for name in _FIELDS},
    },
}


class ActivityRequest(Request):
    """What customers did. Each event is checked by itself: those that are wrong are named in the answer."""

    events: Annotated[
        list[Any],
        Field(min_length=1, max_length=MAX_EVENTS),
        WithJsonSchema({"type": "array", "items": _EVENT_SCHEMA, "minItems": 1, "maxItems": MAX_EVENTS}),
    ]


class ActivityErrorAnswer(Answer):
    """What is wrong with one event, which was not taken."""

    index: int = Field(description="Of the event in the request, from 0.")
    field: str = Field(description="Of the event, as you wrote it; events[3] where the event is no object.")
    message: str
    did_you_mean: str | None = Field(description="The field that was probably meant.")

    @classmethod
    def of(cls, index: int, error: FieldError) -> Self:
        """The answer for an error."""
        return cls(index=index, field=error.field, message=error.message, did_you_mean=error.did_you_mean)


class PointsRequest(Request):
    """Points to add to a customer's balance, or to take off."""

    delta: int = Field(ge=-MOST_POINTS, le=MOST_POINTS, description="Below 0 takes off; not 0.")
    reason: Annotated[str, text_of(minLength=1, maxLength=MAX_REASON)]
    who: Annotated[str, text_of(minLength=1, maxLength=MAX_REASON)] = Field(description="Who booked it.")


class PointsAnswer(Answer):
    """The balance after a booking."""

    points_balance: int


class AcceptedAnswer(Answer):
    """What became of the events of a request."""

    accepted: int = Field(description="Will be applied, usually within seconds.")
    known: int = Field(description="Say what is applied already.")
    errors: list[ActivityErrorAnswer]

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """The answer for a request."""
        errors = [ActivityErrorAnswer.of(index, error) for index, error in accepted.errors]
        return cls(accepted=accepted.accepted, known=accepted.known, errors=errors)


class ActivityEventAnswer(Answer):
    """One event. Fields that its kind does not have, or that were not given, are null."""

    event_id: str
    kind: EventKind
    at: Time
    appointment_id: str | None
    starts_at: Time | None
    class_id: str | None
    class_type: str | None
    template_id: str | None
    series_id: str | None
    location_id: str | None
    amount: str | None = Field(description="Decimal text.")
    currency: str | None
    order_id: str | None
    product_id: str | None
    membership_id: str | None
    status: MembershipStatus | None
    until: date | None
    package_id: str | None
    credits_left: int | None
    rating: int | None
    version: str | None
    text: str | None
    who: str | None
    waiver_id: str | None

    @classmethod
    def of(cls, event: Event) -> Self:
        """The answer for an event."""
        return cls.filled(event, amount=None if event.amount is None else str(event.amount))


class ActivityAnswer(Answer):
    """Part of what a customer did, newest first."""

    items: list[ActivityEventAnswer]
    next_cursor: str | None


class MoneyAnswer(Answer):
    """An amount in one currency."""

    amount: str = Field(description="Decimal text, with the decimals of the currency; below zero has a minus.")
    currency: str


class MembershipAnswer(Answer):
    """How a membership stands, by the latest word about it."""

    membership_id: str
    status: MembershipStatus
    until: date | None = Field(description="Its last day.")


class PackageAnswer(Answer):
    """What is left of a package."""

    package_id: str
    credits_left: int


class SummaryAnswer(Answer):
    """What a customer did, in numbers. Days are those of the business's time zone."""

    sales: list[MoneyAnswer] = Field(
        description="By currency: what was paid for purchases and visits, less what was refunded."
    )
    points_balance: int
    appointments: int = Field(description="Visits of no class.")
    classes: int = Field(description="Visits of a class.")
    cancellations: int
    no_shows: int
    check_ins: int
    customer_since: date | None = Field(description="As in the profile.")
    first_visit: date | None
    last_visit: date | None
    next_booking: Time | None = Field(description="When the next one begins that was not cancelled.")
    next_booking_location_id: str | None = Field(description="Where that is; null where it does not say so.")
    last_location_id: str | None = Field(
        description="Where the last visit was, or what was booked last if that was later and was not cancelled; those "
        "that name no location are passed over."
    )
    memberships: list[MembershipAnswer]
    packages: list[PackageAnswer]
    rating: int | None = Field(description="Of the latest review.")
    waiver_version: str | None = Field(description="The latest that was agreed to.")
    tier: Annotated[
        str | None,
        Field(description="The loyalty tier; null for none, and before many customers are ranked."),
    ]
    ranked_at: Time | None = Field(
        description="As of when the tier says who is on top and whether there are reviews; null where it depends on "
        "neither."
    )

    @classmethod
    def of(
        cls, customer: Customer, summary: Summary, now: datetime, tier: str | None, ranked_at: datetime | None
    ) -> Self:
        """The answer for a summary."""
        spent, coming = summary.spent(date.min, date.max), summary.coming(now)
        return cls.filled(
            summary,
            sales=[
                MoneyAnswer(amount=written_amount(amount, currency), currency=currency)
                for currency, amount in sorted(spent.items())
            ],
            customer_since=customer.customer_since,
            points_balance=customer.points_balance,
            next_booking=None if coming is None else coming.starts_at,
            next_booking_location_id=None if coming is None else coming.offer.location_id,
            memberships=[
                MembershipAnswer(membership_id=id_, status=held.status, until=held.until)
                for id_, held in summary.memberships.items()
            ],
            packages=[PackageAnswer(package_id=id_, credits_left=left) for id_, left in summary.packages.items()],
            waiver_version=summary.waiver,
            tier=tier,
            ranked_at=ranked_at,
        )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Activity"]

    @app.post(
        "/v1/activity",
        summary="Say what customers did",
        description=f"Up to {MAX_EVENTS} events. Each is applied once by its event_id, in whatever order they come; "
        "the same event_id again with other content replaces what was said before.",
        tags=tags,
        responses=responses(AcceptedAnswer, HTTPStatus.ACCEPTED),
    )
    def post_activity(request: Annotated[ActivityRequest, Body()]) -> Response[str]:
        accepted = wiring.use_cases().accept_activity(business_of(app), request.events)
        return json_answer(AcceptedAnswer.of(accepted), HTTPStatus.ACCEPTED)

    @app.delete(
        "/v1/activity/<event_id>",
        summary="Take an event back",
        description="Also one that is still on its way, and one that nobody knows.",
        tags=tags,
        responses=responses(AcceptedAnswer, HTTPStatus.ACCEPTED),
    )
    def take_back(event_id: Annotated[str, Path()]) -> Response[str]:
        if not EVENT_ID.fullmatch(event_id):
            raise InvalidInputError(FieldError("event_id", "Must be 1 to 128 of A-Z a-z 0-9 . _ : ~ -"))
        wiring.use_cases().accept_activity.take_back(business_of(app), event_id)
        return json_answer(AcceptedAnswer(accepted=1, known=0, errors=[]), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/customers/<customer_id>/activity",
        summary="List what a customer did, newest first",
        tags=tags,
        responses=responses(ActivityAnswer),
    )
    def list_activity(
        customer_id: CustomerInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        page = wiring.use_cases().read_activity.events(business_of(app), customer_id, limit, cursor)
        items = [ActivityEventAnswer.of(event) for event in page.items]
        return json_answer(ActivityAnswer(items=items, next_cursor=page.next_cursor))

    @app.post(
        "/v1/customers/<customer_id>/points",
        summary="Book points",
        description="Once for each Idempotency-Key. 409 where the balance would be below 0 and the business does not "
        "allow that.",
        tags=tags,
        responses=responses(PointsAnswer),
    )
    def book_points(customer_id: CustomerInPath, request: Annotated[PointsRequest, Body()]) -> Response[str]:
        balance = wiring.use_cases().book_points(
            business_of(app), customer_id, request.delta, request.reason, request.who, name_of_request(app)
        )
        return json_answer(PointsAnswer(points_balance=balance))
