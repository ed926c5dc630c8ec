"""Vouchers that were redeemed, and what campaigns brought in by them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from msgspec import Struct

from rebound.kernel.receipts import MessageKey

MOST_TAKEN_BACK: Final = 100
"""Orders of one voucher that were taken back; more are a mistake of the client's."""


class Sale(Struct, frozen=True):
    """The order that a voucher was redeemed with. ``discount`` is never more than ``amount``."""

    order_id: str
    amount: Decimal
    discount: Decimal
    currency: str
    redeemed_at: datetime
    free_minutes: int | None = None

    @property
    def revenue(self) -> Decimal:
        """What was paid for the order."""
        return self.amount - self.discount


class Redemption(Struct, frozen=True):
    """One voucher and the order that it was redeemed with, if any.

    ``code`` is the voucher's, without separators. ``taken_back`` are the orders with which it was redeemed before: what
    was taken back once stays so, however late the same request comes again. ``message`` is the one that it came
    with, where its campaign's goal is that it be redeemed. ``closed`` is all that is kept of a
    redemption once its customer is deleted, so that nobody who comes again redeems it twice. ``version`` counts the
    writes of the row, 0 for none yet.
    """

    business_id: str
    code: str
    campaign_id: str
    sale: Sale | None = None
    taken_back: frozenset[str] = frozenset()
    closed: bool = False
    version: int = 0
    message: MessageKey | None = None

    @property
    def is_used(self) -> bool:
        """Whether nobody may redeem the voucher."""
        return self.closed or self.sale is not None


class Total(Struct, frozen=True):
    """What a campaign's vouchers brought in, in one currency: how many, and what was paid for their orders."""

    redeemed: int = 0
    revenue: Decimal = Decimal()


Totals = Mapping[str, Total]
"""By currency (ISO 4217)."""


def summed(one: Totals, other: Totals) -> Totals:
    """What both brought in together."""
    nothing = Total()
    return {
        currency: Total(
            one.get(currency, nothing).redeemed + other.get(currency, nothing).redeemed,
            one.get(currency, nothing).revenue + other.get(currency, nothing).revenue,
        )
        for currency in {*one, *other}
    }


def reward_on(revenue: Decimal, percent: int, decimals: int) -> Decimal:
    """What is due for a revenue, rounded as money is."""
    return (revenue * percent / 100).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
