"""The modules in which ``make mutate`` plants faults: who is sent to, when, once, and what is learnt from it."""

import importlib
from functools import cache
from pathlib import Path
from typing import Final

from tests.fakes.aws import REPOSITORY

PACKAGE: Final = REPOSITORY / "layers" / "common"
HEART: Final = (
    "businesses.domain.frequency",
    "businesses.domain.quiet_hours",
    "campaigns.adapters.dynamo_campaigns",
    "campaigns.adapters.dynamo_expansion",
    "campaigns.adapters.rows",
    "campaigns.application.count_results",
    "campaigns.application.steer_campaign",
    "campaigns.domain.breaker",
    "campaigns.domain.campaigns",
    "campaigns.domain.chunks",
    "consent.domain.consent",
    "contacts.adapters.dynamo_contacts",
    "contacts.adapters.rows",
    "contacts.domain.contacts",
    "contacts.domain.reachability",
    "customers.adapters.customer_book",
    "eligibility.adapters",
    "eligibility.application.audience",
    "eligibility.application.frequency_reservations",
    "eligibility.domain.eligibility",
    "inbound.application.receive_text",
    "messages.adapters.dynamo_messages",
    "messages.adapters.rows",
    "templates.domain.html_as_text",
    "messages.domain.messages",
    "templates.domain.rendering",
    "platform.adapters.dynamo",
    "preferences.application.follow_links",
    "rates.adapters",
    "rates.application",
    "rates.domain",
    "receipts.adapters.receipts_queue",
    "receipts.adapters.ses_events",
    "receipts.application.apply_receipts",
    "sending.adapters.queues",
    "sending.adapters.ses_mailer",
    "sending.adapters.sns_texter",
    "sending.adapters.twilio_texter",
    "sending.application.acquire_send_slot",
    "sending.application.chunk_lifecycle",
    "sending.application.decide_recipients",
    "sending.application.post_message",
    "sending.application.hold_chunk",
    "sending.application.requeue_chunks",
    "sending.application.run_campaign",
    "sending.application.send_email",
    "sending.application.send_text",
    "sending.application.steer_appointment",
    "sending.application.steer_message",
    "sending.domain.chunk_tasks",
    "sending.domain.message_timers",
    "sending.domain.outcomes",
    "sending.domain.recipients",
    "timers.adapters",
    "timers.application",
)


def path_of(module: str) -> Path:
    """The file of a module of the heart."""
    return PACKAGE / "rebound" / Path(*module.split(".")).with_suffix(".py")


@cache
def paths() -> frozenset[str]:
    """All their files, as Python names them."""
    return frozenset(str(path_of(module)) for module in HEART)


def load() -> None:
    """Import them all, so that their functions are there."""
    for module in HEART:
        importlib.import_module(f"rebound.{module}")
