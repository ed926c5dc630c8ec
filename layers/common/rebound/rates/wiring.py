"""The ports of rates over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import AwsPlatformPorts, PlatformUseCases, in_this_process, use_case

if TYPE_CHECKING:
    from rebound.rates.application import RecordThrottle
    from rebound.rates.ports import QuotaSource, RateBook, RatesPorts


class AwsRatesPorts(AwsPlatformPorts):
    """The ports of rates, implemented over AWS."""

    @cached_property
    def rates(self) -> RateBook:
        from rebound.rates.adapters import DynamoRateBook

        return DynamoRateBook(self.settings["PACES_TABLE"])

    @cached_property
    def quotas(self) -> QuotaSource:
        from rebound.platform.telemetry import count
        from rebound.rates.adapters import CountedQuota, SesQuota

        return CountedQuota(SesQuota(self.aws_once("sesv2")), count)


class RatesUseCases(PlatformUseCases):
    """The use cases of rates."""

    ports: RatesPorts

    record_throttle: RecordThrottle = use_case("rebound.rates.application")


use_cases = in_this_process(RatesUseCases, AwsRatesPorts)
ports = AwsRatesPorts
