"""What holds for every table: what is not there, and cursors that nobody gave."""

import pytest

from rebound.kernel.errors import InvalidInputError, NotFoundError
from tests.contract.campaigns.test_chunks import LEASE
from tests.contract.customers.test_customers import stored
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    at,
    chunk,
    id_of,
)


def test_what_is_not_there_is_not_found(ports: EveryPorts) -> None:
    with pytest.raises(NotFoundError):
        ports.businesses.get("nobody")
    with pytest.raises(NotFoundError):
        ports.segments.get(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        ports.segments.delete(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        ports.imports.get(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        ports.customers.get(BUSINESS_ID, id_of(1))
    with pytest.raises(NotFoundError):
        ports.campaigns.get(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        ports.chunks.claim(chunk().key, "me", at(0), LEASE)
    assert ports.api_keys.find(BUSINESS_ID, "none") is None


@pytest.mark.parametrize("cursor", ["", "x", "eyJhIjoxfQ", "é", "🙂", "a" * 1500])
def test_a_cursor_that_nobody_gave_is_refused_or_ends_the_list(ports: EveryPorts, cursor: str) -> None:
    stored(ports, 1)
    for read in (
        lambda: ports.customers.page(BUSINESS_ID, limit=3, cursor=cursor),
        lambda: ports.segments.page(BUSINESS_ID, 3, cursor),
        lambda: ports.messages.page(BUSINESS_ID, id_of(1), 3, cursor),
        lambda: ports.appointments.page(BUSINESS_ID, "a-1", 3, cursor),
        lambda: ports.campaigns.page(BUSINESS_ID, 3, cursor),
        lambda: ports.chunks.page(CAMPAIGN_ID, cursor),
    ):
        fields = {"cursor"}
        try:
            read()
        except InvalidInputError as error:
            fields = {wrong.field for wrong in error.errors}
        assert fields == {"cursor"}
