"""What the OpenAPI document says of the texts that Twilio hands on, which a function of their own receives."""

from collections.abc import Mapping
from typing import Any, Final

INBOUND_TEXT: Final[Mapping[str, Any]] = {
    "post": {
        "summary": "What somebody texts to a number of Twilio's",
        "description": "Signed by Twilio (X-Twilio-Signature); stored and applied before it is answered, for every "
        "business whose text_from is the number or its messaging service. The same MessageSid counts once.",
        "operationId": "receive_twilio_text",
        "tags": ["Callbacks"],
        "security": [],
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}},
        "responses": {
            "200": {
                "description": "TwiML: the answer to STOP, START or HELP, empty when there is nothing to say",
                "content": {"text/xml": {"schema": {"type": "string"}}},
            },
            "400": {"description": "Signed, and not a text"},
            "403": {"description": "No signature, or a wrong one"},
        },
    }
}
