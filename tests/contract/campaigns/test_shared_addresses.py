"""Who gets a campaign's message at a shared address: one suite against the fake and the table."""

from copy import replace

import pytest

from rebound.campaigns.domain.addresses import SharedAddress
from rebound.campaigns.domain.chunks import ChunkKey
from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, chunk, id_of

FIRST, SECOND = (ChunkKey(BUSINESS_ID, CAMPAIGN_ID, f"chunk#000#{number:07d}") for number in range(2))
ADDRESS, OTHER = "a" * 64, "b" * 64


def test_the_first_to_claim_an_address_wins_it_and_only_in_this_campaign(ports: EveryPorts) -> None:
    ledger = ports.shared_addresses

    assert ledger.claim(CAMPAIGN_ID, ADDRESS, id_of(2))
    assert not ledger.claim(CAMPAIGN_ID, ADDRESS, id_of(1))
    assert ledger.claim(CAMPAIGN_ID, ADDRESS, id_of(2))
    assert ledger.claim(CAMPAIGN_ID, OTHER, id_of(1))
    assert ledger.claim("other", ADDRESS, id_of(1))


def test_those_who_made_way_are_listed_with_their_chunks_and_nothing_else(ports: EveryPorts) -> None:
    ledger = ports.shared_addresses
    ports.chunks.add(chunk())
    for _ in range(2):
        ledger.make_way(FIRST, ADDRESS, id_of(1))
    ledger.make_way(SECOND, ADDRESS, id_of(3))
    ledger.claim(CAMPAIGN_ID, ADDRESS, id_of(2))
    ledger.claim(CAMPAIGN_ID, OTHER, id_of(5))

    assert ledger.contested("other") == []
    assert ledger.contested(CAMPAIGN_ID) == [
        SharedAddress(CAMPAIGN_ID, ADDRESS, id_of(2), {id_of(1): FIRST.chunk, id_of(3): SECOND.chunk})
    ]


def test_an_address_is_changed_only_as_it_was_read_and_keeps_who_made_way_meanwhile(ports: EveryPorts) -> None:
    ledger = ports.shared_addresses
    ledger.make_way(FIRST, ADDRESS, id_of(1))
    ledger.claim(CAMPAIGN_ID, ADDRESS, id_of(2))
    [read] = ledger.contested(CAMPAIGN_ID)
    ledger.make_way(SECOND, ADDRESS, id_of(3))
    recalled = replace(read, winner=None, recalled=id_of(1))
    ledger.replace(read, recalled)
    with pytest.raises(ConcurrentChangeError):
        ledger.replace(read, recalled)
    [after] = ledger.contested(CAMPAIGN_ID)
    ledger.replace(after, replace(after, recalled=None, made_way={id_of(3): SECOND.chunk}))
    ledger.claim(CAMPAIGN_ID, ADDRESS, id_of(3))
    [last] = ledger.contested(CAMPAIGN_ID)
    ledger.replace(last, replace(last, made_way={}))

    assert after == replace(recalled, made_way={id_of(1): FIRST.chunk, id_of(3): SECOND.chunk})
    assert last == replace(after, winner=id_of(3), recalled=None, made_way={id_of(3): SECOND.chunk})
    assert ledger.contested(CAMPAIGN_ID) == []
