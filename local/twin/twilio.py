"""Twilio's Messages resource: creating a message."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.twin.callbacks import CallbackLane, Step
from local.twin.exchange import Request, Response
from local.twin.faults import ErrorMoment, Provider
from local.twin.ledger import AcceptedSend
from local.twin.outcomes import TextStatus, plan_text
from local.twin.stage import Stage
from local.twin.status_callbacks import StatusCallback
from local.twin.timestamps import dlr_done, rfc2822
from rebound.templates.domain.text_size import size_of_text

API_VERSION = "2010-04-01"
MAX_BODY_CHARACTERS = 1600
MAX_VALIDITY_SECONDS = 36_000
# What a messaging service of the twin sends from.
POOL_NUMBER = "+15005550006"
# The account's numbers.
_OWN_NUMBER = re.compile(r"\+1500555\d{4}")
# A short code, or a name; the latter to no number of North America.
_SHORT_CODE = re.compile(r"\d{5,6}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 _&+-]{1,11}")

_MESSAGES = re.compile(r"/2010-04-01/Accounts/([^/]+)/Messages\.json")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_REFUSALS = {
    21211: "Invalid 'To' Phone Number: {to}",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}",
    21610: "Attempt to send to unsubscribed recipient",
    21612: "Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' ({sender}) parameters",
    21614: "'To' number: {to}, is not a mobile number",
}


class TwilioError(Exception):
    """A call that Twilio refuses, with Twilio's code."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def response(self) -> Response:
        """The answer in Twilio's shape."""
        document = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        challenge = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == HTTPStatus.UNAUTHORIZED else None
        return Response.of_json(self.status, document, challenge)


class TwilioApi:
    """The HTTP door of Twilio."""

    def __init__(
        self,
        stage: Stage,
        lane: CallbackLane[StatusCallback],
        account_sid: str,
        auth_token: str,
        services: Sequence[str],
    ) -> None:
        self._services = services
        self._stage = stage
        self._lane = lane
        self._account_sid = account_sid
        self._auth_token = auth_token

    def handle(self, request: Request) -> Response:
        """Answer one call under ``/2010-04-01``."""
        try:
            self._authenticate(request)
            self._locate(request)
            return Response.of_json(201, self._create(request.form()))
        except TwilioError as error:
            return error.response()

    def _locate(self, request: Request) -> None:
        """Raises TwilioError for every resource but the account's messages."""
        resource = _MESSAGES.fullmatch(request.path)
        if resource is None or resource[1] != self._account_sid or request.method != "POST":
            raise TwilioError(20404, f"The requested resource {request.path} was not found", 404)

    def _authenticate(self, request: Request) -> None:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(credentials).decode() if scheme.lower() == "basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            given = ""
        if given != f"{self._account_sid}:{self._auth_token}":
            raise TwilioError(20003, "Authenticate", 401)

    def _create(self, form: Mapping[str, str]) -> dict[str, Any]:
        _check(form)
        self._check_sender(form.get("MessagingServiceSid", ""), form.get("From", ""), form["To"])
        stage = self._stage
        with stage.decisions:
            if stage.faults.denies(Provider.TWILIO):
                raise TwilioError(20003, "Permission denied", 403)
            if stage.faults.throttles_call(Provider.TWILIO):
                raise TwilioError(20429, "Too Many Requests", 429)
            plan = plan_text(form["To"])
            if plan.refused_with is not None:
                sender = form.get("From") or form.get("MessagingServiceSid", "")
                message = _REFUSALS[plan.refused_with].format(to=form["To"], sender=sender)
                raise TwilioError(plan.refused_with, message)
            error = stage.faults.error(Provider.TWILIO)
            if error is ErrorMoment.BEFORE_ACCEPTING:
                raise _internal_error()
            resource = self._accept(form)
        if error is ErrorMoment.AFTER_ACCEPTING or plan.crashes:
            raise _internal_error()
        return resource

    def _check_sender(self, service: str, number: str, to: str) -> None:
        """Raises TwilioError for what another account sends from."""
        if service and service not in self._services:
            raise TwilioError(21701, f"The Messaging Service {service} does not exist")
        if not service and _NAME.fullmatch(number):
            if to.startswith("+1"):
                message = f"Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' ({number})"
                raise TwilioError(21612, f"{message} parameters")
            return
        if not service and not (_OWN_NUMBER.fullmatch(number) or _SHORT_CODE.fullmatch(number)):
            message = "is not a valid message-capable Twilio phone number for this destination/account"
            raise TwilioError(21606, f"The 'From' phone number provided ({number}) {message}")

    def _accept(self, form: Mapping[str, str]) -> dict[str, Any]:
        stage = self._stage
        at = stage.now()
        sid = stage.story.twilio_sid()
        callback_url = form.get("StatusCallback", "")
        tags = dict(parse_qsl(urlsplit(callback_url).query, keep_blank_values=True))
        content = {"body": form["Body"]}
        if "ValidityPeriod" in form:
            content["validity_period"] = form["ValidityPeriod"]
        stage.ledger.record([AcceptedSend(at, Provider.TWILIO, form["To"], tags, content, sid)])
        if callback_url:
            for sequence in stage.faults.disturb(Provider.TWILIO, self._callbacks(form, sid, at, callback_url)):
                self._lane.submit(sequence)
        return self._resource(form, sid, at)

    def _callbacks(self, form: Mapping[str, str], sid: str, at: float, url: str) -> list[Step[StatusCallback]]:
        plan = plan_text(form["To"])
        moments = self._stage.moments(sid, at, len(plan.statuses))
        return [
            Step(moment, StatusCallback(url, self._fields(form, sid, status, plan.error_code, moment)))
            for moment, status in zip(moments, plan.statuses, strict=True)
        ]

    def _fields(
        self, form: Mapping[str, str], sid: str, status: TextStatus, error_code: int | None, at: float
    ) -> dict[str, str]:
        fields = {
            "SmsSid": sid,
            "SmsStatus": status.value,
            "MessageStatus": status.value,
            "To": form["To"],
            "MessageSid": sid,
            "AccountSid": self._account_sid,
            "From": form.get("From") or POOL_NUMBER,
            "ApiVersion": API_VERSION,
        }
        if form.get("MessagingServiceSid"):
            fields["MessagingServiceSid"] = form["MessagingServiceSid"]
        if status is not TextStatus.SENT:
            fields["RawDlrDoneDate"] = dlr_done(at)
        if status is TextStatus.UNDELIVERED:
            fields["ErrorCode"] = str(error_code)
        return fields

    def _resource(self, form: Mapping[str, str], sid: str, at: float) -> dict[str, Any]:
        service = form.get("MessagingServiceSid") or None
        uri = f"/{API_VERSION}/Accounts/{self._account_sid}/Messages/{sid}"
        return {
            "account_sid": self._account_sid,
            "api_version": API_VERSION,
            "body": form["Body"],
            "date_created": rfc2822(at),
            "date_sent": None,
            "date_updated": rfc2822(at),
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From") or None,
            "messaging_service_sid": service,
            "num_media": "0",
            # A messaging service picks the sender, and so the segments, later.
            "num_segments": "0" if service else str(size_of_text(form["Body"]).segments),
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "accepted" if service else "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": form["To"],
            "uri": f"{uri}.json",
        }


def _internal_error() -> TwilioError:
    return TwilioError(20500, "An internal server error has occurred", 500)


def _check(form: Mapping[str, str]) -> None:
    """Raises TwilioError for what Twilio refuses before it looks at the number's fate."""
    if not form.get("To"):
        raise TwilioError(21604, "A 'To' phone number is required.")
    if not (form.get("From") or form.get("MessagingServiceSid")):
        raise TwilioError(21603, "A 'From' phone number is required.")
    if not form.get("Body"):
        raise TwilioError(21602, "Message body is required.")
    if len(form["Body"]) > MAX_BODY_CHARACTERS:
        raise TwilioError(21617, f"The concatenated message body exceeds the {MAX_BODY_CHARACTERS} character limit")
    if not _NUMBER.fullmatch(form["To"]):
        raise TwilioError(21211, _REFUSALS[21211].format(to=form["To"]))
    validity = form.get("ValidityPeriod", "1")
    if not (validity.isascii() and validity.isdecimal() and 1 <= int(validity) <= MAX_VALIDITY_SECONDS):
        raise TwilioError(21624, f"The ValidityPeriod {validity} is not from 1 to {MAX_VALIDITY_SECONDS} seconds.")
    if form["To"] == form.get("From"):
        raise TwilioError(21266, "'To' and 'From' number cannot be the same")
    callback = urlsplit(form.get("StatusCallback", ""))
    if form.get("StatusCallback") and (
        callback.scheme not in {"http", "https"} or not callback.hostname or "_" in callback.hostname
    ):
        raise TwilioError(21609, f"The StatusCallback URL {form['StatusCallback']} is not a valid URL.")
