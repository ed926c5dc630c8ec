"""What the OpenAPI document says of Twilio's status callbacks, which a function of their own receives."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.http.routes import PROBLEM, TOO_MANY

STATUS_CALLBACK: Final[Mapping[str, Any]] = {
    "post": {
        "summary": "Status callback of Twilio",
        "description": "Signed by Twilio (X-Twilio-Signature); stored before it is acknowledged.",
        "operationId": "receive_twilio_status",
        "tags": ["Callbacks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "query", "required": True, "schema": {"type": "string"}, "description": what}
            for name, what in (("b", "Business"), ("c", "Customer"), ("m", "Message"))
        ],
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}},
        "responses": {
            "204": {"description": "Stored"},
            "403": {"description": "No signature, or a wrong one", "content": PROBLEM},
            "429": {**TOO_MANY, "content": PROBLEM},
        },
    }
}
