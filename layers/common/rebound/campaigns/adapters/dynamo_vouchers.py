"""Numbers of campaigns with vouchers, vouchers that were redeemed, and totals, in the Chunks table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from rebound.campaigns.adapters.rows import RedemptionRow, VoucherNumberRow, VoucherTotalRow
from rebound.campaigns.domain.redemptions import Redemption, Sale, Total, Totals
from rebound.kernel.receipts import MessageKey
from rebound.platform.adapters.dynamo import as_read, bind, expiry, lost_races, read_instant, transaction, write_instant

KEPT: Final = timedelta(days=800)
"""A voucher is valid for a year, and its order may be paid back within another."""
_NUMBERS: Final = "numbers"
_REDEMPTION: Final = "redemption"
_TOTAL: Final = "voucher#"
_DECIMALS: Final = 4
"""Of amounts in totals; no currency has more."""


class DynamoVoucherBook:
    """Implements ``VoucherBook``."""

    def __init__(self, table_name: str) -> None:
        self._number_row = bind(VoucherNumberRow, table_name)
        self._row = bind(RedemptionRow, table_name)
        self._total_row = bind(VoucherTotalRow, table_name)

    def number(self, business_id: str, campaign_id: str) -> int:
        counter = self._number_row(_numbers(business_id), _NUMBERS)
        counter.update(actions=[VoucherNumberRow.given.add(1)])
        given = int(counter.given)
        self._number_row(_numbers(business_id), _number(given), points_to=campaign_id).save()
        return given

    def campaign_of(self, business_id: str, number: int) -> str | None:
        try:
            return self._number_row.get(_numbers(business_id), _number(number), consistent_read=True).points_to
        except self._number_row.DoesNotExist:
            return None

    def get_many(self, business_id: str, codes: Collection[str]) -> Mapping[str, Redemption]:
        keys = [(_voucher(business_id, code), _REDEMPTION) for code in dict.fromkeys(codes)]
        found = (_redemption(row) for row in self._row.batch_get(keys, consistent_read=True))
        return {each.code: each for each in found}

    def replace(self, before: Redemption, after: Redemption) -> None:
        unchanged = as_read(RedemptionRow, before.version)
        with transaction(self._row) as writes:
            writes.save(self._written(after, before.version + 1), condition=unchanged)
            for currency, (redeemed, revenue) in _turnover(before.sale, after.sale).items():
                writes.update(
                    self._total_row(after.campaign_id, _TOTAL + currency),
                    actions=[VoucherTotalRow.redeemed.add(redeemed), VoucherTotalRow.revenue.add(revenue)],
                )

    def totals(self, business_id: str, campaign_id: str) -> Totals:
        _ = business_id
        found = self._total_row.query(campaign_id, VoucherTotalRow.chunk.startswith(_TOTAL), consistent_read=True)
        return {
            row.chunk.removeprefix(_TOTAL): Total(int(row.redeemed), Decimal(int(row.revenue)).scaleb(-_DECIMALS))
            for row in found
        }

    def forget(self, business_id: str, codes: Collection[str]) -> None:
        for redemption in self.get_many(business_id, codes).values():
            sold = (RedemptionRow.sale, RedemptionRow.taken_back, RedemptionRow.message)
            nothing = [*(each.remove() for each in sold), RedemptionRow.version.add(1)]
            closed = [] if redemption.sale is None and not redemption.closed else [RedemptionRow.closed.set(True)]
            with lost_races():
                self._row(_voucher(business_id, redemption.code), _REDEMPTION).update(
                    actions=[*nothing, *closed], condition=RedemptionRow.version == redemption.version
                )

    def _written(self, redemption: Redemption, version: int) -> RedemptionRow:
        sale, message = redemption.sale, redemption.message
        return self._row(
            _voucher(redemption.business_id, redemption.code),
            _REDEMPTION,
            redeemed_for=redemption.campaign_id,
            sale=None if sale is None else _write_sale(sale),
            taken_back=set(redemption.taken_back) or None,
            closed=redemption.closed or None,
            message=None if message is None else f"{message.customer_id}#{message.message_id}",
            version=version,
            expires_at=expiry(datetime.now(UTC), KEPT),
        )


def _turnover(before: Sale | None, after: Sale | None) -> Mapping[str, tuple[int, int]]:
    """How a campaign's totals change, by currency."""
    redeemed, revenue = Counter[str](), Counter[str]()
    for sale, sign in ((before, -1), (after, 1)):
        if sale is not None:
            redeemed[sale.currency] += sign
            revenue[sale.currency] += sign * int(sale.revenue.scaleb(_DECIMALS))
    return {currency: (count, revenue[currency]) for currency, count in redeemed.items() if count or revenue[currency]}


def _numbers(business_id: str) -> str:
    return f"vouchers#{business_id}"


def _number(number: int) -> str:
    return f"number#{number}"


def _voucher(business_id: str, code: str) -> str:
    return f"voucher#{business_id}#{code}"


def _redemption(row: RedemptionRow) -> Redemption:
    _, business_id, code = row.campaign_id.split("#")
    sale = None if row.sale is None else _read_sale(row.sale)
    taken_back = frozenset(row.taken_back or ())
    closed, version = bool(row.closed), int(row.version)
    message = MessageKey(business_id, *row.message.split("#")) if row.message else None
    return Redemption(business_id, code, row.redeemed_for, sale, taken_back, closed, version, message)


def _write_sale(sale: Sale) -> Mapping[str, Any]:
    return {
        "order_id": sale.order_id,
        "amount": f"{sale.amount:f}",
        "discount": f"{sale.discount:f}",
        "currency": sale.currency,
        "redeemed_at": write_instant(sale.redeemed_at),
        "free_minutes": sale.free_minutes,
    }


def _read_sale(document: Mapping[str, Any]) -> Sale:
    return Sale(
        document["order_id"],
        Decimal(document["amount"]),
        Decimal(document["discount"]),
        document["currency"],
        read_instant(document["redeemed_at"]),
        document["free_minutes"],
    )
