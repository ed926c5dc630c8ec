"""Goals that customers reach by what the business's own system tells of them; and who has to listen for that."""

from __future__ import annotations

from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.activity.domain.events import EventKind
from rebound.kernel.retrying import retried
from rebound.messages.domain.goals import Goal, GoalKind

if TYPE_CHECKING:
    from rebound.activity.ports import ActivityBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.messages.application.reach_goals import Facts, ReachGoals
    from rebound.platform.ports import Clock

_COUNTS: Final = {GoalKind.VISIT: EventKind.VISIT, GoalKind.PURCHASE: EventKind.PURCHASE}


class RecountGoals(Struct, frozen=True, kw_only=True):
    """Looks anew at a customer's goals once their activity has changed.

    Only for businesses that have had a campaign with a goal lately: others have nothing to read.
    """

    activity: ActivityBook
    reach: ReachGoals
    clock: Clock

    def __call__(self, business: Business, customer_id: str) -> None:
        """Make the customer's messages say what their events say; again changes nothing."""
        if not business.counts_goals(self.clock.now()):
            return

        def facts() -> tuple[Facts, bool]:
            kept = self.activity.read(business.business_id, customer_id)
            events = [cell.event for cell in kept.cells if cell.stamp > kept.erased and cell.event is not None]
            found = {kind: [each.at for each in events if each.kind is means] for kind, means in _COUNTS.items()}
            # What was erased with a customer was counted, and stays so.
            return found, not kept.erased

        self.reach(business.business_id, customer_id, facts)


class ListenForGoals(Struct, frozen=True, kw_only=True):
    """Has a business's activity and replies looked at for goals, as long as a campaign's may be reached."""

    businesses: BusinessDirectory

    def __call__(self, business_id: str, goal: Goal, began: datetime) -> None:
        """Before the first message of a campaign that began then; again changes nothing."""
        until = goal.counts_until(began)

        def write() -> None:
            business = self.businesses.get(business_id)
            if not business.counts_goals(until):
                self.businesses.replace(replace(business, goals_until=until))

        retried(write)
