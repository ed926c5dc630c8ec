"""Settings from environment variables with known names; each is read only when it is asked for."""

import os
from collections.abc import Mapping
from typing import Final

KNOWN: Final = frozenset(
    {
        "ACTIVITY_QUEUE_URL",
        "STEPS_QUEUE_URL",
        "ACTIVITY_TABLE",
        "API_ID",
        "CAMPAIGNS_TABLE",
        "CAMPAIGN_STATE_MACHINE_ARN",
        "CHUNKS_TABLE",
        "CONSOLE_SENDER",
        "CONTACTS_TABLE",
        "CONTACT_HISTORY_TABLE",
        "CUSTOMERS_TABLE",
        "CUSTOMER_INDEX_TABLE",
        "DEAD_LETTER_QUEUES",
        "DEFAULT_TEXT_PROVIDER",
        "DIRECTORY_TABLE",
        "EMAIL_QUEUE_URL",
        "ERRAND_STATE_MACHINE_ARN",
        "EVENT_BUS",
        "EXPANSION_RANGES",
        "EXPORT_STATE_MACHINE_ARN",
        "FREQUENCIES_TABLE",
        "HELD_QUEUE_URL",
        "IDEMPOTENCY_TABLE",
        "IMPORTS_BUCKET",
        "IMPORT_CONCURRENCY",
        "IMPORT_STATE_MACHINE_ARN",
        "JOB_STATE_MACHINE_ARN",
        "LARGE_FUNCTIONS",
        "LINK_SECRET_ARN",
        "LOOPBACK_WEBHOOKS",
        "MESSAGES_TABLE",
        "PACES_TABLE",
        "PROMPT_EMAIL_QUEUE_URL",
        "PROMPT_TEXT_QUEUE_URL",
        "PUBLIC_URL",
        "RECEIPTS_QUEUE_URL",
        "UPKEEP_QUEUE_URL",
        "RECURRING_TABLE",
        "SEQUENCES_TABLE",
        "SCHEDULER_ROLE_ARN",
        "SCHEDULE_GROUP",
        "SENDER_IDENTITIES",
        "SES_CONFIGURATION_SET",
        "STACK_NAME",
        "TEXT_PLANS_TABLE",
        "TEXT_QUEUE_URL",
        "TIMERS_TABLE",
        "TWILIO_BASE_URL",
        "TWILIO_SECRET_ARN",
        "WEBHOOK_DELIVERIES_TABLE",
        "WEBHOOK_QUEUE_URL",
    }
)
"""Every name that is read; a test checks that the template sets no others."""


class MissingSettingError(RuntimeError):
    """The function was deployed without a setting that it needs."""


class Settings:
    """Settings by name. Raises ``MissingSettingError``, which names the setting, when one is not set."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @classmethod
    def of_this_process(cls) -> "Settings":
        """The settings that this function was deployed with."""
        return cls(os.environ)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise MissingSettingError(f"the environment variable {name} is not set")
        return value

    def get(self, name: str) -> str | None:
        """A setting that may be absent (``None``); an empty one counts as absent."""
        if name not in KNOWN:
            raise KeyError(name)
        return self._environment.get(name) or None

    def public_url(self, api_id: str) -> str:
        """The address under which the world reaches the API, without a slash at the end."""
        return self["PUBLIC_URL"].replace("{api_id}", api_id).rstrip("/")
