"""The unit of work and of claiming: up to 50 recipients of one campaign (truth 8).

pending ──claim──▶ claimed ──mark──▶ sending ──finish──▶ done
   ▲                  │ lease over      │ lease over
   └──────────────────┴─ redo           └─ settle: no recorded outcome means ``uncertain``
   ▲                                    │ some are known not to have gone out
   └────────────────── put back ────────┘
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

from rebound.kernel.audiences import Audience
from rebound.kernel.ids import part_name

CHUNK_SIZE = 50
"""SendBulkEmail takes at most 50 destinations."""
CHUNK: Final = "chunk"
LEFT_OUT: Final = "left-out"
_FALLBACK: Final = "@"
"""Behind the name of a chunk: sorts behind the chunk and before the next one."""
CHUNK_KEYS: Final = re.compile(
    rf"{CHUNK}#(?:[0-9]{{3}}#[0-9]{{7}}|[0-9a-f]{{24}}#[0-9]{{1,9}})(?:{_FALLBACK}[0-9]{{1,9}})?"
)
"""Matches the name of every chunk."""


class ChunkState(StrEnum):
    """Where a chunk stands."""

    PENDING = "pending"
    CLAIMED = "claimed"
    """A worker decides and renders; nothing has been handed to a provider."""
    SENDING = "sending"
    """Marked just before the provider is called: from here a death leaves recipients whose outcome nobody knows."""
    DONE = "done"


class ChunkKey(Struct, frozen=True):
    """Which chunk of which campaign."""

    business_id: str
    campaign_id: str
    chunk: str

    @property
    def fell_back(self) -> int | None:
        """The attempt at a chunk of texts from which its recipients fell back to email; ``None`` for other chunks."""
        attempt = self.chunk.partition(_FALLBACK)[2]
        return int(attempt) if attempt else None

    def fallback(self, attempt: int) -> ChunkKey:
        """The chunk of those who fell back to email in an attempt at this chunk of texts."""
        return ChunkKey(self.business_id, self.campaign_id, f"{self.chunk}{_FALLBACK}{attempt}")


class Chunk(Struct, frozen=True):
    """One row of the claim ledger.

    ``customer_ids`` are all its recipients and never change: a campaign's messages are found through them.
    ``remaining`` are those still to be sent to: all of them until an attempt puts the rest back. ``owner`` names the
    attempt that holds the lease until ``leased_until``. ``waiting`` are those of ``remaining`` whom the attempt under
    way does not hand over. While the chunk is pending and ``not_before`` has not come, all of ``remaining`` wait for
    their hour, and the chunk's task is held back. ``sharing`` are those of ``customer_ids`` whose address others had as
    well when the campaign was expanded, if it goes to each address once. ``reopened_at`` is set while nobody has
    claimed the chunk since it was opened again for some of its recipients.
    """

    key: ChunkKey
    customer_ids: tuple[str, ...]
    remaining: tuple[str, ...]
    state: ChunkState = ChunkState.PENDING
    owner: str | None = None
    leased_until: datetime | None = None
    attempts: int = 0
    created_at: datetime | None = None
    waiting: tuple[str, ...] = ()
    not_before: datetime | None = None
    sharing: tuple[str, ...] = ()
    reopened_at: datetime | None = None

    def claimed(self, owner: str, leased_until: datetime, outcome: ClaimOutcome) -> Chunk:
        """The chunk once an attempt has claimed it with this outcome."""
        return replace(
            self,
            state=ChunkState.SENDING if outcome is ClaimOutcome.SETTLE else ChunkState.CLAIMED,
            owner=owner,
            leased_until=leased_until,
            attempts=self.attempts + 1,
            reopened_at=None,
        )


def chunk_name(range_index: int, number: int) -> str:
    """Which chunk of its campaign: by range, then by number."""
    return part_name(CHUNK, range_index, number)


def left_out_name(range_index: int, number: int) -> str:
    """Which page of which range: ``number`` is the version of the range's progress with which it was written."""
    return part_name(LEFT_OUT, range_index, number)


class MembersPart(Struct, frozen=True):
    """Some of those whom an occurrence of a recurring campaign goes to; parts sort by ``name``."""

    name: str
    customer_ids: tuple[str, ...]


class ClaimOutcome(StrEnum):
    """What a claim found."""

    WORK = "work"
    """Ours now; nothing of what remains has been handed over."""
    SETTLE = "settle"
    """Ours now, after an attempt that died while sending: find out what is known; the rest is ``uncertain``."""
    DONE = "done"
    """Nothing left to do."""
    HELD = "held"
    """Another worker holds a live lease."""


def claim_of(chunk: Chunk, now: datetime) -> ClaimOutcome:
    """What a worker that wants this chunk at ``now`` may do with it."""
    match chunk.state:
        case ChunkState.DONE:
            return ClaimOutcome.DONE
        case ChunkState.PENDING:
            return ClaimOutcome.WORK
        case ChunkState.CLAIMED | ChunkState.SENDING:
            if chunk.leased_until is not None and now < chunk.leased_until:
                return ClaimOutcome.HELD
            return ClaimOutcome.WORK if chunk.state is ChunkState.CLAIMED else ClaimOutcome.SETTLE


def taking_over(chunk: Chunk) -> ClaimOutcome:
    """What somebody may do with this chunk who wants to change what it sends before it is sent.

    Whoever has claimed it and not marked it has handed over nothing, and cannot mark it any more once it is taken over.
    """
    match chunk.state:
        case ChunkState.DONE:
            return ClaimOutcome.DONE
        case ChunkState.SENDING:
            return ClaimOutcome.HELD
        case ChunkState.PENDING | ChunkState.CLAIMED:
            return ClaimOutcome.WORK


class Held(Struct, frozen=True):
    """When a held chunk may be handed over, to how many recipients then, and under which version of the settings."""

    not_before: datetime
    size: int
    version: int


class LeftOut(Struct, frozen=True):
    """The customers of one page of an expansion who were left out, by reason.

    Its ``name`` sorts by range and by page. There is one only where somebody was left out.
    """

    name: str
    by_reason: Mapping[str, tuple[str, ...]]


class RangeProgress(Struct, frozen=True):
    """How far one range of a campaign has been expanded.

    ``cursor`` is the last customer id read, or the number of ids read of a list. ``carry`` holds recipients who do not
    fill a chunk yet. ``chunks`` counts the chunks written, ``enqueued`` those known to be on a queue; of the others,
    ``held`` are the ones in which everybody waits for their hour. ``audience`` counts everybody up to the cursor.
    ``sharing`` are those of ``carry`` who share their address (``Chunk.sharing``).
    """

    campaign_id: str
    index: int
    cursor: str | None = None
    carry: tuple[str, ...] = ()
    chunks: int = 0
    enqueued: int = 0
    audience: Audience = field(default_factory=Audience)
    done: bool = False
    version: int = 0
    held: Mapping[int, Held] = field(default_factory=lambda: MappingProxyType({}))
    sharing: tuple[str, ...] = ()
