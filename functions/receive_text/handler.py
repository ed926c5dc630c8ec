"""What people text to Twilio numbers: verified, stored and applied, then answered (truth 11)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rebound.inbound import wiring
from rebound.inbound.adapters.twilio_texts import TWIML, inbound_url, parse_inbound, twiml
from rebound.platform.telemetry import count, tell_counts
from rebound.receipts.adapters.receipt_fields import MalformedReceiptError
from rebound.receipts.adapters.twilio_callbacks import parse_form, verify_signature


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Receive one text. Whatever is not signed by Twilio for exactly this address leaves no trace."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        body = _body(event)
        url = inbound_url(wiring.ports().settings.public_url(event["requestContext"]["apiId"]))
        signed = verify_signature(
            wiring.ports().twilio_secret["auth_token"], url, body, headers.get("x-twilio-signature", "")
        )
    except UnicodeDecodeError:
        signed = False
    if not signed:
        return _problem(HTTPStatus.FORBIDDEN, "The request is not signed by Twilio for this address.")
    try:
        text = parse_inbound(parse_form(body))
    except MalformedReceiptError as error:
        return _problem(HTTPStatus.BAD_REQUEST, f"The request is no text: {error}.")
    received = wiring.use_cases().receive_text(text)
    count("TextsReceived" if received.business_ids else "TextsReceivedForNobody")
    tell_counts()
    return {"statusCode": HTTPStatus.OK, "headers": {"Content-Type": TWIML}, "body": twiml(received.answer)}


def _body(event: Mapping[str, Any]) -> str:
    body: str = event.get("body") or ""
    return base64.b64decode(body).decode() if event.get("isBase64Encoded") else body


def _problem(status: HTTPStatus, detail: str) -> Mapping[str, Any]:
    problem = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/problem+json"},
        "body": json.dumps(problem),
    }
