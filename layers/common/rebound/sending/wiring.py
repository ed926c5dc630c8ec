"""What sending need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.campaigns.wiring import AwsCampaignsPorts, CampaignsUseCases
from rebound.kernel.receipts import MessageKey
from rebound.platform.wiring import in_this_process
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask

if TYPE_CHECKING:
    from rebound.kernel.provider_codes import Provider
    from rebound.sending.adapters.sqs_receipt_queue import SqsReceiptQueue
    from rebound.sending.application.acquire_send_slot import AcquireSendSlot
    from rebound.sending.application.chunk_lifecycle import ChunkLifecycle
    from rebound.sending.application.decide_recipients import DecideRecipients
    from rebound.sending.application.post_message import PostMessage
    from rebound.sending.application.release_held import ReleaseHeld
    from rebound.sending.application.requeue_campaign import RequeueCampaign
    from rebound.sending.application.run_campaign import DrainCampaign, ExpandCampaign, PlanCampaign
    from rebound.sending.application.send_email import SendEmail
    from rebound.sending.application.send_text import SendText
    from rebound.sending.ports import ChunkQueue, DeferredChunkQueue, Mailer, ReceiptQueue, SendingPorts, Texter


class AwsSendingPorts(AwsCampaignsPorts):
    """The same over AWS."""

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
        """The one below that has the provider's name, made when a business that uses it sends."""
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
        """For functions that put there what they received, as it came."""
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
        """The chunk of a message of a sender's queue."""
        from rebound.sending.adapters.queues import decode_task

        return decode_task(body)

    @staticmethod
    def decode_held(body: str) -> DeferredChunkTask:
        """The waiting chunk of a message of their queue."""
        from rebound.sending.adapters.queues import decode_held

        return decode_held(body)


class SendingUseCases(CampaignsUseCases):
    """The use cases of sending."""

    ports: SendingPorts

    @cached_property
    def post_message(self) -> PostMessage:
        from rebound.sending.application.post_message import PostMessage

        return PostMessage(
            campaigns=self.ports.campaigns,
            customers=self.ports.customers,
            businesses=self.ports.businesses,
            chunks=self.ports.chunks,
            messages=self.ports.messages,
            queue=self.ports.chunk_queue,
            clock=self.ports.clock,
            ids=self.ports.ids,
            request_ids=self.ports.request_ids,
            appointments=self.ports.appointments,
            held=self.ports.deferred_queue,
            whereabouts=self.ports.whereabouts,
        )

    @cached_property
    def plan_campaign(self) -> PlanCampaign:
        from rebound.sending.application.run_campaign import PlanCampaign

        return PlanCampaign(
            campaigns=self.ports.campaigns,
            customers=self.ports.customers,
            segments=self.ports.segments,
            clock=self.ports.clock,
            ids=self.ports.ids,
            close=self.close_campaign,
            ranges=self.ports.expansion_ranges,
            worth_a_range=self.ports.worth_a_range,
        )

    @cached_property
    def expand_campaign(self) -> ExpandCampaign:
        from rebound.sending.application.run_campaign import ExpandCampaign

        return ExpandCampaign(
            campaigns=self.ports.campaigns,
            businesses=self.ports.businesses,
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            frequencies=self.ports.frequencies,
            expansion=self.ports.expansion,
            queue=self.ports.chunk_queue,
            clock=self.ports.clock,
            chunks=self.ports.chunks,
            held=self.ports.deferred_queue,
            whereabouts=self.ports.whereabouts,
        )

    @cached_property
    def drain_campaign(self) -> DrainCampaign:
        from rebound.sending.application.run_campaign import DrainCampaign

        return DrainCampaign(
            campaigns=self.ports.campaigns,
            expansion=self.ports.expansion,
            tallies=self.ports.tallies,
            clock=self.ports.clock,
            chunks=self.ports.chunks,
        )

    @cached_property
    def requeue_campaign(self) -> RequeueCampaign:
        from rebound.sending.application.requeue_campaign import RequeueCampaign

        return RequeueCampaign(
            campaigns=self.ports.campaigns,
            chunks=self.ports.chunks,
            queue=self.ports.chunk_queue,
            clock=self.ports.clock,
        )

    @cached_property
    def chunk_lifecycle(self) -> ChunkLifecycle:
        from rebound.sending.application.chunk_lifecycle import ChunkLifecycle

        return ChunkLifecycle(
            chunks=self.ports.chunks,
            campaigns=self.ports.campaigns,
            businesses=self.ports.businesses,
            customers=self.ports.customers,
            messages=self.ports.messages,
            queue=self.ports.chunk_queue,
            held=self.ports.deferred_queue,
            reservations=self.frequency_reservations,
            breaker=self.trip_breaker,
            clock=self.ports.clock,
        )

    @cached_property
    def decide_recipients(self) -> DecideRecipients:
        from rebound.sending.application.decide_recipients import DecideRecipients

        return DecideRecipients(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            frequencies=self.ports.frequencies,
            reservations=self.frequency_reservations,
            whereabouts=self.ports.whereabouts,
            clock=self.ports.clock,
        )

    @cached_property
    def acquire_send_slot(self) -> AcquireSendSlot:
        from rebound.sending.application.acquire_send_slot import AcquireSendSlot

        return AcquireSendSlot(
            rates=self.ports.rates,
            quotas=self.ports.quotas,
            chunks=self.ports.chunks,
            queue=self.ports.chunk_queue,
            clock=self.ports.clock,
            chance=self.ports.chance,
        )

    @cached_property
    def release_held(self) -> ReleaseHeld:
        from rebound.sending.application.release_held import ReleaseHeld

        return ReleaseHeld(
            held=self.ports.deferred_queue,
            queue=self.ports.chunk_queue,
            clock=self.ports.clock,
            businesses=self.ports.businesses,
        )

    @cached_property
    def send_email(self) -> SendEmail:
        from rebound.sending.application.send_email import SendEmail

        return SendEmail(
            chunks=self.chunk_lifecycle,
            decide=self.decide_recipients,
            messages=self.ports.messages,
            clock=self.ports.clock,
            mailer=self.ports.mailer,
            acquire_slot=self.acquire_send_slot,
            record_throttle=self.record_throttle,
            suppressions=self.suppression_list_client,
            links=self.link_writer,
        )

    @cached_property
    def send_text(self) -> SendText:
        from rebound.sending.application.send_text import SendText

        return SendText(
            chunks=self.chunk_lifecycle,
            decide=self.decide_recipients,
            messages=self.ports.messages,
            businesses=self.ports.businesses,
            clock=self.ports.clock,
            texter=self.ports.texter,
            receipts=self.ports.receipt_queue,
            acquire_slot=self.acquire_send_slot,
            record_throttle=self.record_throttle,
        )


def use_cases() -> SendingUseCases:
    """Those of this process."""
    return in_this_process(SendingUseCases, ports)


def ports() -> AwsSendingPorts:
    """Those of this process, over AWS."""
    return AwsSendingPorts()
