"""SES's sending rate and daily quota."""

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from rebound.rates.domain import Quota

NO_LIMIT: Final = -1
"""How GetAccount writes that there is no quota for 24 hours."""


class SesQuota:
    """Implements ``QuotaSource`` with GetAccount, which may be called about once a second."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def quota(self) -> Quota | None:
        try:
            sent = self._client.get_account()["SendQuota"]
        except (ClientError, BotoCoreError):
            return None
        daily = int(sent["Max24HourSend"])
        return Quota(float(sent["MaxSendRate"]), None if daily == NO_LIMIT else daily, int(sent["SentLast24Hours"]))
