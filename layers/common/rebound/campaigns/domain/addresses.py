"""Who gets a campaign's message at an address that several customers have: one of them does, and the others make way.

claim ──▶ winner ──▶ handed over
  ▲                     │ never was: left out after all
  │ recalled ◀──────────┘  when everybody else is accounted for
make way
"""

from collections.abc import Mapping

from msgspec import Struct, field


class SharedAddress(Struct, frozen=True):
    """One row for one campaign and address, which is only there when customers share the address.

    Only the ``winner`` may be handed the message; the first to claim is the winner. ``made_way`` are those who were
    left out for another, each with the name of their chunk. When the winner was not handed the message in the end, one
    of them is ``recalled``: decided about once more, as if nobody had been before them.
    """

    campaign_id: str
    digest: str
    """That of the address (``ContactKey.digest``)."""
    winner: str | None = None
    made_way: Mapping[str, str] = field(default_factory=dict)
    recalled: str | None = None

    @property
    def next(self) -> str | None:
        """Whose turn it is among those who made way."""
        return self.recalled or min(self.made_way, default=None)
