"""What the use cases of text plans need from outside."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from rebound.text_plans.domain import Change, Entry, PlanNote, Telling, TextMonth
from rebound.timers.ports import TimersPorts
from rebound.webhooks.ports import WebhooksPorts


class TextLedger(Protocol):
    """What texts count: a row for each, and one for each month of a business."""

    def month(self, business_id: str, month: str) -> TextMonth:
        """The month as of now; an empty one where nothing was counted."""

    def entries(self, names: Iterable[str]) -> Mapping[str, Entry]:
        """The entries that there are, by name, as of now."""

    def change(self, business_id: str, month: str, changes: Sequence[Change], limit: int | None = None) -> None:
        """Change entries of one month and its sum, all or nothing.

        At most ``MOST_CHANGES``. Raises ``ConcurrentChangeError`` unless each entry is as it was read, or if the sum
        would pass ``limit``, and then nothing is changed.
        """

    def note(self, month: TextMonth, note: PlanNote, telling: Telling) -> None:
        """Write how far a note is. Raises ``ConcurrentChangeError`` unless it is as it was read with the month."""


MOST_CHANGES = 90
"""A transaction takes 100 rows, the month's among them."""


class TextPlansPorts(WebhooksPorts, TimersPorts, Protocol):
    """What the use cases of text plans need from outside."""

    @property
    def text_ledger(self) -> TextLedger: ...
