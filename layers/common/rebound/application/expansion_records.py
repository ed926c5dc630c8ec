"""What is kept of an expansion while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from rebound.domain.campaigns import Audience


@dataclass(frozen=True, slots=True)
class RangeProgress:
    """How far one range of a campaign has been expanded.

    ``cursor`` is the last customer id read; ``carry`` holds recipients that do not fill a chunk yet; ``chunks`` counts
    the chunks written, ``enqueued`` those of them known to be on the queue. ``audience`` counts everybody up to the
    cursor.
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
