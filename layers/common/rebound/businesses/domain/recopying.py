"""What is kept of work on flags that takes longer than one invocation."""

from msgspec import Struct

from rebound.contacts.domain.reachability import ReachabilityPolicy


class Recopying(Struct, frozen=True):
    """A copying of all flags of a business, or the rest of one that ran out of time.

    ``cursor`` is where to go on, and ``began_under`` the policy that was in force when the first page was copied.
    """

    business_id: str
    cursor: str | None = None
    began_under: ReachabilityPolicy | None = None
