"""Half-open recovery: when an address that is flagged for a cause that passes may be tried again.

A full mailbox is emptied and a phone is switched on again, and nobody tells us: the flag clears only when a message is
delivered. The schedule spaces out the messages that find that out: 1, 2, 4 … 32 days after the last failure.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from rebound.contacts.domain.reachability import Reachability, ReachabilityPolicy
from rebound.kernel.categories import Category
from rebound.kernel.provider_codes import look_up

FIRST_SPACING: Final = timedelta(days=1)
DOUBLINGS: Final = 5
"""The longest spacing is 32 days."""


class Recovery(Struct, frozen=True):
    """What a business sends on the schedule to addresses that are flagged for a cause that passes.

    Without ``spaced`` everything but marketing is tried each time, with it only when a try is due. Without
    ``probe_marketing`` no marketing is sent to a flagged address, with it one message when a try is due.
    """

    spaced: bool = False
    probe_marketing: bool = False

    @property
    def is_on(self) -> bool:
        """Whether anything goes by the schedule."""
        return self.spaced or self.probe_marketing

    def governs(self, category: Category) -> bool:
        """Whether messages of this kind go by the schedule."""
        return self.probe_marketing if category.is_promotional else self.spaced


def is_recoverable(state: Reachability, policy: ReachabilityPolicy) -> bool:
    """Whether the causes of a flag pass by themselves: the failures that do not pass would not flag without the others.

    Also true of an address that is not flagged.
    """
    lasting = (f for f in state.counted_failures if not look_up(f.provider, f.code).recoverable)
    return not Reachability(failures=frozenset(lasting)).verdict(policy).invalid


def next_try_at(state: Reachability, policy: ReachabilityPolicy) -> datetime | None:
    """When a message may be tried again; ``None`` for an address that is not flagged, or flagged for good.

    After the failure that flagged, a day; after each message that failed since, twice as long, from the latest failure
    on. A try of which no word has come counts as failed at the moment of the try until its word comes. What was voided
    counts neither way.
    """
    flagging = state.verdict(policy).evidence
    if flagging is None or not is_recoverable(state, policy):
        return None
    tried = [t for t in (state.tried,) if t is not None and t.at > flagging.at and t.message_id not in state.voided]
    failed = {f.message_id for f in state.counted_failures if f.order >= flagging.order}.union(
        t.message_id for t in tried
    )
    last = max([*(f.at for f in state.counted_failures), *(t.at for t in tried)])
    return last + FIRST_SPACING * (1 << min(len(failed) - 1, DOUBLINGS))
