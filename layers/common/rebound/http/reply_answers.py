"""The shapes of what is answered about texts that customers send."""

from typing import Self

from pydantic import Field

from rebound.application.report_replies import ReplyView
from rebound.domain.replies import Keyword, Meaning, Reply
from rebound.http.schemas import Answer, Time


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
        )


class ReplyingCustomerAnswer(Answer):
    """Somebody who uses or used the number."""

    customer_id: str
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
        customers = [
            ReplyingCustomerAnswer(customer_id=who.customer_id, first_name=who.first_name, last_name=who.last_name)
            for who in view.customers
        ]
        return cls(**dict(ReplyAnswer.of(view.reply)), customers=customers)


class ReplyPage(Answer):
    """Part of the report of replies, newest first."""

    items: list[ReportedReplyAnswer]
    next_cursor: str | None
