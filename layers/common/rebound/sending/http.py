"""Messages to one person: shape and routes."""

import re
from collections.abc import Sequence
from copy import replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import AfterValidator, Field

from rebound.businesses.application.timing import Timing
from rebound.campaigns.domain.campaigns import Campaign
from rebound.eligibility.domain.eligibility import Exclusion, Hold, Send
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.ids import id_of_external
from rebound.kernel.times import write_time
from rebound.messages.domain.messages import Message
from rebound.messages.http import (
    MessageAnswer,
    MessagePage,
    SaidAnswer,
    Says,
    Sends,
    Timed,
    said_in_answer,
)
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
from rebound.platform.http.shapes import (
    Answer,
    CustomerId,
    EitherTime,
    ExternalId,
    FieldProblem,
    Moment,
    NamesACustomer,
    Request,
    TextsForeseenAnswer,
    Time,
    WrittenTime,
    is_none,
    text_of,
    texts_foreseen,
)
from rebound.sending import wiring
from rebound.sending.domain.single_messages import MessageChange, Posted, SingleMessage
from rebound.templates.domain.content import Said
from rebound.templates.domain.rendering import warnings_about
from rebound.templates.domain.sendable import segments_for

if TYPE_CHECKING:
    from rebound.sending.application.foresee_message import ForeseenMessage

APPOINTMENT_ID = re.compile("[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}")


def _names_an_appointment(value: str) -> str:
    """It has to stand in the address of the appointment's log."""
    if not APPOINTMENT_ID.fullmatch(value):
        raise ValueError("Must be 1 to 128 letters, digits, dots, colons, underscores and hyphens, a dot not first.")
    return value


AppointmentId = Annotated[str, AfterValidator(_names_an_appointment), text_of(pattern=f"^{APPOINTMENT_ID.pattern}$")]


MIN_HOURS: Final = 0.01
"""36 seconds: once the appointment begins, nothing is sent."""
MAX_HOURS: Final = 8760
HOUR_SECONDS: Final = 3600


class SendBefore(Request):
    """How long before the appointment begins."""

    hours: Annotated[float, Field(ge=MIN_HOURS, le=MAX_HOURS)] = Field(
        description="May be a fraction, such as 0.5. Not 0: nothing is sent once the appointment begins."
    )

    @property
    def lead(self) -> timedelta:
        """The same as a duration of whole seconds."""
        return timedelta(seconds=round(self.hours * HOUR_SECONDS))


class SendBeforeAnswer(Answer):
    """How long before the appointment begins."""

    hours: float


class ForeseenDecision(StrEnum):
    """What becomes of a message, as things stand."""

    SEND = "send"
    HELD = "held"
    EXCLUDED = "excluded"


class ForeseenAnswer(Answer):
    """What becomes of the message, on what is known now; it is decided again when its time has come."""

    decision: ForeseenDecision = Field(
        description="send: it goes out now; held: at until; excluded: it is left out, for reason."
    )
    until: Time | None
    reason: str | None = Field(
        description="Of held, quiet_hours or send_at; of excluded, why (Exclusion). New ones may be added."
    )
    channel: Channel | None = Field(
        default=None,
        exclude_if=is_none,
        description="email, where that is how a text goes: the text plan has no room for it.",
    )
    text_plan: TextsForeseenAnswer | None = Field(
        default=None, exclude_if=is_none, description="Of a text of a business with a text plan, unless it is left out."
    )

    @classmethod
    def of(cls, found: "ForeseenMessage", text_plan: TextsForeseenAnswer | None = None) -> Self:
        """The answer for a decision."""
        more: dict[str, Any] = {"channel": Channel.EMAIL if found.falls_back else None, "text_plan": text_plan}
        match found.decision:
            case Send():
                return cls(decision=ForeseenDecision.SEND, until=None, reason=None, **more)
            case Hold(until, because):
                return cls(decision=ForeseenDecision.HELD, until=until, reason=because, **more)
            case Exclusion() as reason:
                counted = text_plan if reason is Exclusion.TEXT_PLAN_EXHAUSTED else None
                return cls(decision=ForeseenDecision.EXCLUDED, until=None, reason=reason, text_plan=counted)


class SingleMessageAnswer(MessageAnswer, SaidAnswer):
    """A message to one person, with what it says and when it is due.

    What it says and its times are null for a campaign's message, and 30 days after the time of any other.
    """

    send_at: EitherTime | None = Field(
        description="The time that was set for it, or that follows from send_before; without an offset: what the "
        "recipient's clock shows."
    )
    local: bool | None
    expires_at: Time | None = Field(description="It is not sent from then on; with starts_at, that is the same.")
    starts_at: Time | None = Field(description="When the appointment begins that it is about.")
    send_before: SendBeforeAnswer | None

    @classmethod
    def showing(cls, message: Message, carrier: Campaign | None, external_id: str | None, **more: Any) -> Self:
        """The answer for a message and its carrier."""
        return cls(**dict(MessageAnswer.of(message, external_id)), **_carried(carrier), **more)


def _carried(carrier: Campaign | None) -> dict[str, Any]:
    if carrier is None:
        return said_in_answer(None) | dict.fromkeys(("send_at", "local", "expires_at", "starts_at", "send_before"))
    local, at, lead = carrier.local_time, carrier.send_at, carrier.lead
    return {
        **said_in_answer(carrier.content),
        "send_at": local.isoformat() if local is not None else None if at is None else write_time(at),
        "local": local is not None,
        "expires_at": carrier.expires_at,
        "starts_at": carrier.appointment_at,
        "send_before": None if lead is None else SendBeforeAnswer(hours=lead.total_seconds() / HOUR_SECONDS),
    }


def _texts_foreseen(posted: Posted) -> TextsForeseenAnswer | None:
    business, said = posted.business, posted.carrier.content
    if business.text_plan is None or posted.carrier.channel is not Channel.SMS or said is None:
        return None
    left = partial(wiring.use_cases().read_text_plan.left, business.business_id)
    return texts_foreseen(segments_for(said, posted.customer, business), left)


class PostedMessageAnswer(SingleMessageAnswer):
    """A message that has just been accepted, or changed."""

    foreseen: ForeseenAnswer
    warnings: list[FieldProblem] = Field(
        description="What the business had better set right, or mend in the layout; the message is sent all the same."
    )

    @classmethod
    def of_posted(cls, posted: Posted, request: Says) -> Self:
        """The answer for a message, with what becomes of it."""
        carrier = posted.carrier
        texts = _texts_foreseen(posted)
        found = wiring.use_cases().foresee_message(posted, has_room=texts is None or texts.segments <= texts.left)
        about = (
            *warnings_about(posted.business, carrier.category, carrier.channel),
            *request.warnings_about(carrier.content, carrier.category),
        )
        warnings = [FieldProblem.of(each) for each in about]
        foreseen, external_id = ForeseenAnswer.of(found, texts), posted.customer.external_id
        return cls.showing(posted.message, carrier, external_id, foreseen=foreseen, warnings=warnings)


class NewMessageRequest(NamesACustomer, Sends):
    """A message to one person; ``send_at`` and ``starts_at`` may be up to a year ahead."""

    appointment_id: AppointmentId | None = Field(
        default=None, description="For the log of the appointment that it is about."
    )
    starts_at: Moment | None = Field(
        default=None,
        description="When the appointment begins, RFC 3339. From then on it is not sent any more (expired).",
    )
    send_before: SendBefore | None = Field(
        default=None,
        description="Send it so long before starts_at, in place of send_at; now, if that is over and the appointment "
        "has not begun. It moves with the appointment.",
    )
    asks_confirmation: bool = Field(
        default=False,
        description="Whether the text asks the customer to confirm the appointment by answering C. Only for sms, and "
        "with an appointment_id.",
    )

    def timing(self) -> Timing:
        """When it is to go out. Raises ``InvalidInputError``."""
        lead = None if self.send_before is None else self.send_before.lead
        return replace(super().timing(), appointment_at=self.starts_at, lead=lead)


class MessageChangeRequest(Says):
    """What to change of a message that has not been handed over."""

    send_at: WrittenTime | None = Field(
        default=None,
        description="When to send, RFC 3339, up to a year ahead; null for now. A message with send_before "
        "then no longer follows its appointment.",
    )
    local: bool = Field(default=False, description="Whether send_at, then without an offset, is local time.")
    expires_at: Moment | None = Field(
        default=None, description="RFC 3339; null for never. Not of a message with starts_at, which expires then."
    )

    def change(self, business_id: str) -> MessageChange:
        """What the request names."""
        given = self.model_fields_set
        return MessageChange(
            content=partial(self._said, business_id) if self.says_something_else else None,
            timing=self._timing if given & {"send_at", "local", "expires_at"} else None,
        )

    def _said(self, business_id: str, carrier: Campaign) -> Said:
        return self.said(business_id, carrier.channel, carrier.category, carrier.content)

    def _timing(self, before: Timing) -> Timing:
        """The timing with what is named; what is not stays as it was."""
        as_written = before.local_time or before.send_at
        stood = {"send_at": as_written, "local": before.local_time is not None, "expires_at": before.expires_at}
        named = {name: getattr(self, name) for name in stood.keys() & self.model_fields_set}
        after = Timed.model_construct(**{**stood, **named}).timing()
        lead = None if "send_at" in named else before.lead
        return replace(after, appointment_at=before.appointment_at, lead=lead)


class RescheduleRequest(Request):
    """When an appointment begins now."""

    starts_at: Moment = Field(description="RFC 3339, within a year of now.")


class CancelledMessagesAnswer(Answer):
    """The messages about an appointment that were cancelled, the latest first."""

    appointment_id: str
    cancelled: list[MessageAnswer]


class RescheduledAnswer(Answer):
    """The messages that follow an appointment (send_before) and had not been handed over, each in one of the lists.

    One with a time of its own is in none, unless it expires.
    """

    appointment_id: str
    starts_at: Time = Field(
        description="When the appointment begins now: what was asked for, unless it was moved again meanwhile."
    )
    moved: list[MessageAnswer] = Field(description="They wait for their new time (held_until).")
    sent_now: list[MessageAnswer] = Field(description="Their new time is over, so that they are sent now.")
    expired: list[MessageAnswer] = Field(description="The appointment has begun: they are left out.")


MessageInPath = Annotated[str, Path(description="As the answer to POST /v1/messages names it.")]
AppointmentInPath = Annotated[str, Path(description="As appointment_id of the messages names it.")]


def with_external_ids(app: APIGatewayRestResolver, messages: Sequence[Message]) -> list[MessageAnswer]:
    """The answers for messages, with their customers' external ids."""
    whose = [message.key.customer_id for message in messages]
    external_ids = wiring.use_cases().external_ids(business_of(app), whose)
    return [MessageAnswer.of(message, external_ids[message.key.customer_id]) for message in messages]


def shown(app: APIGatewayRestResolver, found: SingleMessage) -> Response[str]:
    """The answer that shows one message."""
    customer_id = found.message.key.customer_id
    external_id = wiring.use_cases().external_ids(business_of(app), [customer_id], as_of_now=True)[customer_id]
    return json_answer(SingleMessageAnswer.showing(found.message, found.carrier, external_id))


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/messages",
        summary="Send a message to one person",
        tags=["Messages"],
        responses=responses(PostedMessageAnswer, HTTPStatus.ACCEPTED),
    )
    def post_message(request: Annotated[NewMessageRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        posted = wiring.use_cases().post_message.posted(
            business_id,
            customer_id=request.customer_of(business_id),
            customer_field="customer_id" if request.external_id is None else "external_id",
            category=request.category,
            channel=request.channel,
            content=request.said(business_id, request.channel, request.category),
            appointment_id=request.appointment_id,
            asks_confirmation=request.asks_confirmation,
            timing=request.timing(),
            request=name_of_request(app),
        )
        return json_answer(PostedMessageAnswer.of_posted(posted, request), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/messages/<message_id>",
        summary="A message to one person, and what became of it",
        tags=["Messages"],
        responses=responses(SingleMessageAnswer),
    )
    def get_message(
        message_id: MessageInPath,
        customer_id: Annotated[
            CustomerId | None,
            Query(
                description="Whom it is for: this or external_id is needed for a campaign's message, and an old one."
            ),
        ] = None,
        external_id: Annotated[ExternalId | None, Query(description="The same, by your own id.")] = None,
    ) -> Response[str]:
        business_id = business_of(app)
        if external_id is not None:
            if customer_id is not None:
                raise InvalidInputError(FieldError("external_id", "Give either customer_id or external_id."))
            customer_id = id_of_external(business_id, external_id)
        return shown(app, wiring.use_cases().steer_message.get(business_id, message_id, customer_id))

    @app.patch(
        "/v1/messages/<message_id>",
        summary="Change a message to one person that has not been handed over",
        tags=["Messages"],
        responses=responses(PostedMessageAnswer),
    )
    def change_message(message_id: MessageInPath, request: Annotated[MessageChangeRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        changed = wiring.use_cases().steer_message.change(business_id, message_id, request.change(business_id))
        return json_answer(PostedMessageAnswer.of_posted(changed, request))

    @app.post(
        "/v1/messages/<message_id>/cancel",
        summary="Cancel a message to one person that has not been handed over",
        tags=["Messages"],
        responses=responses(SingleMessageAnswer),
    )
    def cancel_message(message_id: MessageInPath) -> Response[str]:
        return shown(app, wiring.use_cases().steer_message.cancel(business_of(app), message_id))

    @app.post(
        "/v1/appointments/<appointment_id>/cancel-messages",
        summary="Cancel what has not been handed over about an appointment, and close what was asked",
        tags=["Messages"],
        responses=responses(CancelledMessagesAnswer),
    )
    def cancel_appointment_messages(appointment_id: AppointmentInPath) -> Response[str]:
        cancelled = wiring.use_cases().steer_appointment.cancel(business_of(app), appointment_id)
        items = with_external_ids(app, cancelled)
        return json_answer(CancelledMessagesAnswer(appointment_id=appointment_id, cancelled=items))

    @app.post(
        "/v1/appointments/<appointment_id>/reschedule",
        summary="Move what is sent before an appointment with it",
        tags=["Messages"],
        responses=responses(RescheduledAnswer),
    )
    def reschedule_appointment(
        appointment_id: AppointmentInPath, request: Annotated[RescheduleRequest, Body()]
    ) -> Response[str]:
        done = wiring.use_cases().steer_appointment.reschedule(business_of(app), appointment_id, request.starts_at)
        return json_answer(
            RescheduledAnswer(
                appointment_id=appointment_id,
                starts_at=done.starts_at,
                moved=with_external_ids(app, done.moved),
                sent_now=with_external_ids(app, done.sent_now),
                expired=with_external_ids(app, done.expired),
            )
        )

    @app.get(
        "/v1/customers/<customer_id>/messages",
        summary="The client log, newest first",
        tags=["Messages"],
        responses=responses(MessagePage),
    )
    def list_customer_messages(
        customer_id: CustomerInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        page = wiring.use_cases().read_client_log(business_of(app), customer_id, limit, cursor)
        return json_answer(MessagePage.of(page, {customer_id: page.external_id}))
