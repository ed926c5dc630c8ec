"""Texts that people send to a number: handed to the webhook as Twilio does, signed, with its answer read."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urldefrag, urlencode, urlsplit
from xml.etree import ElementTree as ET

from twilio.request_validator import RequestValidator

from local.twin.exchange import Request, Response
from local.twin.stage import Stage
from rebound.templates.domain.text_size import size_of_text

TIMEOUT_SECONDS: Final = 15.0
OPT_OUT_TYPES: Final = ("STOP", "START", "HELP")
ALLOWED: Final[Mapping[str, object]] = {
    "from": "a phone number, +…",
    "to": "the number that is texted, +…",
    "body": "what it says",
    "messaging_service_sid": "optional, MG…: the service that the number belongs to",
    "opt_out_type": f"optional, one of {', '.join(OPT_OUT_TYPES)}: as with Advanced Opt-Out, which answers by itself",
}


class InboundRequestError(Exception):
    """What was asked of the twin is not a text."""


@dataclass(frozen=True, slots=True)
class InboundText:
    """One text from a phone."""

    sender: str
    to: str
    body: str
    service: str | None = None
    opt_out_type: str | None = None

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Raises ``InboundRequestError`` with a sentence for people."""
        if not isinstance(document, dict) or not {"from", "to", "body"} <= document.keys() <= ALLOWED.keys():
            raise InboundRequestError("give from, to and body, and nothing that is not allowed")
        if not all(isinstance(value, str) for value in document.values()):
            raise InboundRequestError("every value is a text")
        if document.get("opt_out_type", OPT_OUT_TYPES[0]) not in OPT_OUT_TYPES:
            raise InboundRequestError(f"opt_out_type is one of {', '.join(OPT_OUT_TYPES)}")
        return cls(
            document["from"],
            document["to"],
            document["body"],
            document.get("messaging_service_sid"),
            document.get("opt_out_type"),
        )

    def fields(self, sid: str, account_sid: str) -> dict[str, str]:
        """The webhook's form; what a phone's network says of places is empty."""
        optional = {"MessagingServiceSid": self.service, "OptOutType": self.opt_out_type}
        return {
            "AccountSid": account_sid,
            "ApiVersion": "2010-04-01",
            "Body": self.body,
            "From": self.sender,
            "FromZip": "",
            "MessageSid": sid,
            "NumMedia": "0",
            "NumSegments": str(size_of_text(self.body).segments),
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": self.to,
            "ToZip": "",
            **{name: value for name, value in optional.items() if value is not None},
        }


class InboundApi:
    """``/inbound``: PUT says where texts go, as a number's settings in Twilio's console do; POST is a text."""

    def __init__(self, stage: Stage, account_sid: str, auth_token: str) -> None:
        self._stage = stage
        self._account_sid = account_sid
        self._validator = RequestValidator(auth_token)
        self._webhook: str | None = None
        self._changes = threading.Lock()

    def configure(self, request: Request) -> Response:
        """Set the webhook's address; what follows a # in it is for Twilio and not signed."""
        try:
            webhook = str(json.loads(request.body)["webhook"])
        except (ValueError, TypeError, KeyError):
            webhook = ""
        if urlsplit(webhook).scheme not in ("http", "https"):
            return Response.of_json(422, {"error": "give webhook, an http URL", "allowed": {"webhook": "http…"}})
        with self._changes:
            self._webhook = urldefrag(webhook)[0]
        return Response.of_json(200, {"webhook": self._webhook})

    def text(self, request: Request) -> Response:
        """Hand a text on; the answer shows what the webhook said, and what the phone gets back."""
        try:
            text = InboundText.parse(json.loads(request.body))
        except ValueError:
            return Response.of_json(400, {"error": "the body must be JSON", "allowed": ALLOWED})
        except InboundRequestError as error:
            return Response.of_json(422, {"error": str(error), "allowed": ALLOWED})
        if self._webhook is None:
            return Response.of_json(409, {"error": "no webhook: PUT /inbound with its address first"})
        with self._stage.decisions:
            sid = self._stage.story.twilio_sid()
        try:
            status, answer = self._post(self._webhook, text.fields(sid, self._account_sid))
        except OSError as error:
            return Response.of_json(502, {"error": f"the webhook did not answer: {error}"})
        return Response.of_json(200, {"sid": sid, "status": status, "answer": answer})

    def _post(self, url: str, fields: Mapping[str, str]) -> tuple[int, str | None]:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": self._validator.compute_signature(url, fields),
        }
        request = urllib.request.Request(url, urlencode(fields).encode(), headers, method="POST")  # noqa: S310
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=TIMEOUT_SECONDS) as response:
                return response.status, _message(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None


def _message(twiml: bytes) -> str | None:
    """What a TwiML document texts back."""
    try:
        # It is our own stack's answer.
        message = ET.fromstring(twiml).find("Message")  # noqa: S314
    except ET.ParseError:
        return None
    return None if message is None else "".join(message.itertext())
