"""Senders that count what goes through them, for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.rates.domain import Throttled
from rebound.sending.domain.recipients import ACCESS_DENIED, Accepted, OutgoingEmail, Refused, SendResult, Unknown

if TYPE_CHECKING:
    from rebound.platform.telemetry import Count
    from rebound.sending.ports import Mailer, Texter

WHAT_BECAME: Final[dict[type[SendResult], str]] = {
    Accepted: "HandedOver",
    Refused: "Refused",
    Throttled: "Throttled",
    Unknown: "Uncertain",
}
"""The second half of a metric's name, after ``Emails`` or ``Texts``, for each type of result."""
DENIED: Final = "Denied"
"""The same, of those that were refused because the function may not send at all."""


class CountedMailer:
    """Implements ``Mailer`` by another ``Mailer``, whose results it counts."""

    def __init__(self, mailer: Mailer, count: Count) -> None:
        self._mailer = mailer
        self._count = count

    def send(self, sender: str, emails: Sequence[OutgoingEmail], reply_to: str | None = None) -> Sequence[SendResult]:
        results = self._mailer.send(sender, emails, reply_to)
        for result in results:
            _count_result(self._count, "Emails", result)
        return results


class CountedTexter:
    """Implements ``Texter`` by another ``Texter``, whose results it counts."""

    def __init__(self, texter: Texter, count: Count) -> None:
        self._texter = texter
        self._count = count

    @property
    def provider(self) -> Provider:
        return self._texter.provider

    def send(
        self, sender: str | None, key: MessageKey, to: str, body: str, valid_for: timedelta | None = None
    ) -> SendResult:
        result = self._texter.send(sender, key, to, body, valid_for)
        _count_result(self._count, "Texts", result)
        return result


def _count_result(count: Count, kind: str, result: SendResult) -> None:
    count(f"{kind}{WHAT_BECAME[type(result)]}")
    if isinstance(result, Refused) and result.code == ACCESS_DENIED:
        count(f"{kind}{DENIED}")
