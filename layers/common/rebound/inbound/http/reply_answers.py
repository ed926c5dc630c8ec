"""The shape of a text that a customer sent."""

from typing import Self

from pydantic import Field

from rebound.contacts.domain.keywords import Keyword
from rebound.contacts.domain.replies import Decision, Meaning, Reply
from rebound.platform.http.shapes import Answer, Time


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
    appointment_id: str | None
    needs_staff: bool = Field(description="Whether it waits for somebody to read it.")
    resolved_at: Time | None
    resolved_by: str | None
    decision: Decision | None

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """The answer for a reply."""
        return cls(
            reply_id=reply.reply_id,
            at=reply.at,
            number=reply.number,
            to=reply.to,
            body=reply.body,
            kind=reply.meaning,
            keyword=reply.keyword,
            message_id=reply.message_id,
            customer_id=reply.customer_id,
            appointment_id=reply.appointment_id,
            needs_staff=reply.is_waiting,
            resolved_at=reply.resolved_at,
            resolved_by=reply.resolved_by,
            decision=reply.decision,
        )
