"""The use cases of vouchers (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.campaigns.wiring import AwsCampaignsPorts, CampaignsUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.customers.ports import Eraser
    from rebound.vouchers.application.find_vouchers import FindVouchers
    from rebound.vouchers.application.redeem_voucher import (
        CountRedemption,
        ForgetVouchers,
        RedeemVoucher,
        TakeBackRedemption,
        VouchersOfCustomer,
    )


class VouchersUseCases(CampaignsUseCases):
    """The use cases of vouchers."""

    find_vouchers: FindVouchers = use_case("rebound.vouchers.application.find_vouchers", keyring="link_keyring")
    count_redemption: CountRedemption = use_case("rebound.vouchers.application.redeem_voucher", reach="reach_at_need")
    redeem_voucher: RedeemVoucher = use_case(
        "rebound.vouchers.application.redeem_voucher", find="find_vouchers", count="count_redemption"
    )
    take_back_redemption: TakeBackRedemption = use_case(
        "rebound.vouchers.application.redeem_voucher", count="count_redemption"
    )
    vouchers_of_customer: VouchersOfCustomer = use_case(
        "rebound.vouchers.application.redeem_voucher", find="find_vouchers"
    )
    forget_vouchers: ForgetVouchers = use_case("rebound.vouchers.application.redeem_voucher", find="find_vouchers")

    @cached_property
    def erasers(self) -> Sequence[Eraser]:
        """And with which orders the customer redeemed vouchers."""
        return (*super().erasers, self.forget_vouchers)


use_cases = in_this_process(VouchersUseCases, AwsCampaignsPorts)
ports = AwsCampaignsPorts
