"""What inbound need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.inbound.domain.replies import IncomingText
from rebound.messages.wiring import AwsMessagesPorts, MessagesUseCases
from rebound.platform.wiring import in_this_process

if TYPE_CHECKING:
    from rebound.inbound.application.receive_text import ReceiveText
    from rebound.inbound.application.report_replies import ReportReplies
    from rebound.inbound.application.review_replies import ReviewReplies
    from rebound.inbound.ports import InboundPorts


class AwsInboundPorts(AwsMessagesPorts):
    """The same over AWS."""

    def signed_text(self, event: Mapping[str, Any]) -> IncomingText | None:
        """The text of a webhook's request, if Twilio has signed it for exactly this address.

        Raises ``MalformedReceiptError`` when it is signed, and no text.
        """
        from rebound.inbound.adapters.twilio_texts import inbound_url, parse_inbound
        from rebound.platform.adapters.twilio_requests import signed_form

        url = inbound_url(self.settings.public_url(event["requestContext"]["apiId"]))
        form = signed_form(event, url, lambda: self.twilio_secret["auth_token"])
        return None if form is None else parse_inbound(form)

    @staticmethod
    def twiml(answer: str | None) -> str:
        """The document by which Twilio answers, or does not."""
        from rebound.inbound.adapters.twilio_texts import twiml

        return twiml(answer)


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
            record_evidence=self.record_evidence,
            clock=self.ports.clock,
        )

    @cached_property
    def review_replies(self) -> ReviewReplies:
        from rebound.inbound.application.review_replies import ReviewReplies

        return ReviewReplies(
            replies=self.ports.replies,
            contacts=self.ports.contacts,
            record_evidence=self.record_evidence,
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
