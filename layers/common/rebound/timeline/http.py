"""The logs that people read: shapes and routes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from rebound.campaigns.application.find_waiting import WaitReason
from rebound.consent.http import ConsentChangeAnswer
from rebound.contacts.domain.history import ConsentStated, FlagChanged
from rebound.contacts.domain.replies import Reply
from rebound.customers.domain import Customer, PointsBooked, ProfileEvent, ProfileEventKind
from rebound.inbound.http import ReplyAnswer
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource
from rebound.kernel.ids import time_of
from rebound.messages.domain.appointments import Answered
from rebound.messages.domain.messages import Message
from rebound.messages.http import MessageAnswer
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    CustomerInPath,
    Limit,
    business_of,
    json_answer,
    responses,
)
from rebound.platform.http.shapes import Answer, Time
from rebound.sequences.domain.enrolments import LeftBecause
from rebound.sequences.domain.what_next import InSequence, sentence_of_sequence
from rebound.timeline import wiring
from rebound.timeline.application.read_timeline import AppointmentLog, Happened, Timeline
from rebound.timeline.domain import (
    sentence_of_answer,
    sentence_of_consent,
    sentence_of_flag,
    sentence_of_message,
    sentence_of_points,
    sentence_of_profile,
    sentence_of_reply,
    sentence_of_waiting,
)


class AppointmentEntryAnswer(Answer):
    """One thing that happened about an appointment."""

    at: Time = Field(description="Of a message the time at which it was posted; what came later is in the message.")
    kind: Literal["message", "reply"]
    sentence: str = Field(description="In plain English, for the reception desk.")
    message: MessageAnswer | None = Field(description="Of kind message.")
    reply_id: str | None = Field(
        description="Of kind reply: the reply with the customer's words; null where they pressed a link's button."
    )
    confirmed: bool | None = Field(description="Of kind reply: whether it confirms; false when it is unclear.")

    @classmethod
    def of(cls, entry: Message | Answered, external_ids: Mapping[str, str | None]) -> Self:
        """The answer for an entry."""
        if isinstance(entry, Answered):
            return cls(
                at=entry.at,
                kind="reply",
                sentence=sentence_of_answer(entry),
                message=None,
                reply_id=None if entry.is_by_link else entry.reply_id,
                confirmed=entry.confirmed,
            )
        return cls(
            at=time_of(entry.key.message_id),
            kind="message",
            sentence=sentence_of_message(entry),
            message=MessageAnswer.of(entry, external_ids[entry.key.customer_id]),
            reply_id=None,
            confirmed=None,
        )


class AppointmentLogAnswer(Answer):
    """Part of what happened about an appointment, newest first."""

    appointment_id: str
    confirmed_at: Time | None = Field(
        description="When the customer confirmed it; null when they did not, or were asked again since."
    )
    items: list[AppointmentEntryAnswer]
    next_cursor: str | None

    @classmethod
    def of(cls, appointment_id: str, log: AppointmentLog, external_ids: Mapping[str, str | None]) -> Self:
        """The answer for a log."""
        return cls(
            appointment_id=appointment_id,
            confirmed_at=log.confirmed_at,
            items=[AppointmentEntryAnswer.of(entry, external_ids) for entry in log.entries],
            next_cursor=log.next_cursor,
        )


class FlagChangeAnswer(Answer):
    """The address was flagged as invalid, or is not any more."""

    invalid: bool
    reason: str | None = Field(description="Why it was flagged: a reason of the table of provider codes.")


class ProfileEventAnswer(Answer):
    """Something that happened with the profile: edits of the customer and of the desk, links to family and friends."""

    what: ProfileEventKind
    fields: list[str] = Field(description="Those that the customer changed, or found right.")
    via: Literal["form", "portal"] | None = Field(description="How the customer did it.")
    relation_id: str | None
    relationship: str | None = Field(description="What the other is to the customer.")
    customer_id: str | None = Field(description="The other customer of a relation.")
    external_id: str | None = Field(description="Of that customer.")
    name: str | None = Field(description="Of somebody who is no customer.")
    asked: Literal["customer", "other"] | None = Field(
        description="Of an invitation, which of the two was asked: the customer in the path, or the other."
    )
    who: str | None = Field(description="Who did it in the console, by email.")


class PointsBookedAnswer(Answer):
    """Points that were booked."""

    delta: int
    reason: str
    who: str
    balance: int = Field(description="After the booking.")


class InSequenceAnswer(Answer):
    """A sequence that was begun, or left; of each sequence the last time."""

    sequence_id: str
    name: str = Field(description="As it is called now.")
    what: Literal["begun", "left"]
    version: int
    entry_key: str = Field(description="What began it.")
    step_id: str | None = Field(description="Of one that was left: at which step, null before the first.")
    left_because: LeftBecause | None = Field(description="Of one that was left: why.")

    @classmethod
    def of(cls, told: InSequence) -> Self:
        """The answer for an entry."""
        enrolment = told.enrolment
        return cls.filled(
            enrolment,
            sequence_id=enrolment.key.sequence_id,
            name=told.name,
            what="left" if told.has_left else "begun",
            step_id=enrolment.step_id if told.has_left else None,
            left_because=enrolment.left_because if told.has_left else None,
        )


class StoppedTextsAnswer(Answer):
    """Nothing goes out to the customer's mobile number."""

    since: Time
    source: ConsentSource
    text_start_to: str | None = Field(
        description="The number to which the customer texts START; null when something else brings texts back, or when "
        "only the sentence can say where to find it (a messaging service)."
    )
    sentence: str


class LogEntryAnswer(Answer):
    """One thing that happened with a customer; of the last six fields the one with the kind's name is there."""

    at: Time = Field(description="Of a message the time at which its sending began; what came later is in the message.")
    kind: Literal["message", "reply", "consent", "flag", "profile", "points", "sequence"]
    sentence: str = Field(description="In plain English, for the reception desk.")
    channel: Channel | None = Field(description="Null for what is about the profile itself, for points and sequences.")
    address: str | None = Field(
        description="The address that it is about, in the form in which addresses are compared."
    )
    former: bool = Field(description="The customer has left this address; it may have been somebody else since.")
    shared_with: int = Field(
        description="How many other customers use or used the address: any of them may have been the one who did it."
    )
    held_because: WaitReason | None = Field(
        default=None,
        description="Of a message of a campaign that has not come to the customer yet: quiet_hours, send_at, "
        "winner and daily_quota end at held_until of the message, paused with a resume, and turn when others have had "
        "theirs.",
    )
    message: MessageAnswer | None = None
    reply: ReplyAnswer | None = None
    consent: ConsentChangeAnswer | None = None
    flag: FlagChangeAnswer | None = None
    profile: ProfileEventAnswer | None = None
    points: PointsBookedAnswer | None = None
    sequence: InSequenceAnswer | None = None

    @classmethod
    def of(cls, happened: Happened, external_ids: Mapping[str, str | None], others: Mapping[str, Customer]) -> Self:
        """The answer for an entry; ``others`` are those customers of relations who are there."""
        what, key = happened.what, happened.contact
        about: dict[str, Any] = {
            "at": happened.at,
            "channel": happened.channel,
            "address": None if key is None or key.is_hashed else key.address,
            "former": happened.former,
            "shared_with": happened.shared_with,
        }
        match what:
            case Message():
                because = happened.waits_because
                sentence = sentence_of_message(what) if because is None else sentence_of_waiting(what, because)
                answer = MessageAnswer.of(what, external_ids[what.key.customer_id])
                return cls(kind="message", sentence=sentence, message=answer, held_because=because, **about)
            case PointsBooked():
                points = PointsBookedAnswer.filled(what)
                return cls(kind="points", sentence=sentence_of_points(what), points=points, **about)
            case InSequence():
                sentence = sentence_of_sequence(what)
                return cls(kind="sequence", sentence=sentence, sequence=InSequenceAnswer.of(what), **about)
            case Reply():
                reply = ReplyAnswer.of(what, external_ids)
                return cls(kind="reply", sentence=sentence_of_reply(what), reply=reply, **about)
            case ProfileEvent():
                profile = ProfileEventAnswer.filled(
                    what,
                    what=what.kind,
                    fields=list(what.fields),
                    customer_id=what.other_id,
                    external_id=external_ids.get(what.other_id or ""),
                )
                return cls(kind="profile", sentence=sentence_of_profile(what, others), profile=profile, **about)
            case ConsentStated(statement):
                sentence = sentence_of_consent(statement, _channel_of(happened))
                return cls(kind="consent", sentence=sentence, consent=ConsentChangeAnswer.filled(statement), **about)
            case FlagChanged(_, reason):
                sentence = sentence_of_flag(what, _channel_of(happened))
                return cls(
                    kind="flag",
                    sentence=sentence,
                    flag=FlagChangeAnswer(invalid=reason is not None, reason=reason),
                    **about,
                )


def _channel_of(happened: Happened) -> Channel:
    """The channel of what is about an address."""
    if happened.channel is None:
        raise ValueError("this is not about an address")
    return happened.channel


class TimelineAnswer(Answer):
    """Part of what happened with a customer, newest first."""

    customer_id: str
    external_id: str | None
    texts_stopped: StoppedTextsAnswer | None = Field(description="Null while texts are not stopped.")
    items: list[LogEntryAnswer]
    next_cursor: str | None

    @classmethod
    def of(cls, timeline: Timeline, others: Mapping[str, str | None]) -> Self:
        """The answer for a log, with the external ids of ``others`` who share a number and have texted."""
        customer = timeline.customer
        related = {id_: other.external_id for id_, other in timeline.others.items()}
        external_ids = {**related, **others, customer.customer_id: customer.external_id}
        return cls(
            customer_id=customer.customer_id,
            external_id=customer.external_id,
            texts_stopped=None if timeline.stopped is None else StoppedTextsAnswer.filled(timeline.stopped),
            items=[LogEntryAnswer.of(entry, external_ids, timeline.others) for entry in timeline.entries.items],
            next_cursor=timeline.entries.next_cursor,
        )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.get(
        "/v1/customers/<customer_id>/log",
        summary="Everything that happened with a customer, newest first: messages, replies, consent, flags, profile, "
        "points, sequences",
        tags=["Messages"],
        responses=responses(TimelineAnswer),
    )
    def read_customer_log(
        customer_id: CustomerInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        timeline = wiring.use_cases().read_timeline(business_of(app), customer_id, limit, cursor)
        whats = [entry.what for entry in timeline.entries.items]
        named = {what.customer_id for what in whats if isinstance(what, Reply)}
        others = [each for each in named if each not in (None, customer_id)]
        return json_answer(TimelineAnswer.of(timeline, wiring.use_cases().external_ids(business_of(app), others)))

    @app.get(
        "/v1/appointments/<appointment_id>/log",
        summary="What was sent about an appointment, and what the customer answered, newest first",
        tags=["Messages"],
        responses=responses(AppointmentLogAnswer),
    )
    def read_appointment_log(
        appointment_id: Annotated[str, Path(description="As appointment_id of the messages names it.")],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        log = wiring.use_cases().read_appointment_log(business_of(app), appointment_id, limit, cursor)
        whose = [entry.key.customer_id for entry in log.entries if isinstance(entry, Message)]
        external_ids = wiring.use_cases().external_ids(business_of(app), whose)
        return json_answer(AppointmentLogAnswer.of(appointment_id, log, external_ids))
