"""SES v2 as far as sending goes: SendEmail, SendBulkEmail, GetAccount, identities and the account suppression list."""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote

from local.twin.aws import AWS_FAILURES, ConfigurationSets
from local.twin.aws_errors import AwsError
from local.twin.callbacks import CallbackLane, Step
from local.twin.exchange import Request, Response
from local.twin.faults import ErrorMoment, Provider
from local.twin.ledger import AcceptedSend
from local.twin.outcomes import (
    COMPLAINED_BEFORE,
    BounceKind,
    EmailEventType,
    EmailOutcome,
    bounced,
    plan_email,
    remembers,
)
from local.twin.sending_quota import SendingQuota
from local.twin.service_model import violations
from local.twin.ses_events import EmailEvent, SentEmail
from local.twin.stage import Stage
from local.twin.suppression import SuppressionList
from local.twin.templates import RenderingError, render

MAX_RECIPIENTS = 50
_BARE = re.compile(r"[\w.+-]+@[\w.-]+")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SUPPRESSED_ADDRESS = re.compile(r"/v2/email/suppression/addresses/([^/]+)")

_THROTTLED = "Maximum sending rate exceeded."
_QUOTA_EXCEEDED = "Daily message quota exceeded."
_SIMULATOR = "simulator.amazonses.com"
"""May be written to from the sandbox."""


class InvalidEntryError(ValueError):
    """Something in one message that SES refuses: the whole call for SendEmail, one entry for SendBulkEmail."""

    def __init__(self, message: str, status: str = "INVALID_PARAMETER") -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Body:
    """Subject, HTML and text, as written or as templates; ``data`` is None where nothing is to be substituted."""

    parts: Mapping[str, str]
    data: Mapping[str, Any] | None = None
    template_name: str = ""

    def rendered(self) -> dict[str, str]:
        """The parts after substitution; raises RenderingError."""
        if self.data is None:
            return dict(self.parts)
        return {name: render(part, self.data) for name, part in self.parts.items()}


@dataclass(frozen=True, slots=True)
class _Draft:
    """One message before it is accepted."""

    source: str
    recipients: tuple[str, ...]
    body: _Body
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    configuration_set: str | None


class SesApi:
    """The HTTP door of SES v2.

    An unknown configuration set is accepted: its events then go to the fallback topic, if there is one.
    """

    def __init__(
        self,
        stage: Stage,
        lane: CallbackLane[EmailEvent],
        configuration_sets: ConfigurationSets,
        quota: SendingQuota,
        identities: Sequence[str],
    ) -> None:
        self._identities = identities
        self._stage = stage
        self._quota = quota
        self._lane = lane
        self._sets = configuration_sets
        self._suppressed = SuppressionList()
        self._attempts: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._held: dict[str, list[Step[EmailEvent]]] = {}

    @property
    def held(self) -> int:
        """Events that wait for the next message to their address."""
        return sum(map(len, list(self._held.values())))

    def handle(self, request: Request) -> Response:
        """Answer one call under ``/v2/email``."""
        request_id = str(uuid.uuid4())
        try:
            document = self._route(request)
        except AwsError as error:
            return error.as_json(request_id)
        return Response.of_json(200, document, {"x-amzn-requestid": request_id})

    def _route(self, request: Request) -> dict[str, Any]:
        match request.method, request.path:
            case "POST", "/v2/email/outbound-emails":
                return self._send_email(_payload(request, "SendEmail"))
            case "POST", "/v2/email/outbound-bulk-emails":
                return self._send_bulk_email(_payload(request, "SendBulkEmail"))
            case "GET", "/v2/email/account":
                return self._account()
            case "POST", "/v2/email/list-identities":
                _payload(request, "ListEmailIdentities")
                return {"EmailIdentities": [_verified(each) for each in self._identities]}
        return self._route_suppression(request)

    def _route_suppression(self, request: Request) -> dict[str, Any]:
        if not self._quota.production_access:
            raise AwsError("BadRequestException", "Your account is in the sandbox, where there is no suppression list.")
        if (request.method, request.path) == ("PUT", "/v2/email/suppression/addresses"):
            return self._put_suppressed(_payload(request, "PutSuppressedDestination"))
        if (request.method, request.path) == ("GET", "/v2/email/suppression/addresses"):
            return self._list_suppressed(request)
        one = _SUPPRESSED_ADDRESS.fullmatch(request.path)
        if one is None or request.method not in {"GET", "DELETE"}:
            raise AwsError("UnknownOperationException", f"The twin does not know {request.method} {request.path}", 404)
        address = unquote(one[1])
        with self._stage.decisions:
            if request.method == "GET":
                return {"SuppressedDestination": self._suppressed.get(address).summary()}
            self._suppressed.delete(address)
            return {}

    # Sending

    def _send_email(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        try:
            draft = _single_draft(payload)
        except InvalidEntryError as error:
            code, status = _CALL_ERRORS.get(error.status, ("BadRequestException", 400))
            raise AwsError(code, str(error), status) from None
        self._check_verified(draft.source)
        if unverified := self._unverified(draft.recipients):
            raise AwsError("MessageRejected", unverified)
        with self._stage.decisions:
            if self._stage.faults.throttles_call(Provider.SES):
                raise AwsError("TooManyRequestsException", _THROTTLED, 429)
            with self._failing_on_demand():
                if self._throttled(draft):
                    raise AwsError("TooManyRequestsException", _THROTTLED, 429)
                if not self._quota.take(len(draft.recipients)):
                    raise AwsError("TooManyRequestsException", _QUOTA_EXCEEDED, 429)
                return {"MessageId": self._accept(draft)}

    def _send_bulk_email(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        entries: Sequence[Mapping[str, Any]] = payload["BulkEmailEntries"]
        if not entries:
            raise AwsError("BadRequestException", "At least one destination is required.")
        if sum(len(_recipients(entry["Destination"])) for entry in entries) > MAX_RECIPIENTS:
            raise AwsError("BadRequestException", f"Recipient count exceeds {MAX_RECIPIENTS}.")
        try:
            draft_of = _bulk_drafts(payload)
        except InvalidEntryError as error:
            raise AwsError("BadRequestException", str(error)) from None
        self._check_verified(_sender(payload))
        with self._stage.decisions:
            refused = self._stage.faults.throttles_bulk(Provider.SES, len(entries))
            if refused is None:
                raise AwsError("TooManyRequestsException", _THROTTLED, 429)
            with self._failing_on_demand():
                results = [
                    _refusal("ACCOUNT_THROTTLED", _THROTTLED) if throttled else self._bulk_result(draft_of, entry)
                    for entry, throttled in zip(entries, refused, strict=True)
                ]
                return {"BulkEmailEntryResults": results}

    def _bulk_result(self, draft_of: Callable[[Mapping[str, Any]], _Draft], entry: Mapping[str, Any]) -> dict[str, Any]:
        try:
            draft = draft_of(entry)
        except InvalidEntryError as error:
            return _refusal(error.status, str(error))
        if unverified := self._unverified(draft.recipients):
            return _refusal("MESSAGE_REJECTED", unverified)
        if self._throttled(draft):
            return _refusal("ACCOUNT_THROTTLED", _THROTTLED)
        if not self._quota.take(len(draft.recipients)):
            return _refusal("ACCOUNT_DAILY_QUOTA_EXCEEDED", _QUOTA_EXCEEDED)
        return {"Status": "SUCCESS", "MessageId": self._accept(draft)}

    def _check_verified(self, source: str) -> None:
        """An address is sent from if it is verified itself, or its domain or one above it is."""
        if self._stage.faults.denies(Provider.SES):
            message = f"User is not authorized to perform `ses:SendBulkEmail' on resource identity/{source}"
            raise AwsError("AccessDeniedException", message, 403)
        if not self._is_verified(parseaddr(source)[1]):
            raise AwsError("MessageRejected", self._not_verified([source]))

    def _is_verified(self, address: str) -> bool:
        domain = address.lower().rpartition("@")[2]
        return any(each in {address.lower(), domain} or domain.endswith(f".{each}") for each in self._identities)

    def _not_verified(self, addresses: Sequence[str]) -> str:
        named = f"The following identities failed the check in region {self._stage.region.upper()}"
        return f"Email address is not verified. {named}: {', '.join(addresses)}"

    def _unverified(self, recipients: Sequence[str]) -> str | None:
        """What SES says of recipients whom only an account with production access may write to; None where it may."""
        if self._quota.production_access:
            return None
        strangers = [
            each for each in recipients if not (each.lower().endswith(f"@{_SIMULATOR}") or self._is_verified(each))
        ]
        return self._not_verified(strangers) if strangers else None

    def _failing_on_demand(self) -> "_ErrorFault":
        return _ErrorFault(self._stage.faults.error(Provider.SES))

    def _throttled(self, draft: _Draft) -> bool:
        """Whether the address itself throttles this attempt; counts the attempt."""
        throttled = False
        for address in draft.recipients:
            if remembers(address):
                throttled |= plan_email(address, attempts=self._attempts[address.lower()]).throttled
                self._attempts[address.lower()] += 1
        return throttled

    def _accept(self, draft: _Draft) -> str:
        """Take the message over: log it and plan its events."""
        stage = self._stage
        at = stage.now()
        message_id = stage.story.ses_id("ses-message")
        rendering_error = None
        try:
            content = draft.body.rendered()
        except RenderingError as error:
            rendering_error = str(error)
            # Nothing is sent, but the send was accepted: the log shows what was asked for.
            content = dict(draft.body.parts)
        email = SentEmail(
            message_id=message_id,
            at=at,
            source=draft.source,
            destination=draft.recipients,
            subject=content.get("subject", ""),
            headers=tuple(draft.headers.items()),
            tags={name: (value,) for name, value in draft.tags.items()},
            configuration_set=draft.configuration_set,
            region=stage.region,
            account_id=stage.account_id,
        )
        logged = {**content, "headers": dict(draft.headers)}
        stage.ledger.record(
            AcceptedSend(at, Provider.SES, recipient, draft.tags, logged, message_id) for recipient in draft.recipients
        )
        if rendering_error is not None:
            self._plan_rendering_failure(email, rendering_error, draft.body.template_name)
            return message_id
        for recipient in draft.recipients:
            self._plan(email, recipient)
        return message_id

    def _plan_rendering_failure(self, email: SentEmail, error: str, template_name: str) -> None:
        (moment,) = self._stage.moments(email.message_id, email.at, 1)
        event = EmailEvent(
            EmailEventType.RENDERING_FAILURE,
            email,
            email.destination[0],
            moment,
            self._stage.story.ses_id("ses-feedback"),
            rendering_error=error,
            template_name=template_name,
        )
        self._submit([Step(moment, event)])

    def _plan(self, email: SentEmail, recipient: str) -> None:
        key = recipient.lower()
        plan = plan_email(recipient, attempts=1, accepted=self._accepted[key] if remembers(recipient) else 0)
        outcomes, held = plan.outcomes, plan.held
        if (reason := self._suppressing(recipient, email.configuration_set)) is not None:
            bounce = bounced(BounceKind.ON_ACCOUNT_SUPPRESSION_LIST)
            outcomes, held = (COMPLAINED_BEFORE if reason == "COMPLAINT" else bounce,), ()
        if remembers(recipient):
            self._accepted[key] += 1
        released = self._held.pop(key, [])
        # What was held has happened before anything that happens to this message.
        start = max([email.at, *(step.payload.at for step in released)])
        moments = self._stage.moments(f"{email.message_id}/{key}", start, len(outcomes) + len(held))
        steps = [Step(email.at, self._event(EmailOutcome(EmailEventType.SEND), email, recipient, email.at))]
        steps += [
            Step(moment, self._event(outcome, email, recipient, moment))
            for moment, outcome in zip(moments, (*outcomes, *held), strict=True)
        ]
        if held:
            self._held[key] = steps[-len(held) :]
            steps = steps[: -len(held)]
        self._submit(steps + released)

    def _event(self, outcome: EmailOutcome, email: SentEmail, recipient: str, at: float) -> EmailEvent:
        feedback_id = self._stage.story.ses_id("ses-feedback")
        return EmailEvent(outcome.event_type, email, recipient, at, feedback_id, outcome.bounce, outcome.not_tried)

    def _submit(self, steps: Sequence[Step[EmailEvent]]) -> None:
        for sequence in self._stage.faults.disturb(Provider.SES, steps):
            self._lane.submit(sequence)

    def _suppressing(self, recipient: str, configuration_set: str | None) -> str | None:
        """The reason of the entry that keeps a message back."""
        reason = self._suppressed.reason(recipient)
        if reason is None:
            return None
        try:
            reasons = self._sets.get(configuration_set).suppressed_reasons
        except AWS_FAILURES:
            # Without an embedded AWS to ask, the account's own setting holds, which is both reasons.
            reasons = None
        return reason if reasons is None or reason in reasons else None

    # The account

    def _account(self) -> dict[str, Any]:
        return {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": self._quota.production_access,
            "SendQuota": self._quota.figures(),
            "SendingEnabled": True,
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        }

    def _put_suppressed(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        try:
            _check_address(payload["EmailAddress"])
        except InvalidEntryError as error:
            raise AwsError("BadRequestException", str(error)) from None
        with self._stage.decisions:
            self._suppressed.put(payload["EmailAddress"], payload["Reason"], self._stage.now())
        return {}

    def _list_suppressed(self, request: Request) -> dict[str, Any]:
        query = {name: values[-1] for name, values in request.query.items()}
        size = query.get("PageSize")
        if size is not None and not (size.isdecimal() and 1 <= int(size) <= SuppressionList.MAX_PAGE):
            raise AwsError("BadRequestException", f"PageSize must be from 1 to {SuppressionList.MAX_PAGE}.")
        with self._stage.decisions:
            page, token = self._suppressed.page(
                request.query.get("Reason", []),
                _timestamp(query.get("StartDate")),
                _timestamp(query.get("EndDate")),
                int(size) if size else None,
                query.get("NextToken"),
            )
        listing: dict[str, Any] = {"SuppressedDestinationSummaries": [entry.summary() for entry in page]}
        return listing | ({"NextToken": token} if token else {})


class _ErrorFault:
    """An HTTP 500 around the accepting of a call: before it, after it, or not at all."""

    def __init__(self, moment: ErrorMoment | None) -> None:
        self._moment = moment

    def __enter__(self) -> None:
        if self._moment is ErrorMoment.BEFORE_ACCEPTING:
            raise self._error()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._moment is ErrorMoment.AFTER_ACCEPTING:
            raise self._error()

    @staticmethod
    def _error() -> AwsError:
        return AwsError("InternalServiceErrorException", "The request couldn't be processed.", 500)


_CALL_ERRORS = {"TEMPLATE_NOT_FOUND": ("NotFoundException", 404)}


def _refusal(status: str, message: str) -> dict[str, Any]:
    return {"Status": status, "Error": message}


def _verified(identity: str) -> dict[str, Any]:
    kind = "EMAIL_ADDRESS" if "@" in identity else "DOMAIN"
    return {
        "IdentityType": kind,
        "IdentityName": identity,
        "SendingEnabled": True,
        "VerificationStatus": "SUCCESS",
    }


def _payload(request: Request, operation: str) -> Any:
    try:
        payload = json.loads(request.body)
    except ValueError:
        raise AwsError("SerializationException", "Could not parse the request body as JSON.") from None
    if wrong := violations("sesv2", operation, payload):
        noun = "error" if len(wrong) == 1 else "errors"
        raise AwsError("BadRequestException", f"{len(wrong)} validation {noun} detected: {'; '.join(wrong)}")
    return payload


def _timestamp(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise AwsError("BadRequestException", f"Invalid timestamp: {text}") from None


# From a payload to drafts


def _single_draft(payload: Mapping[str, Any]) -> _Draft:
    recipients = _recipients(payload.get("Destination", {}))
    if len(recipients) > MAX_RECIPIENTS:
        raise InvalidEntryError(f"Recipient count exceeds {MAX_RECIPIENTS}.")
    content = payload["Content"]
    if "Simple" in content:
        simple = content["Simple"]
        parts = {"subject": simple["Subject"]["Data"]}
        parts |= {name.lower(): part["Data"] for name, part in simple["Body"].items() if part}
        body = _Body(parts)
        headers = _headers(simple.get("Headers"))
    elif "Template" in content:
        template = content["Template"]
        body = _template_body(template, _template_data(template.get("TemplateData") or "{}"))
        headers = _headers(template.get("Headers"))
    else:
        raise InvalidEntryError("The twin takes Simple and Template content.")
    return _draft(payload, recipients, body, headers, _tags(payload.get("EmailTags")))


def _bulk_drafts(payload: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], _Draft]:
    """How to read each entry, once what they share is known to be right."""
    template = payload["DefaultContent"].get("Template")
    if not template:
        raise InvalidEntryError("DefaultContent must contain a Template.")
    default_data = _template_data(template.get("TemplateData") or "{}")
    default_headers = _headers(template.get("Headers"))
    default_tags = _tags(payload.get("DefaultEmailTags"))
    _check_address(_sender(payload))

    def draft_of(entry: Mapping[str, Any]) -> _Draft:
        replacement = entry.get("ReplacementEmailContent", {}).get("ReplacementTemplate", {})
        # Replacement data takes the place of the default as a whole, unless it is empty.
        data = _template_data(replacement.get("ReplacementTemplateData") or "{}") or default_data
        headers = {**default_headers, **_headers(entry.get("ReplacementHeaders"))}
        tags = {**default_tags, **_tags(entry.get("ReplacementTags"))}
        return _draft(payload, _recipients(entry["Destination"]), _template_body(template, data), headers, tags)

    return draft_of


def _draft(
    payload: Mapping[str, Any],
    recipients: tuple[str, ...],
    body: _Body,
    headers: Mapping[str, str],
    tags: Mapping[str, str],
) -> _Draft:
    if not recipients:
        raise InvalidEntryError("At least one recipient is required.")
    source = _sender(payload)
    for address in (source, *recipients):
        _check_address(address)
    bare = tuple(map(_bare, recipients))
    return _Draft(source, bare, body, {**headers, **_reply_to(payload)}, tags, payload.get("ConfigurationSetName"))


def _reply_to(payload: Mapping[str, Any]) -> Mapping[str, str]:
    """The header that answers go by, if the sender wants them elsewhere."""
    addresses = payload.get("ReplyToAddresses") or ()
    for address in addresses:
        _check_address(address)
    return {"Reply-To": ", ".join(addresses)} if addresses else {}


def _sender(payload: Mapping[str, Any]) -> str:
    return str(payload.get("FromEmailAddress") or "")


def _recipients(destination: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        address for kind in ("ToAddresses", "CcAddresses", "BccAddresses") for address in destination.get(kind) or ()
    )


def _bare(written: str) -> str:
    """The address without a display name, or what is written where it cannot be read as one."""
    # Nearly all recipients are bare; the full parser takes longer than the rest of the checks.
    return written if _BARE.fullmatch(written) else parseaddr(written)[1] or written


def _check_address(written: str) -> None:
    address = _bare(written)
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise InvalidEntryError("Missing final '@domain'" if written else "Missing required address")
    if not local.isascii() or re.search(r"[\s\x00-\x1f]", local):
        raise InvalidEntryError("Local address contains control or whitespace, or is not 7-bit ASCII")
    if not re.fullmatch(r"[A-Za-z0-9.-]+", domain) or domain.startswith(".") or domain.endswith("."):
        raise InvalidEntryError("Domain contains illegal character")


def _headers(headers: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    return {header["Name"]: header["Value"] for header in headers or ()}


def _tags(tags: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    for tag in tags or ():
        for what in ("Name", "Value"):
            if not _TAG.fullmatch(tag[what]):
                raise InvalidEntryError(
                    f"Invalid tag {what.lower()} <{tag[what]}>: "
                    "only alphanumeric ASCII characters, '_', and '-' are allowed, up to 256."
                )
    return {tag["Name"]: tag["Value"] for tag in tags or ()}


def _template_data(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise InvalidEntryError("Template data is not a JSON object.")
    return data


def _template_body(template: Mapping[str, Any], data: Mapping[str, Any]) -> _Body:
    content = template.get("TemplateContent")
    name = template.get("TemplateName") or str(template.get("TemplateArn", "")).rpartition("/")[2]
    if not content:
        # The twin keeps no templates, and says so as SES does.
        raise InvalidEntryError(f"Template {name} does not exist.", "TEMPLATE_NOT_FOUND")
    return _Body({part.lower(): text for part, text in content.items() if text}, data, name)
