"""A deployment in memory in which recurring campaigns happen: looks are run, and the campaigns that come of them."""

from copy import replace
from datetime import UTC, date, datetime, time
from typing import Any, Final

from rebound.campaigns.application.campaign_service import CampaignView
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.recurring.application.recurring_service import RecurringView
from rebound.recurring.domain.recurring_campaigns import Birthday, RecurringCampaign
from tests.fakes.making import BUSINESS_ID, GREETING
from tests.fakes.world import CRASHES, World

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def recurring(**given: Any) -> RecurringCampaign:
    """A birthday email at nine, with everything filled in but what a test is about."""
    defaults: dict[str, Any] = {
        "business_id": BUSINESS_ID,
        "recurring_id": "",
        "name": "Birthdays",
        "category": Category.MARKETING,
        "channel": Channel.EMAIL,
        "content": GREETING,
        "audience": Birthday(),
        "at": time(9),
        "created_at": NEVER,
        "updated_at": NEVER,
    }
    return RecurringCampaign(**{**defaults, **given})


class Salon(World):
    """A world that also runs what its recurring campaigns start."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.sent: set[str] = set()

    def set_up(self, **given: Any) -> str:
        """Post a recurring campaign; its id."""
        return self.recurring_service.post(recurring(**given)).recurring.recurring_id

    def change(self, recurring_id: str, **given: Any) -> RecurringView:
        """Change one."""
        return self.recurring_service.change(BUSINESS_ID, recurring_id, lambda before: replace(before, **given), None)

    def came_of(self, recurring_id: str) -> list[CampaignView]:
        """The occurrences, the oldest first."""
        page = self.recurring_service.occurrences_of(BUSINESS_ID, recurring_id, 1000, None)
        return list(reversed(page.items))

    def days_of(self, recurring_id: str) -> list[date | None]:
        """The days of the occurrences, the oldest first."""
        return [view.campaign.occurrence_date for view in self.came_of(recurring_id)]

    def emailed(self, number: int = 1) -> int:
        """How many emails were handed over to a customer."""
        return self.mailer.addresses.count(f"ana{number}@example.com")

    def _happens(self) -> bool:
        return self._run_look() or self._run_campaign() or super()._happens()

    def _run_look(self) -> bool:
        """Run one of the jobs that were started, as the state machine does."""
        if not self.job_runner.started:
            return False
        business_id, job_id, run = self.job_runner.started.pop(0)
        if (done := f"{job_id}-{run}") in self.sent:
            return True
        self.sent.add(done)
        while self._step("run_job", lambda: self.run_job.advance(business_id, job_id)):
            while not self._step("run_job", lambda: self.run_job.work(business_id, job_id, 0, self._time_left)):
                pass
        return True

    def _run_campaign(self) -> bool:
        """Run one of the campaigns that were started."""
        waiting = [name for _, name in self.runner.started if name not in self.sent]
        if not waiting:
            return False
        self.sent.add(waiting[0])
        self.begin(waiting[0])
        self.end(waiting[0])
        return True


__all__ = ["CRASHES", "Salon", "recurring"]
