"""SES events of a configuration set in their full real shape, and how they reach its topics."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from local.twin.aws import AWS_FAILURES, Aws, ConfigurationSets
from local.twin.callbacks import DELIVERED, GIVEN_UP, Attempt, Verdict
from local.twin.outcomes import BounceKind, EmailEventType
from local.twin.timestamps import iso

_OUTGOING_IP = "54.240.8.70"
_REPORTING_MTA = "a8-70.smtp-out.amazonses.com"
_SUBJECT = "Amazon SES Email Event Notification"


@dataclass(frozen=True, slots=True)
class SentEmail:
    """What events say about the message itself; ``at`` is when SES accepted it, in epoch seconds."""

    message_id: str
    at: float
    source: str
    destination: tuple[str, ...]
    subject: str
    headers: tuple[tuple[str, str], ...]
    tags: Mapping[str, tuple[str, ...]]
    configuration_set: str | None
    region: str
    account_id: str


@dataclass(frozen=True, slots=True)
class EmailEvent:
    """One event about one recipient; ``at`` is when it happened, however late it is told."""

    event_type: EmailEventType
    email: SentEmail
    recipient: str
    at: float
    feedback_id: str
    bounce: BounceKind | None = None
    not_tried: bool = False
    rendering_error: str | None = None
    template_name: str = ""

    def document(self) -> dict[str, Any]:
        """The event as SES publishes it."""
        key, record = self._record()
        return {"eventType": self.event_type.value, "mail": self._mail(), key: record}

    def _mail(self) -> dict[str, Any]:
        email = self.email
        _, sender = parseaddr(email.source)
        domain = sender.rpartition("@")[2]
        mail: dict[str, Any] = {
            "timestamp": iso(email.at),
            "source": email.source,
            "sourceArn": f"arn:aws:ses:{email.region}:{email.account_id}:identity/{domain}",
            "sendingAccountId": email.account_id,
            "messageId": email.message_id,
            "destination": list(email.destination),
            "headersTruncated": False,
        }
        tags = {name: list(values) for name, values in email.tags.items()}
        if email.configuration_set:
            tags["ses:configuration-set"] = [email.configuration_set]
        tags |= {"ses:source-ip": ["192.0.2.10"], "ses:from-domain": [domain], "ses:caller-identity": ["rebound"]}
        if self.event_type is not EmailEventType.RENDERING_FAILURE:
            # There is no message yet whose headers could be told when rendering fails.
            to = ", ".join(email.destination)
            headers = [
                ("From", email.source),
                ("To", to),
                ("Subject", email.subject),
                ("MIME-Version", "1.0"),
                ("Content-Type", f'multipart/alternative; boundary="----=_Part_{email.message_id[:16]}"'),
                *email.headers,
            ]
            mail["headers"] = [{"name": name, "value": value} for name, value in headers]
            mail["commonHeaders"] = {
                "from": [email.source],
                "to": list(email.destination),
                "messageId": email.message_id,
                "subject": email.subject,
            }
            if self.event_type is not EmailEventType.SEND:
                tags["ses:outgoing-ip"] = [_OUTGOING_IP]
        mail["tags"] = tags
        return mail

    def _record(self) -> tuple[str, dict[str, Any]]:
        match self.event_type:
            case EmailEventType.SEND:
                return "send", {}
            case EmailEventType.DELIVERY:
                return "delivery", {
                    "timestamp": iso(self.at),
                    "processingTimeMillis": max(1, round((self.at - self.email.at) * 1000)),
                    "recipients": [self.recipient],
                    "smtpResponse": "250 2.6.0 Message received",
                    "remoteMtaIp": "127.0.2.0",
                    "reportingMTA": _REPORTING_MTA,
                }
            case EmailEventType.BOUNCE:
                return "bounce", self._bounce(self.bounce or BounceKind.UNDETERMINED)
            case EmailEventType.COMPLAINT if self.not_tried:
                return "complaint", {
                    "feedbackId": self.feedback_id,
                    "complaintSubType": "OnAccountSuppressionList",
                    "complainedRecipients": [{"emailAddress": self.recipient}],
                    "timestamp": iso(self.at),
                }
            case EmailEventType.COMPLAINT:
                return "complaint", {
                    "feedbackId": self.feedback_id,
                    "complaintSubType": None,
                    "complainedRecipients": [{"emailAddress": self.recipient}],
                    "timestamp": iso(self.at),
                    "userAgent": "Amazon SES Mailbox Simulator",
                    "complaintFeedbackType": "abuse",
                    "arrivalDate": iso(self.at),
                }
            case EmailEventType.RENDERING_FAILURE:
                return "failure", {"errorMessage": self.rendering_error, "templateName": self.template_name}

    def _bounce(self, kind: BounceKind) -> dict[str, Any]:
        bounce_type, _, subtype = kind.partition("/")
        diagnosis = _DIAGNOSES.get(kind)
        recipient: dict[str, Any] = {"emailAddress": self.recipient}
        if diagnosis:
            recipient |= {"action": "failed", "status": diagnosis.status, "diagnosticCode": diagnosis.code}
        bounce = {
            "feedbackId": self.feedback_id,
            "bounceType": bounce_type,
            "bounceSubType": subtype,
            "bouncedRecipients": [recipient],
            "timestamp": iso(self.at),
        }
        if diagnosis and diagnosis.in_session:
            bounce["remoteMtaIp"] = "127.0.2.0"
        if diagnosis:
            bounce["reportingMTA"] = f"dns; {diagnosis.reporting_mta}"
        return bounce


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    """``in_session``: refused while the mail was handed over, not by a mail that came back later."""

    status: str
    code: str
    in_session: bool = True
    reporting_mta: str = _REPORTING_MTA


# Undetermined has none: that is what the type means.
_DIAGNOSES = {
    BounceKind.NO_EMAIL: _Diagnosis("5.1.1", "smtp; 550 5.1.1 user unknown"),
    BounceKind.GENERAL: _Diagnosis(
        "5.1.10",
        "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        in_session=False,
    ),
    BounceKind.ON_ACCOUNT_SUPPRESSION_LIST: _Diagnosis(
        "5.1.1",
        "Amazon SES did not send the message to this address because it is on the suppression list for your account. "
        "For more information about removing addresses from the suppression list, see the Amazon SES Developer Guide "
        "at https://docs.aws.amazon.com/ses/latest/DeveloperGuide/sending-email-suppression-list.html",
        in_session=False,
        reporting_mta="amazonses.com",
    ),
    BounceKind.MAILBOX_FULL: _Diagnosis(
        "4.2.2", "smtp; 452 4.2.2 The email account that you tried to reach is over quota."
    ),
    BounceKind.TRANSIENT: _Diagnosis("4.3.0", "smtp; 451 4.3.0 Temporary system problem. Try again later."),
    BounceKind.CONTENT_REJECTED: _Diagnosis(
        "5.7.1", "smtp; 554 5.7.1 Message rejected because of unacceptable content"
    ),
}


class EventPublisher:
    """Publishes events to the topics that the message's configuration set names for their type.

    Events that no topic asks for are done with, as on AWS. Failures are retried with growing pauses.
    """

    BATCH_ENTRIES = 10
    BATCH_BYTES = 240_000
    ATTEMPTS = 6

    def __init__(self, aws: Aws, configuration_sets: ConfigurationSets) -> None:
        self._aws = aws
        self._sets = configuration_sets

    def send(self, attempts: Sequence[Attempt[EmailEvent]]) -> Sequence[Verdict]:
        """Publish each event to all of its topics; one failed topic has the event published again."""
        failed: set[int] = set()
        per_topic: dict[str, list[tuple[int, str]]] = {}
        for number, attempt in enumerate(attempts):
            event = attempt.payload
            wanted = event.event_type.upper().replace(" ", "_")
            try:
                destinations = self._sets.get(event.email.configuration_set).destinations
            except AWS_FAILURES:
                failed.add(number)
                continue
            topics = {destination.topic_arn for destination in destinations if wanted in destination.event_types}
            message = json.dumps(event.document()) if topics else ""
            for topic in topics:
                per_topic.setdefault(topic, []).append((number, message))
        for topic, entries in per_topic.items():
            for batch in self._batches(entries):
                failed |= self._publish(topic, batch)
        return [self._retry(attempt) if number in failed else DELIVERED for number, attempt in enumerate(attempts)]

    def _publish(self, topic: str, batch: Sequence[tuple[int, str]]) -> set[int]:
        try:
            taken = self._aws.publish(topic, _SUBJECT, [message for _, message in batch])
        except AWS_FAILURES:
            return {number for number, _ in batch}
        return {number for (number, _), ok in zip(batch, taken, strict=True) if not ok}

    def _batches(self, entries: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
        batch: list[tuple[int, str]] = []
        size = 0
        for number, message in entries:
            if batch and (len(batch) == self.BATCH_ENTRIES or size + len(message) > self.BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append((number, message))
            # JSON is ASCII here: characters are bytes.
            size += len(message)
        if batch:
            yield batch

    def _retry(self, attempt: Attempt[EmailEvent]) -> Verdict:
        if attempt.number + 1 >= self.ATTEMPTS:
            return GIVEN_UP
        return Verdict(delivered=False, retry_after_seconds=0.2 * 2**attempt.number)
