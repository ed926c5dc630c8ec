"""The shapes of what is answered about texts that customers send."""

from typing import Annotated, Self

from pydantic import Field

from rebound.application.report_replies import ReplyView
from rebound.domain.replies import Decision, Keyword, Meaning, Reply
from rebound.http.schemas import Answer, Line, Request, Time


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
