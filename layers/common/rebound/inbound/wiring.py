"""The ports of inbound over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rebound.inbound.domain.replies import IncomingText
from rebound.platform.wiring import in_this_process, use_case
from rebound.sequences.wiring import AwsSequencesPorts, SequencesUseCases

if TYPE_CHECKING:
    from rebound.inbound.application.receive_text import ReceiveText
    from rebound.inbound.application.report_replies import ReportReplies
    from rebound.inbound.application.review_replies import ReviewReplies
    from rebound.inbound.application.tell_replies import TellReplies


class AwsInboundPorts(AwsSequencesPorts):
    """The ports of sequences, and the reading and answering of Twilio's requests."""

    def signed_text(self, event: Mapping[str, Any]) -> IncomingText | None:
        """The text of a webhook's request; ``None`` unless Twilio has signed it for exactly this address.

        Raises ``MalformedReceiptError`` when the request is signed but holds no text.
        """
        from rebound.inbound.adapters import inbound_url, parse_inbound
        from rebound.platform.adapters.twilio_requests import signed_form

        url = inbound_url(self.settings.public_url(event["requestContext"]["apiId"]))
        form = signed_form(event, url, lambda: self.twilio_token)
        return None if form is None else parse_inbound(form)

    @staticmethod
    def twiml(answer: str | None) -> str:
        """The TwiML document that makes Twilio answer the text; with ``None`` it sends no answer."""
        from rebound.inbound.adapters import twiml

        return twiml(answer)


class InboundUseCases(SequencesUseCases):
    """The use cases of inbound."""

    receive_text: ReceiveText = use_case(
        "rebound.inbound.application.receive_text",
        publish="publish_events",
        meter="meter_at_need",
        tell="tell_replies_at_need",
        reach="reach_at_need",
    )
    tell_replies: TellReplies = use_case("rebound.inbound.application.tell_replies", tell="tell_sequences")
    review_replies: ReviewReplies = use_case("rebound.inbound.application.review_replies")
    report_replies: ReportReplies = use_case("rebound.inbound.application.report_replies")

    def tell_replies_at_need(self) -> TellReplies:
        """Many texts are keywords."""
        return self.tell_replies


use_cases = in_this_process(InboundUseCases, AwsInboundPorts)
ports = AwsInboundPorts
