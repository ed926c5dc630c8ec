"""Redeeming vouchers, taking that back, showing what applies, and forgetting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.redemptions import Redemption, Sale
from rebound.customers.domain import Customer
from rebound.kernel.currencies import decimals_of
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.messages.domain.goals import GoalKind
from rebound.messages.domain.vouchers import VoucherKind, read_code
from rebound.vouchers.domain import Issued, check_time, discount_of, known_sale, never_redeemed, without_sale

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import VoucherBook
    from rebound.customers.ports import CustomerBook
    from rebound.messages.application.reach_goals import Facts, ReachGoals
    from rebound.platform.ports import Clock
    from rebound.vouchers.application.find_vouchers import FindVouchers


_ANY_ZONE: Final = "UTC"
"""Where nobody asks until when a voucher is valid."""


class Order(Struct, frozen=True):
    """What a client says of the order that a voucher is redeemed with; ``amount`` is decimal text."""

    customer_id: str
    order_id: str
    amount: str
    currency: str | None = None


class Redeemed(Struct, frozen=True):
    """A voucher and the sale that it was redeemed with."""

    issued: Issued
    customer: Customer
    sale: Sale


class CountRedemption(Struct, frozen=True, kw_only=True):
    """Lets a message whose goal is that its voucher be redeemed say whether it is."""

    voucher_book: VoucherBook
    reach: Callable[[], ReachGoals]

    def __call__(self, redemption: Redemption) -> None:
        """After the voucher was written; again changes nothing."""
        business_id, code, message = redemption.business_id, redemption.code, redemption.message
        if message is None:
            return

        def read() -> tuple[Facts, bool]:
            now = self.voucher_book.get_many(business_id, [code]).get(code, redemption)
            times = () if now.sale is None else (now.sale.redeemed_at,)
            return {GoalKind.REDEMPTION: times}, not now.closed

        self.reach()(business_id, message.customer_id, read, only=message)


class RedeemVoucher(Struct, frozen=True, kw_only=True):
    """Redeems a voucher with an order: once, and the same order gets the same answer however often it comes."""

    customers: CustomerBook
    businesses: BusinessDirectory
    voucher_book: VoucherBook
    find: FindVouchers
    count: CountRedemption
    clock: Clock

    def __call__(self, business_id: str, code: str, order: Order) -> Redeemed:
        """Raises ``NotFoundError``, ``ConflictError`` and ``InvalidInputError``; then nothing is written."""
        business = self.businesses.get(business_id)
        customer = self.customers.get(business_id, order.customer_id)
        issued = self.find.by_code(business_id, business.time_zone, code, customer.customer_id)

        def write() -> tuple[Redemption, Sale]:
            known = self.voucher_book.get_many(business_id, self.find.all_codes(issued))
            # Under whichever key it was redeemed first.
            before = next(iter(known.values()), None) or never_redeemed(business_id, issued)
            sale = known_sale(before, order.order_id)
            if sale is None:
                check_time(issued, self.clock.now())
                sale = self._sale(business, issued, order)
                self.voucher_book.replace(before, replace(before, sale=sale))
            return before, sale

        redemption, sale = retried(write)
        self.count(redemption)
        return Redeemed(issued, customer, sale)

    def _sale(self, business: Business, issued: Issued, order: Order) -> Sale:
        from rebound.templates.domain.typed_values import (  # noqa: PLC0415 - only for what is redeemed anew
            currency_named,
            currency_of,
            read_amount,
        )

        voucher = issued.voucher
        with _about("currency"):
            given = None if order.currency is None else currency_named(order.currency)
        currency = given or voucher.currency or currency_of(business.country)
        if voucher.kind is VoucherKind.AMOUNT and currency != voucher.currency:
            raise InvalidInputError(FieldError("currency", f"The voucher is in {voucher.currency}."))
        with _about("amount"):
            amount = read_amount(order.amount, currency)
        if amount < 0:
            raise InvalidInputError(FieldError("amount", "Must not be less than 0."))
        minutes = int(voucher.amount) if voucher.kind is VoucherKind.FREE_MINUTES else None
        discount = discount_of(voucher, amount, decimals_of(currency))
        return Sale(order.order_id, amount, discount, currency, self.clock.now(), minutes)


@contextmanager
def _about(field: str) -> Iterator[None]:
    """What is wrong with a value, said of its field. Raises ``InvalidInputError``."""
    try:
        yield
    except ValueError as error:
        raise InvalidInputError(FieldError(field, str(error))) from None


class TakeBackRedemption(Struct, frozen=True, kw_only=True):
    """Takes a redemption back: the voucher is free again, for another order."""

    voucher_book: VoucherBook
    count: CountRedemption

    def __call__(self, business_id: str, typed: str, order_id: str) -> None:
        """Again is once. Raises ``NotFoundError`` when the voucher was never redeemed with the order."""
        code = read_code(typed)
        if code is None:
            raise NotFoundError("voucher")

        def write() -> Redemption:
            redemption = self.voucher_book.get_many(business_id, [code]).get(code)
            if redemption is None:
                raise NotFoundError("redemption")
            if redemption.sale is not None and redemption.sale.order_id == order_id:
                self.voucher_book.replace(redemption, without_sale(redemption, order_id))
            elif order_id not in redemption.taken_back:
                raise NotFoundError("redemption")
            return redemption

        self.count(retried(write))


class VouchersOfCustomer(Struct, frozen=True, kw_only=True):
    """Says which vouchers apply when a customer comes now."""

    customers: CustomerBook
    businesses: BusinessDirectory
    voucher_book: VoucherBook
    find: FindVouchers
    clock: Clock

    def __call__(self, business_id: str, customer_id: str) -> list[Issued]:
        """Those that are valid and not redeemed, in the order in which they end. Raises ``NotFoundError``."""
        customer, now = self.customers.get(business_id, customer_id), self.clock.now()
        zone = self.businesses.get(business_id).time_zone
        found = self.find.of_customer(business_id, zone, customer.customer_id)
        valid = [issued for issued in found if issued.is_valid(now)]
        codes = {code: issued.code for issued in valid for code in self.find.all_codes(issued)}
        known = self.voucher_book.get_many(business_id, codes) if codes else {}
        used = {codes[code] for code, redemption in known.items() if redemption.is_used}
        return sorted((issued for issued in valid if issued.code not in used), key=lambda issued: issued.ends)


class ForgetVouchers(Struct, frozen=True, kw_only=True):
    """Removes with which orders a deleted customer redeemed vouchers; what a campaign brought in stays a sum.

    That a voucher was redeemed stays, because the customer may come again under the same id.
    """

    voucher_book: VoucherBook
    find: FindVouchers

    def __call__(self, customer: Customer) -> None:
        """Again changes nothing."""
        for issued in self.find.of_customer(customer.business_id, _ANY_ZONE, customer.customer_id):
            retried(partial(self.voucher_book.forget, customer.business_id, self.find.all_codes(issued)))
