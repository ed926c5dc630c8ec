"""One twin, put together."""

import time
from collections.abc import Callable

from local.twin.aws import Aws, ConfigurationSets, EmbeddedAws
from local.twin.callbacks import CallbackLane
from local.twin.control import ControlApi
from local.twin.exchange import Request, Response
from local.twin.faults import FaultBoard
from local.twin.inbound import InboundApi
from local.twin.ledger import SendLedger
from local.twin.sending_quota import SendingQuota
from local.twin.ses import SesApi
from local.twin.ses_events import EmailEvent, EventPublisher
from local.twin.settings import TwinSettings
from local.twin.sns import DeliveryLog, DeliveryLogWriter, SnsApi
from local.twin.stage import Stage
from local.twin.status_callbacks import StatusCallback, StatusCallbackPoster
from local.twin.story import Story
from local.twin.twilio import TwilioApi


class Twin:
    """SES, SNS and Twilio behind one door; ``start`` lets the callbacks go."""

    def __init__(self, settings: TwinSettings, aws: Aws | None = None, now: Callable[[], float] = time.time) -> None:
        aws = aws or EmbeddedAws(
            settings.aws_endpoint_url,
            settings.region,
            settings.aws_access_key_id,
            settings.aws_secret_access_key,
        )
        sets = ConfigurationSets(aws, settings.ses_topic_arn)
        self._ledger = SendLedger()
        stage = Stage(
            Story(settings.seed),
            self._ledger,
            FaultBoard(),
            settings.region,
            settings.account_id,
            settings.delay_seconds,
            now,
        )
        # A status callback waits for a Lambda function; publishing is bound by the processor.
        emails = CallbackLane[EmailEvent]("ses", EventPublisher(aws, sets), threads=2, batch_size=50)
        self._poster = StatusCallbackPoster(settings.twilio_auth_token)
        texts = CallbackLane[StatusCallback]("twilio", self._poster, threads=8, batch_size=1)
        logs = CallbackLane[DeliveryLog](
            "sns", DeliveryLogWriter(aws, settings.region, settings.account_id), threads=1, batch_size=100
        )
        self._lanes = (emails, texts, logs)
        quota = SendingQuota()
        self._ses = SesApi(stage, emails, sets, quota, settings.ses_identities)
        self._sns = SnsApi(stage, logs)
        self._twilio = TwilioApi(
            stage, texts, settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_services
        )
        self._control = ControlApi(
            self._ledger,
            stage.faults,
            {"ses": emails.counts, "twilio": texts.counts, "sns": logs.counts},
            lambda: self._ses.held,
            InboundApi(stage, settings.twilio_account_sid, settings.twilio_auth_token),
            quota,
        )

    def start(self) -> None:
        """Begin to send callbacks."""
        for lane in self._lanes:
            lane.start()

    def stop(self) -> int:
        """End the callbacks; says how many were left."""
        for lane in self._lanes:
            lane.stop()
        self._poster.close()
        self._ledger.close()
        return sum(lane.counts().pending for lane in self._lanes)

    def handle(self, request: Request) -> Response:
        """Answer one request, whoever it is for."""
        if request.path.startswith("/v2/email/"):
            return self._ses.handle(request)
        if request.path.startswith("/2010-04-01/"):
            return self._twilio.handle(request)
        if request.path == "/" and request.method == "POST":
            return self._sns.handle(request)
        return self._control.handle(request)
