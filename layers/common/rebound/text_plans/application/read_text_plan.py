"""What a business has left of its text plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.text_plans.domain import month_of

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.domain.text_plan import PlanStatus, TextPlan
    from rebound.businesses.ports import BusinessDirectory
    from rebound.platform.ports import Clock
    from rebound.text_plans.domain import TextMonth
    from rebound.text_plans.ports import TextLedger


class TextPlanNow(Struct, frozen=True):
    """A plan, and the month that it is in."""

    plan: TextPlan
    month: TextMonth

    @property
    def left(self) -> int:
        """How many segments may still be used."""
        return self.plan.left(self.month.used)

    @property
    def status(self) -> PlanStatus:
        """How far they are used up."""
        return self.plan.status(self.month.used)


class ReadTextPlan(Struct, frozen=True, kw_only=True):
    """Reads the plan of a business and its month; reads no month for a business without a plan."""

    ledger: TextLedger
    businesses: BusinessDirectory
    clock: Clock

    def __call__(self, business: Business) -> TextPlanNow | None:
        """As of now; ``None`` without a plan."""
        if business.text_plan is None:
            return None
        month = self.ledger.month(business.business_id, month_of(business, self.clock.now()))
        return TextPlanNow(business.text_plan, month)

    def left(self, business_id: str) -> int | None:
        """How many segments a business may still use in this month; ``None`` without a plan."""
        now = self.of(business_id)
        return None if now is None else now.left

    def of(self, business_id: str) -> TextPlanNow | None:
        """The same by the business's id. Raises ``NotFoundError``."""
        return self(self.businesses.get(business_id))
