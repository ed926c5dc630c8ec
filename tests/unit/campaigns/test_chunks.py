"""What a worker may do with a chunk follows from its state and its lease."""

import pytest

from rebound.campaigns.domain.chunks import ChunkState, ClaimOutcome, claim_of
from tests.fakes.making import at, chunk


@pytest.mark.parametrize(
    ("state", "lease", "outcome"),
    [
        (ChunkState.PENDING, None, ClaimOutcome.WORK),
        (ChunkState.DONE, None, ClaimOutcome.DONE),
        (ChunkState.CLAIMED, 1, ClaimOutcome.HELD),
        (ChunkState.CLAIMED, 0, ClaimOutcome.WORK),
        (ChunkState.SENDING, 1, ClaimOutcome.HELD),
        (ChunkState.SENDING, 0, ClaimOutcome.SETTLE),
        (ChunkState.SENDING, -1, ClaimOutcome.SETTLE),
    ],
)
def test_a_claim_finds_work_only_where_nothing_can_have_gone_out(
    state: ChunkState, lease: float | None, outcome: ClaimOutcome
) -> None:
    leased_until = None if lease is None else at(lease)

    assert claim_of(chunk(state=state, leased_until=leased_until), at(0)) is outcome
