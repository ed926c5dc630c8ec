"""Twilio's status callbacks: verified, stored, then acknowledged (truth 11)."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from rebound.receipts import wiring
from rebound.receipts.adapters.receipt_fields import MalformedReceiptError
from rebound.receipts.adapters.receipts_queue import encode_twilio_status
from rebound.receipts.adapters.twilio_callbacks import key_from_query, parse_form, status_url, verify_signature


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Store one callback. Whatever is not signed by Twilio for exactly this address leaves no trace."""
    query: Mapping[str, str] = event.get("queryStringParameters") or {}
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        body = _body(event)
        url = status_url(wiring.ports().settings.public_url(event["requestContext"]["apiId"]), key_from_query(query))
        signed = verify_signature(
            wiring.ports().twilio_secret["auth_token"], url, body, headers.get("x-twilio-signature", "")
        )
    except (MalformedReceiptError, UnicodeDecodeError):
        signed = False
    if not signed:
        return _refusal()
    wiring.ports().sqs_receipt_queue.put_body(encode_twilio_status(parse_form(body), query, datetime.now(UTC)))
    return {"statusCode": HTTPStatus.NO_CONTENT, "body": ""}


def _body(event: Mapping[str, Any]) -> str:
    body: str = event.get("body") or ""
    return base64.b64decode(body).decode() if event.get("isBase64Encoded") else body


def _refusal() -> Mapping[str, Any]:
    problem = {
        "type": "about:blank",
        "title": HTTPStatus.FORBIDDEN.phrase,
        "status": HTTPStatus.FORBIDDEN,
        "detail": "The request is not signed by Twilio for this address.",
    }
    return {
        "statusCode": HTTPStatus.FORBIDDEN,
        "headers": {"Content-Type": "application/problem+json"},
        "body": json.dumps(problem),
    }
