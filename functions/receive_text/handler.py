"""What people text to Twilio numbers: verified, stored and applied, then answered (truth 11)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from rebound.inbound import wiring
from rebound.platform.http.webhooks import malformed, unsigned
from rebound.platform.invocations import at_start
from rebound.platform.telemetry import count, flush_counts

TWIML: Final = "text/xml"


at_start(lambda: wiring.use_cases().receive_text)


@malformed("The request is no text")
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Receive one text. A request that Twilio has not signed for exactly this address leaves no trace."""
    text = wiring.ports().signed_text(event)
    if text is None:
        return unsigned()
    received = wiring.use_cases().receive_text(text)
    count("TextsReceived" if received.business_ids else "TextsReceivedForNobody")
    flush_counts()
    answer = wiring.ports().twiml(received.answer)
    return {"statusCode": HTTPStatus.OK, "headers": {"Content-Type": TWIML}, "body": answer}
