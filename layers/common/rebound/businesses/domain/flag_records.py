"""What is kept of work on flags that takes longer than one invocation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from rebound.contacts.domain.reachability import ReachabilityPolicy
    from rebound.contacts.domain.suppressions import Drift


class Recopying(Struct, frozen=True):
    """A copying of all flags of a business, or the rest of one that ran out of time.

    ``cursor`` is where to go on, and ``began_under`` the policy that was in force when the first page was copied.
    """

    business_id: str
    cursor: str | None = None
    began_under: ReachabilityPolicy | None = None


class Reconciliation(Struct, frozen=True):
    """A comparison of the suppression list with our contacts and how far it is.

    ``cursor`` is where to go on; it is the provider's and may hold an address, so it stays in a table. ``drift`` counts
    by kind what was found, and repaired where it can be.
    """

    run: str
    cursor: str | None = None
    entries: int = 0
    drift: Mapping[Drift, int] = field(default_factory=dict)
    done: bool = False
