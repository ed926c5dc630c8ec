"""Whether what a sequence sends may go out: what all that carries its messages stands behind."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from rebound.messages.domain.origins import is_of_sequence


class Gate(Struct, frozen=True):
    """How a sequence stands for who hands over its messages; of one that is deleted there is none.

    ``uid`` is that of the sequence, whose id may come again. What was to go out up to ``lapsed_until`` goes out no
    more. ``version`` grows with each write of the sequence.
    """

    uid: str
    is_open: bool
    lapsed_until: datetime | None
    version: int

    def is_for(self, campaign_id: str) -> bool:
        """Whether a carrier is of this sequence, and not of one that has had the id before."""
        return is_of_sequence(campaign_id, self.uid)

    def has_lapsed(self, at: datetime) -> bool:
        """Whether what was to go out then goes out no more."""
        return self.lapsed_until is not None and at <= self.lapsed_until
