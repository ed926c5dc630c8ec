"""The ports of loyalty over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.activity.wiring import ActivityUseCases, AwsActivityPorts
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.loyalty.application.favourites import Favourites
    from rebound.loyalty.ports import LoyaltyPorts


class AwsLoyaltyPorts(AwsActivityPorts):
    """The ports of loyalty over AWS."""


class LoyaltyUseCases(ActivityUseCases):
    """The use cases of loyalty."""

    ports: LoyaltyPorts

    favourites: Favourites = use_case("rebound.loyalty.application.favourites")


use_cases = in_this_process(LoyaltyUseCases, AwsLoyaltyPorts)
ports = AwsLoyaltyPorts
