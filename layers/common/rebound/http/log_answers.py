"""The shapes of the logs that people read."""

from typing import Literal, Self

from pydantic import Field

from rebound.application.read_appointment_log import AppointmentLog
from rebound.domain.appointments import Answered
from rebound.domain.log_sentences import sentence_of_answer, sentence_of_message
from rebound.domain.messages import Message
from rebound.domain.ulids import time_of
from rebound.http.schemas import Answer, MessageAnswer, Time


class AppointmentEntryAnswer(Answer):
    """One thing that happened about an appointment."""

    at: Time = Field(description="Of a message the time at which it was posted; what came later is in the message.")
    kind: Literal["message", "reply"]
    sentence: str = Field(description="In plain English, for the reception desk.")
    message: MessageAnswer | None = Field(description="Of kind message.")
    reply_id: str | None = Field(description="Of kind reply: the reply with the customer's words.")
    confirmed: bool | None = Field(description="Of kind reply: whether it confirms; false when it is unclear.")

    @classmethod
    def of(cls, entry: Message | Answered) -> Self:
        """The answer for an entry."""
        if isinstance(entry, Answered):
            return cls(
                at=entry.at,
                kind="reply",
                sentence=sentence_of_answer(entry),
                message=None,
                reply_id=entry.reply_id,
                confirmed=entry.confirmed,
            )
        return cls(
            at=time_of(entry.key.message_id),
            kind="message",
            sentence=sentence_of_message(entry),
            message=MessageAnswer.of(entry),
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
    def of(cls, appointment_id: str, log: AppointmentLog) -> Self:
        """The answer for a log."""
        return cls(
            appointment_id=appointment_id,
            confirmed_at=log.confirmed_at,
            items=[AppointmentEntryAnswer.of(entry) for entry in log.entries],
            next_cursor=log.next_cursor,
        )
