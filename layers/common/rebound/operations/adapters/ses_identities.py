"""What SES says of the identities that the stack sends from, and of the account."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from rebound.operations.domain import EmailAccount

MOST: Final = 1000
"""Identities in one answer of SES."""
VERIFIED: Final = "SUCCESS"


class SesIdentities(Struct, frozen=True):
    """Implements ``EmailIdentities``."""

    client: Any

    def verified(self) -> Mapping[str, bool]:
        found = self.client.list_email_identities(PageSize=MOST)["EmailIdentities"]
        return {each["IdentityName"].lower(): _is_verified(each) for each in found}

    def account(self) -> EmailAccount:
        answer = self.client.get_account()
        quota = answer.get("SendQuota", {})
        return EmailAccount(
            may_send=answer.get("SendingEnabled", True),
            in_sandbox=not answer.get("ProductionAccessEnabled", True),
            sent=int(quota.get("SentLast24Hours", 0)),
            limit=int(quota.get("Max24HourSend", -1)),
            a_second=quota.get("MaxSendRate", 0.0),
        )


def _is_verified(given: Mapping[str, Any]) -> bool:
    return bool(given.get("SendingEnabled")) and given.get("VerificationStatus", VERIFIED) == VERIFIED
