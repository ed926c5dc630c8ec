"""Texts that come in over Twilio: the webhook's address, its form, and TwiML to answer with.

Sources: Twilio docs, "Twilio's request to your webhook URL", "TwiML for Programmable Messaging" and "Advanced Opt-Out".
"""

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from rebound.contacts.domain.replies import Keyword
from rebound.inbound.domain.replies import IncomingText
from rebound.platform.adapters.fields import optional_count_at, optional_text_at, text_at

INBOUND_PATH: Final = "/v1/webhooks/twilio/inbound"
"""The path to which Twilio posts the texts that come in."""
_OPT_OUT_TYPES: Final[Mapping[str, Keyword]] = {"STOP": Keyword.STOP, "START": Keyword.START, "HELP": Keyword.HELP}


def inbound_url(public_url: str) -> str:
    """The address that Twilio signs. The fragment after # in the number's settings (how to retry) is not signed."""
    return f"{public_url.rstrip('/')}{INBOUND_PATH}"


def parse_inbound(form: Mapping[str, str]) -> IncomingText:
    """The text of a webhook's form. A text with media only has an empty body.

    :raises MalformedReceiptError: when the sender, the number it was sent to or its id is missing.
    """
    to, service = text_at(form, "To"), optional_text_at(form, "MessagingServiceSid")
    return IncomingText(
        reply_id=optional_text_at(form, "MessageSid") or text_at(form, "SmsSid"),
        number=text_at(form, "From").lower(),
        to=to,
        senders=(to,) if service is None else (to, service),
        body=form.get("Body", ""),
        segments=optional_count_at(form, "NumSegments") or 1,
        keyword=_OPT_OUT_TYPES.get((optional_text_at(form, "OptOutType") or "").upper()),
    )


def twiml(answer: str | None) -> str:
    """The TwiML document that makes Twilio answer the text; with ``None`` it sends no answer."""
    message = "" if answer is None else f"<Message>{escape(answer)}</Message>"
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
