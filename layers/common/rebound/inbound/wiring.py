"""What inbound need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.messages.wiring import AwsMessagesPorts, MessagesUseCases
from rebound.platform.wiring import in_this_process

if TYPE_CHECKING:
    from rebound.inbound.application.receive_text import ReceiveText
    from rebound.inbound.application.report_replies import ReportReplies
    from rebound.inbound.application.review_replies import ReviewReplies
    from rebound.inbound.ports import InboundPorts, ReplyBook


class AwsInboundPorts(AwsMessagesPorts):
    """The same over AWS."""

    @cached_property
    def replies(self) -> ReplyBook:
        from rebound.inbound.adapters.dynamo_replies import DynamoReplyBook

        return DynamoReplyBook(self.settings["CONTACT_HISTORY_TABLE"])


class InboundUseCases(MessagesUseCases):
    """The use cases of inbound."""

    ports: InboundPorts

    @cached_property
    def receive_text(self) -> ReceiveText:
        from rebound.inbound.application.receive_text import ReceiveText

        return ReceiveText(
            businesses=self.ports.businesses,
            contacts=self.ports.contacts,
            customers=self.ports.customers,
            replies=self.ports.replies,
            messages=self.ports.messages,
            appointments=self.ports.appointments,
            events=self.ports.domain_events,
            tell=self.tell_contact,
            clock=self.ports.clock,
        )

    @cached_property
    def review_replies(self) -> ReviewReplies:
        from rebound.inbound.application.review_replies import ReviewReplies

        return ReviewReplies(
            replies=self.ports.replies,
            contacts=self.ports.contacts,
            tell=self.tell_contact,
            clock=self.ports.clock,
        )

    @cached_property
    def report_replies(self) -> ReportReplies:
        from rebound.inbound.application.report_replies import ReportReplies

        return ReportReplies(replies=self.ports.replies, customers=self.ports.customers, contacts=self.ports.contacts)


def use_cases() -> InboundUseCases:
    """Those of this process."""
    return in_this_process(InboundUseCases, ports)


def ports() -> AwsInboundPorts:
    """Those of this process, over AWS."""
    return AwsInboundPorts()
