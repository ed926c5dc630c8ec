"""The ports of sending over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.campaigns.wiring import AwsCampaignsPorts
from rebound.kernel.receipts import MessageKey
from rebound.platform.wiring import in_this_process, use_case
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask
from rebound.sending.domain.message_timers import MESSAGE
from rebound.timers.wiring import AwsTimersPorts, TimersUseCases
from rebound.vouchers.wiring import VouchersUseCases

if TYPE_CHECKING:
    from rebound.kernel.provider_codes import Provider
    from rebound.messages.application.write_links import LinkWriter
    from rebound.sending.adapters.sqs_receipt_queue import SqsReceiptQueue
    from rebound.sending.application.acquire_send_slot import AcquireSendSlot
    from rebound.sending.application.chunk_lifecycle import ChunkLifecycle
    from rebound.sending.application.decide_recipients import DecideRecipients
    from rebound.sending.application.fall_back import FallBackToEmail
    from rebound.sending.application.foresee_message import ForeseeMessage
    from rebound.sending.application.hold_chunk import HoldChunk, WakeMessages
    from rebound.sending.application.post_message import PostMessage
    from rebound.sending.application.post_test import PostTest
    from rebound.sending.application.recall_recipients import RecallRecipients
    from rebound.sending.application.requeue_chunks import ReleaseHeld, RequeueCampaign
    from rebound.sending.application.run_campaign import (
        DrainCampaign,
        ExpandCampaign,
        LookAtCampaign,
        PlanCampaign,
    )
    from rebound.sending.application.send_copies import SendCopies
    from rebound.sending.application.send_email import SendEmail
    from rebound.sending.application.send_text import SendText
    from rebound.sending.application.steer_appointment import SteerAppointment
    from rebound.sending.application.steer_message import SteerMessage
    from rebound.sending.application.take_turns import TakeTurns
    from rebound.sending.ports import ChunkQueue, DeferredChunkQueue, Mailer, ReceiptQueue, SendingPorts, Texter
    from rebound.timers.ports import Waker


class AwsSendingPorts(AwsCampaignsPorts, AwsTimersPorts):
    """The ports of sending over AWS."""

    @cached_property
    def chunk_queue(self) -> ChunkQueue:
        from rebound.kernel.channels import Channel
        from rebound.rates.domain import Lane
        from rebound.sending.adapters.queues import SqsChunkQueue

        queue_urls = {
            (Channel.EMAIL, Lane.BULK): "EMAIL_QUEUE_URL",
            (Channel.EMAIL, Lane.PROMPT): "PROMPT_EMAIL_QUEUE_URL",
            (Channel.SMS, Lane.BULK): "TEXT_QUEUE_URL",
            (Channel.SMS, Lane.PROMPT): "PROMPT_TEXT_QUEUE_URL",
        }
        known = {lane: url for lane, name in queue_urls.items() if (url := self.settings.get(name)) is not None}
        return SqsChunkQueue(self.aws("sqs"), known)

    @cached_property
    def deferred_queue(self) -> DeferredChunkQueue:
        from rebound.sending.adapters.queues import SqsDeferredChunkQueue

        return SqsDeferredChunkQueue(self.aws("sqs"), self.settings["HELD_QUEUE_URL"])

    @cached_property
    def mailer(self) -> Mailer:
        from rebound.platform.telemetry import count
        from rebound.sending.adapters.counted import CountedMailer
        from rebound.sending.adapters.ses_mailer import SesMailer

        return CountedMailer(SesMailer(self.aws_once("sesv2"), self.settings["SES_CONFIGURATION_SET"]), count)

    def texter(self, provider: Provider) -> Texter:
        """The property ``<provider>_texter`` below, made when a business that uses the provider first sends."""
        made: Texter = getattr(self, f"{provider}_texter")
        return made

    @cached_property
    def twilio_texter(self) -> Texter:
        from rebound.platform.telemetry import count
        from rebound.sending.adapters.counted import CountedTexter
        from rebound.sending.adapters.twilio_texter import TwilioTexter, connect

        secret = self.twilio_secret
        client = connect(secret["account_sid"], secret["auth_token"], self.settings.get("TWILIO_BASE_URL"))
        return CountedTexter(TwilioTexter(client, self.public_url), count)

    @cached_property
    def sns_texter(self) -> Texter:
        from rebound.platform.telemetry import count
        from rebound.sending.adapters.counted import CountedTexter
        from rebound.sending.adapters.sns_texter import SnsTexter

        return CountedTexter(SnsTexter(self.aws_once("sns")), count)

    @cached_property
    def receipt_queue(self) -> ReceiptQueue:
        return self.sqs_receipt_queue

    @cached_property
    def sqs_receipt_queue(self) -> SqsReceiptQueue:
        """For functions that enqueue what they received, as it came."""
        from rebound.sending.adapters.sqs_receipt_queue import SqsReceiptQueue

        return SqsReceiptQueue(self.aws("sqs"), self.settings["RECEIPTS_QUEUE_URL"])

    @property
    def worth_a_range(self) -> int:
        from rebound.sending.application.run_campaign import WORTH_A_RANGE

        return WORTH_A_RANGE

    @staticmethod
    def chance() -> float:
        import random

        return random.random()  # noqa: S311 - spreads work, and keeps no secret

    def status_url(self, api_id: str, key: MessageKey) -> str:
        """The address that Twilio signs for callbacks about a message."""
        from rebound.sending.adapters.callback_address import status_url

        return status_url(self.settings.public_url(api_id), key)

    @staticmethod
    def decode_task(body: str) -> ChunkTask:
        """The task of a message from a sender's queue."""
        from rebound.sending.adapters.queues import decode_task

        return decode_task(body)

    @staticmethod
    def decode_held(body: str) -> DeferredChunkTask:
        """The deferred task of a message from the queue of deferred chunks."""
        from rebound.sending.adapters.queues import decode_held

        return decode_held(body)


class SendingUseCases(VouchersUseCases, TimersUseCases):
    """The use cases of sending."""

    ports: SendingPorts

    hold_chunk: HoldChunk = use_case("rebound.sending.application.hold_chunk", held="deferred_queue")
    wake_messages: WakeMessages = use_case("rebound.sending.application.hold_chunk", queue="chunk_queue")

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer."""
        return {**super().wakers, MESSAGE: self.wake_messages}

    post_message: PostMessage = use_case(
        "rebound.sending.application.post_message", queue="chunk_queue", hold="hold_chunk"
    )
    foresee_message: ForeseeMessage = use_case("rebound.sending.application.foresee_message")
    steer_message: SteerMessage = use_case(
        "rebound.sending.application.steer_message",
        queue="chunk_queue",
        hold="hold_chunk",
        reservations="frequency_reservations",
        meter="meter_at_need",
    )
    steer_appointment: SteerAppointment = use_case("rebound.sending.application.steer_appointment")
    plan_campaign: PlanCampaign = use_case(
        "rebound.sending.application.run_campaign", close="close_campaign", ranges="expansion_ranges"
    )
    expand_campaign: ExpandCampaign = use_case(
        "rebound.sending.application.run_campaign",
        queue="chunk_queue",
        held="deferred_queue",
        limit="limit_recipients",
    )
    recall_recipients: RecallRecipients = use_case("rebound.sending.application.recall_recipients", queue="chunk_queue")
    look_at_campaign: LookAtCampaign = use_case("rebound.sending.application.run_campaign")
    drain_campaign: DrainCampaign = use_case(
        "rebound.sending.application.run_campaign", look="look_at_campaign", recall="recall_recipients"
    )
    take_turns: TakeTurns = use_case("rebound.sending.application.take_turns")
    requeue_campaign: RequeueCampaign = use_case("rebound.sending.application.requeue_chunks", queue="chunk_queue")
    chunk_lifecycle: ChunkLifecycle = use_case(
        "rebound.sending.application.chunk_lifecycle",
        queue="chunk_queue",
        hold="hold_chunk",
        reservations="frequency_reservations",
        breaker="trip_breaker",
        meter="meter_at_need",
    )
    decide_recipients: DecideRecipients = use_case(
        "rebound.sending.application.decide_recipients", reservations="frequency_reservations"
    )
    acquire_send_slot: AcquireSendSlot = use_case("rebound.sending.application.acquire_send_slot", queue="chunk_queue")
    release_held: ReleaseHeld = use_case(
        "rebound.sending.application.requeue_chunks", held="deferred_queue", queue="chunk_queue"
    )
    send_email: SendEmail = use_case(
        "rebound.sending.application.send_email",
        chunks="chunk_lifecycle",
        decide="decide_recipients",
        acquire_slot="acquire_send_slot",
        suppressions="suppression_list_client",
        links="link_writer",
        copies="copies_at_need",
    )
    send_copies: SendCopies = use_case("rebound.sending.application.send_copies", queue="chunk_queue")
    fall_back_to_email: FallBackToEmail = use_case("rebound.sending.application.fall_back", queue="chunk_queue")
    send_text: SendText = use_case(
        "rebound.sending.application.send_text",
        chunks="chunk_lifecycle",
        decide="decide_recipients",
        receipts="receipt_queue",
        fall_back="fall_back_to_email",
        acquire_slot="acquire_send_slot",
        meter="meter_at_need",
        links="link_writer_at_need",
    )
    post_test: PostTest = use_case("rebound.sending.application.post_test", queue="chunk_queue")

    def copies_at_need(self) -> SendCopies:
        """Few emails have copies."""
        return self.send_copies

    def link_writer_at_need(self) -> LinkWriter:
        """Few texts have a link."""
        return self.link_writer


use_cases = in_this_process(SendingUseCases, AwsSendingPorts)
ports = AwsSendingPorts
