"""What is kept of an expansion while it runs."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct, field

from rebound.kernel.audiences import Audience


class Held(Struct, frozen=True):
    """From when on a chunk may be handed over, and how many of it then, under that version of the settings."""

    not_before: datetime
    size: int
    version: int


class RangeProgress(Struct, frozen=True):
    """How far one range of a campaign has been expanded.

    ``cursor`` is the last customer id read; ``carry`` holds recipients that do not fill a chunk yet; ``chunks`` counts
    the chunks written, ``enqueued`` those of them known to be on the queue; of those that are not, ``held`` are the
    ones in which everybody waits for their hour. ``audience`` counts everybody up to the cursor.
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
