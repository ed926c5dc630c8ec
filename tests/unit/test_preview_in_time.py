"""A preview answers while its request waits, or says that it cannot."""

from datetime import timedelta
from typing import Any

import pytest

from rebound.domain.campaigns import Category
from rebound.domain.channels import Channel
from rebound.domain.errors import ConflictError
from tests.fakes.making import BUSINESS_ID, customer
from tests.fakes.world import World


def test_a_preview_of_more_customers_than_it_has_time_for_says_so() -> None:
    world = World()
    world.add(*(customer(number) for number in range(1, 1002)))
    read_range: Any = world.customers.read_range

    def slowly(*given: Any) -> Any:
        world.clock.move(timedelta(seconds=15))
        return read_range(*given)

    world.customers.read_range = slowly  # type: ignore[method-assign,assignment]

    with pytest.raises(ConflictError, match="more customers than"):
        world.manage_segments.preview(
            BUSINESS_ID,
            segment_id=None,
            filter_={"all": []},
            channel=Channel.EMAIL,
            category=Category.MARKETING,
            exclude_failed=True,
        )
