"""What a voucher says in one recipient's message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel
from rebound.kernel.placeholders import VOUCHER_CODE, VOUCHER_UNTIL, VOUCHER_VALUE
from rebound.messages.domain.vouchers import Voucher, VoucherKind
from rebound.templates.domain.typed_values import VariableType, reader_of, written, written_minutes, written_percent


def voucher_values(
    voucher: Voucher, code: str, customer: Customer, business: Business, channel: Channel, now: datetime
) -> Mapping[str, str]:
    """The values of a voucher's variables, in the customer's language; the last day is the business's."""
    reader = reader_of(customer, business, channel)
    match voucher.kind:
        case VoucherKind.PERCENT:
            value = written_percent(voucher.amount, reader)
        case VoucherKind.AMOUNT:
            value = written(VariableType.MONEY, {"amount": voucher.value, "currency": voucher.currency}, reader)
        case VoucherKind.FREE_MINUTES:
            value = written_minutes(int(voucher.amount), reader)
    until = written(VariableType.DATE, voucher.last_day(business.time_zone, now).isoformat(), reader)
    return {VOUCHER_CODE: code, VOUCHER_VALUE: value, VOUCHER_UNTIL: until}
