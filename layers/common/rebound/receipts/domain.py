"""A comparison of the suppression list with our contacts."""

from collections.abc import Mapping

from msgspec import Struct, field

from rebound.contacts.domain.suppressions import Drift


class Reconciliation(Struct, frozen=True):
    """A comparison of the suppression list with our contacts and how far it is.

    ``cursor`` says where to go on. It is the provider's and may hold an address, so it stays in a table. ``drift``
    counts, by kind, the differences found; one that can be repaired counts once it is repaired.
    """

    run: str
    cursor: str | None = None
    entries: int = 0
    drift: Mapping[Drift, int] = field(default_factory=dict)
    done: bool = False
    unavailable: bool = False
    """The account is in SES's sandbox, where nobody may ask for the list. Never saved: the next night asks again."""
