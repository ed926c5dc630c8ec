"""SNS text messages: Publish to a phone number, and the delivery log that tells what became of it."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from local.twin.aws import AWS_FAILURES, Aws, LogLine
from local.twin.aws_errors import SNS_NAMESPACE, AwsError
from local.twin.callbacks import DELIVERED, GIVEN_UP, Attempt, CallbackLane, Step, Verdict
from local.twin.exchange import Request, Response
from local.twin.faults import ErrorMoment, Provider
from local.twin.ledger import AcceptedSend
from local.twin.outcomes import SNS_ACCEPTED, TextStatus, plan_text, sns_provider_response
from local.twin.stage import Stage
from local.twin.timestamps import sns_log
from rebound.templates.domain.text_size import size_of_text

MAX_CHARACTERS = 1600
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class DeliveryLog:
    """What SNS logs about one text; ``at`` is when it happened, in epoch seconds."""

    message_id: str
    accepted_at: float
    at: float
    destination: str
    parts: int
    sms_type: str
    provider_response: str

    @property
    def succeeded(self) -> bool:
        """Whether it belongs to the group of successes."""
        return self.provider_response == SNS_ACCEPTED

    def line(self) -> LogLine:
        """The log line in its real shape."""
        dwell = max(1, round((self.at - self.accepted_at) * 1000))
        delivery = {
            "mnc": 0,
            "numberOfMessageParts": self.parts,
            "destination": self.destination,
            "priceInUSD": 0.00645,
            "smsType": self.sms_type,
            "mcc": 0,
            "providerResponse": self.provider_response,
            "dwellTimeMs": dwell,
        }
        if self.succeeded:
            delivery |= {"phoneCarrier": "Twin Mobile", "mnc": 270, "mcc": 310, "dwellTimeMsUntilDeviceAck": dwell}
        document = {
            "notification": {"messageId": self.message_id, "timestamp": sns_log(self.accepted_at)},
            "delivery": delivery,
            "status": "SUCCESS" if self.succeeded else "FAILURE",
        }
        return LogLine(int(self.at * 1000), json.dumps(document))


class DeliveryLogWriter:
    """Writes delivery logs to the embedded AWS's CloudWatch Logs, successes and failures apart."""

    ATTEMPTS = 6

    def __init__(self, aws: Aws, region: str, account_id: str) -> None:
        self._aws = aws
        self._group = f"sns/{region}/{account_id}/DirectPublishToPhoneNumber"

    def send(self, attempts: Sequence[Attempt[DeliveryLog]]) -> Sequence[Verdict]:
        """Write each group's lines in one call, which succeeds or is tried again as a whole."""
        verdicts = [DELIVERED] * len(attempts)
        for succeeded, group in ((True, self._group), (False, f"{self._group}/Failure")):
            chosen = [n for n, attempt in enumerate(attempts) if attempt.payload.succeeded is succeeded]
            if not chosen:
                continue
            try:
                self._aws.put_log_lines(group, [attempts[n].payload.line() for n in chosen])
            except AWS_FAILURES:
                for n in chosen:
                    verdicts[n] = self._retry(attempts[n].number)
        return verdicts

    def _retry(self, number: int) -> Verdict:
        if number + 1 >= self.ATTEMPTS:
            return GIVEN_UP
        return Verdict(delivered=False, retry_after_seconds=0.2 * 2**number)


class SnsApi:
    """The HTTP door of SNS: Publish with a PhoneNumber, in the Query protocol. Every number gets a MessageId."""

    def __init__(self, stage: Stage, lane: CallbackLane[DeliveryLog]) -> None:
        self._stage = stage
        self._lane = lane

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        request_id = str(uuid.uuid4())
        form = request.form()
        try:
            message_id = self._publish(form)
        except AwsError as error:
            return error.as_xml(request_id)
        body = (
            f'<PublishResponse xmlns="{SNS_NAMESPACE}"><PublishResult><MessageId>{escape(message_id)}</MessageId>'
            f"</PublishResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
            "</PublishResponse>"
        )
        return Response(200, body.encode(), {"Content-Type": "text/xml", "x-amzn-requestid": request_id})

    def _publish(self, form: Mapping[str, str]) -> str:
        if form.get("Action") != "Publish" or "PhoneNumber" not in form:
            raise AwsError("InvalidAction", "The twin answers only Publish with a PhoneNumber.")
        number, message = form["PhoneNumber"], form.get("Message", "")
        if not _PHONE.fullmatch(number):
            raise AwsError(
                "InvalidParameter", f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to"
            )
        if not message:
            raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
        if len(message) > MAX_CHARACTERS:
            raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
        attributes = _attributes(form)
        stage = self._stage
        with stage.decisions:
            if stage.faults.denies(Provider.SNS):
                raise AwsError("AuthorizationError", "User is not authorized to perform: SNS:Publish", 403)
            if stage.faults.throttles_call(Provider.SNS):
                raise AwsError("Throttling", "Rate exceeded")
            error = stage.faults.error(Provider.SNS)
            if error is ErrorMoment.BEFORE_ACCEPTING:
                raise _internal_error()
            message_id = self._accept(number, message, attributes)
        if error is ErrorMoment.AFTER_ACCEPTING or plan_text(number).crashes:
            raise _internal_error()
        return message_id

    def _accept(self, number: str, message: str, attributes: Mapping[str, str]) -> str:
        stage = self._stage
        plan = plan_text(number)
        at = stage.now()
        message_id = stage.story.uuid("sns-message")
        stage.ledger.record([AcceptedSend(at, Provider.SNS, number, attributes, {"body": message}, message_id)])
        # SNS logs the end only: one line for each final word of the plan.
        lines = max(1, sum(status is not TextStatus.SENT for status in plan.statuses))
        steps = [
            Step(
                moment,
                DeliveryLog(
                    message_id,
                    at,
                    moment,
                    number,
                    size_of_text(message).segments,
                    attributes.get("AWS.SNS.SMS.SMSType", "Promotional"),
                    sns_provider_response(plan),
                ),
            )
            for moment in stage.moments(message_id, at, 1) * lines
        ]
        for sequence in stage.faults.disturb(Provider.SNS, steps):
            self._lane.submit(sequence)
        return message_id


def _internal_error() -> AwsError:
    return AwsError("InternalError", "The request processing has failed because of an unknown error.", 500)


def _attributes(form: Mapping[str, str]) -> dict[str, str]:
    attributes = {}
    number = 1
    while name := form.get(f"MessageAttributes.entry.{number}.Name"):
        attributes[name] = form.get(f"MessageAttributes.entry.{number}.Value.StringValue", "")
        number += 1
    return attributes
