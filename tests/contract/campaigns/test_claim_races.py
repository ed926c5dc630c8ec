"""Claims of a chunk that another worker comes before, between the read and the write of the one that claims."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from rebound.campaigns.domain.chunks import Chunk, ChunkState, ClaimOutcome, claim_of
from tests.fakes.house import EveryPorts
from tests.fakes.making import at, chunk, id_of

LEASE: Final = timedelta(seconds=90)
DECIDES: Final = "rebound.campaigns.adapters.dynamo_campaigns.claim_of"
"""Called between the read and the write."""

Meanwhile = Callable[[EveryPorts, Chunk], object]
"""What another worker does; it is given the chunk as the worker before it had claimed it."""


def claims(ports: EveryPorts, _: Chunk) -> None:
    ports.chunks.claim(chunk().key, "another", at(100), LEASE)


def claims_and_puts_back(ports: EveryPorts, _: Chunk) -> None:
    outcome, taken = ports.chunks.claim(chunk().key, "another", at(100), LEASE)
    assert outcome is ClaimOutcome.WORK
    ports.chunks.mark(taken, at(101))
    ports.chunks.put_back(taken, [id_of(2)])


def claims_and_finishes(ports: EveryPorts, _: Chunk) -> None:
    ports.chunks.finish(ports.chunks.claim(chunk().key, "another", at(100), LEASE)[1])


def marks_by_a_clock_that_is_behind(ports: EveryPorts, first: Chunk) -> None:
    ports.chunks.mark(first, at(89))


def puts_back(ports: EveryPorts, first: Chunk) -> None:
    ports.chunks.put_back(first, [id_of(1)])


@pytest.mark.parametrize(
    ("begun", "meanwhile"),
    [
        (False, claims),
        (False, claims_and_puts_back),
        (False, claims_and_finishes),
        (True, claims),
        (True, claims_and_puts_back),
        (True, claims_and_finishes),
        (True, marks_by_a_clock_that_is_behind),
        (True, puts_back),
    ],
)
def test_a_claim_on_what_was_read_before_another_came_is_held(
    over_dynamodb: EveryPorts, monkeypatch: pytest.MonkeyPatch, begun: bool, meanwhile: Meanwhile
) -> None:
    """Else both would send, or the one would send again what the other has put back after a part was handed over."""
    ports, first = over_dynamodb, chunk()
    ports.chunks.add(first)
    if begun:
        first = ports.chunks.claim(first.key, "first", at(0), LEASE)[1]

    def overtaken(read: Chunk, now: object) -> ClaimOutcome:
        monkeypatch.setattr(DECIDES, claim_of)
        meanwhile(ports, first)
        return claim_of(read, at(100))

    monkeypatch.setattr(DECIDES, overtaken)
    outcome, _ = ports.chunks.claim(first.key, "late", at(100), LEASE)
    (stored,) = ports.chunks.page(first.key.campaign_id, None).items

    assert outcome is ClaimOutcome.HELD
    assert stored.owner != "late"
    if stored.state is not ChunkState.DONE:
        assert ports.chunks.claim(first.key, "late", at(200), LEASE)[0] in (ClaimOutcome.WORK, ClaimOutcome.SETTLE)
