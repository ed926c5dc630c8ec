"""What a voucher takes off an order, and whether it applies."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import Campaign
from rebound.campaigns.domain.redemptions import MOST_TAKEN_BACK, Redemption, Sale
from rebound.kernel.errors import ConflictError
from rebound.kernel.times import write_time
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.messages.domain.vouchers import Voucher, VoucherKind

_WENT_OUT: Final = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNCERTAIN})
"""Whoever shows the code of an uncertain message has got it."""


class Issued(Struct, frozen=True):
    """A voucher that went out to a customer: ``code`` without separators, and when it is valid for them."""

    code: str
    campaign: Campaign
    voucher: Voucher
    message: Message
    sent_at: datetime
    begins: datetime | None
    ends: datetime

    def is_valid(self, now: datetime) -> bool:
        """Whether it may be redeemed now, as far as time goes."""
        return (self.begins is None or self.begins <= now) and now < self.ends


def never_redeemed(business_id: str, issued: Issued) -> Redemption:
    """What is known of a voucher before it is redeemed first; its message may have a goal that it reaches then."""
    goal = issued.message.goal
    is_goal = goal is not None and Goal.read(goal).kind is GoalKind.REDEMPTION
    message = issued.message.key if is_goal else None
    return Redemption(business_id, issued.code, issued.campaign.campaign_id, message=message)


def sent_at(message: Message) -> datetime | None:
    """When a message went out, so that its voucher is one; ``None`` when it did not, or nobody got it."""
    if message.status not in _WENT_OUT and message.delivered_at is None:
        return None
    known = (message.sent_at, message.delivered_at, message.failed_at, message.queued_at)
    return next((at for at in known if at is not None), None)


def discount_of(voucher: Voucher, amount: Decimal, decimals: int) -> Decimal:
    """What a voucher takes off an amount: never more than the amount, rounded as money of its currency is."""
    match voucher.kind:
        case VoucherKind.PERCENT:
            off = amount * voucher.amount / 100
        case VoucherKind.AMOUNT:
            off = voucher.amount
        case VoucherKind.FREE_MINUTES:
            off = Decimal()
    return min(off.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP), amount)


def known_sale(redemption: Redemption, order_id: str) -> Sale | None:
    """The sale of an order that the voucher was redeemed with before; ``None`` where it is free for this order.

    Raises ``ConflictError`` when another order has it, or when that of this order was taken back.
    """
    if redemption.sale is not None:
        if redemption.sale.order_id == order_id:
            return redemption.sale
        raise ConflictError("voucher_used", "The voucher was redeemed with another order.")
    if redemption.closed:
        raise ConflictError("voucher_used", "The voucher was redeemed before its customer was deleted.")
    if order_id in redemption.taken_back:
        raise ConflictError(
            "voucher_taken_back", "This order's redemption was taken back; redeem the voucher with another order."
        )
    return None


def check_time(issued: Issued, now: datetime) -> None:
    """Raise ``ConflictError`` unless the voucher is valid now."""
    if issued.begins is not None and now < issued.begins:
        at = write_time(issued.begins)
        raise ConflictError("voucher_not_yet_valid", f"The voucher is valid from {at} on.", valid_from=at)
    if now >= issued.ends:
        at = write_time(issued.ends)
        raise ConflictError("voucher_expired", f"The voucher was valid until {at}.", valid_until=at)


def without_sale(redemption: Redemption, order_id: str) -> Redemption:
    """The voucher as it is when an order's redemption is taken back. Raises ``ConflictError`` after very many."""
    if len(redemption.taken_back) >= MOST_TAKEN_BACK:
        raise ConflictError("voucher_taken_back", "The voucher was taken back from too many orders.")
    return Redemption(
        redemption.business_id,
        redemption.code,
        redemption.campaign_id,
        None,
        redemption.taken_back | {order_id},
        version=redemption.version,
        message=redemption.message,
    )
