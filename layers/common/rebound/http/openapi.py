"""The OpenAPI document. Printed by ``python -m rebound.http``, kept at docs/openapi.json."""

import json
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from rebound.domain.preferences import Choice

VERSION: Final = "1.0.0"
DESCRIPTION: Final = (
    "Campaigns out over email and text, receipts back, contact details kept honest. Times are RFC 3339 in UTC, phone "
    "numbers E.164. Errors are problem details (RFC 9457). POST takes an Idempotency-Key: the same key and body gives "
    "the first answer again for a day, the same key with another body 409. Lists take limit and cursor."
)
_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body gives the first answer again.",
    "schema": {"type": "string", "maxLength": 128},
}
_TWILIO: Final[dict[str, Any]] = {
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
        "responses": {"204": {"description": "Stored"}, "403": {"description": "No signature, or a wrong one"}},
    }
}

_TWILIO_INBOUND: Final[dict[str, Any]] = {
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

_PAGE: Final = {"content": {"text/html": {"schema": {"type": "string"}}}}
_TOKEN: Final = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "Signed; stands in the message.",
    "schema": {"type": "string", "maxLength": 512},
}
_NO_LINK: Final = {
    "404": {"description": "No link of ours, or of an address that nobody knows any more", **_PAGE},
    "413": {"description": "Too large", **_PAGE},
    "503": {"description": "Others change the same address just now; come again", **_PAGE},
}


def _link(what: str, summary: str, field: str, choices: list[str]) -> dict[str, Any]:
    """The routes behind a link in an email, which are for people and mail programs."""
    common: dict[str, Any] = {"tags": ["Links in messages"], "security": [], "parameters": [_TOKEN]}
    form = {"type": "object", "required": [field], "properties": {field: {"type": "string", "enum": choices}}}
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    shown = {"200": {"description": "The page", **_PAGE}, "404": _NO_LINK["404"]}
    return {
        "get": {
            **common,
            "summary": f"The page to {what}; reading it changes nothing",
            "operationId": f"show_{what.partition(' ')[0]}_page",
            "responses": shown,
        },
        "head": {
            **common,
            "summary": "The page's headers",
            "operationId": f"peek_{what.partition(' ')[0]}_page",
            "responses": {status: {"description": each["description"]} for status, each in shown.items()},
        },
        "post": {
            **common,
            "summary": summary,
            "operationId": what.partition(" ")[0],
            "requestBody": {"required": True, "content": {kind: {"schema": form} for kind in kinds}},
            "responses": {
                "200": {"description": "Done, also when it was before", **_PAGE},
                "400": {"description": "Not what the page sends: nothing has been changed", **_PAGE},
                **_NO_LINK,
            },
        },
    }


_UNSUBSCRIBE: Final = _link(
    "unsubscribe", "One click unsubscribes (RFC 8058), again is once", "List-Unsubscribe", ["One-Click"]
)
_PREFERENCES: Final = _link(
    "choose what to get", "Choose what to get, or to get it again", "choice", [str(choice) for choice in Choice]
)
_CONFIRM: Final = _link(
    "confirm that marketing is wanted", "Confirm that marketing is wanted, again is once", "confirm", ["yes"]
)


def write_document(app: APIGatewayRestResolver) -> str:
    """The document as JSON, with sorted keys so that it can be compared."""
    # Half a second's worth of models, which only the document needs.
    from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer  # noqa: PLC0415

    written = app.get_openapi_json_schema(
        title="Rebound",
        version=VERSION,
        description=DESCRIPTION,
        security_schemes={"key": HTTPBearer(scheme="bearer", description="An API key of the business.")},
        security=[{"key": []}],
    )
    document: dict[str, Any] = json.loads(written)
    document.pop("servers", None)
    for path in document["paths"].values():
        if "post" in path:
            path["post"].setdefault("parameters", []).append(_IDEMPOTENCY)
    document["paths"]["/v1/webhooks/twilio/status"] = _TWILIO
    document["paths"]["/v1/webhooks/twilio/inbound"] = _TWILIO_INBOUND
    document["paths"]["/v1/unsubscribe/{token}"] = _UNSUBSCRIBE
    document["paths"]["/v1/preferences/{token}"] = _PREFERENCES
    document["paths"]["/v1/confirm/{token}"] = _CONFIRM
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
