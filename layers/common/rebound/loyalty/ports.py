"""What the use cases of loyalty need from outside."""

from datetime import date
from typing import Protocol

from rebound.activity.ports import ActivityPorts
from rebound.jobs.ports import JobsPorts
from rebound.loyalty.domain.ranking import Ranking
from rebound.timers.ports import TimersPorts


class Rankings(Protocol):
    """The latest ranking of each business, and when somebody last asked for it."""

    def get(self, business_id: str) -> Ranking | None:
        """The latest ranking; ``None`` when there is none."""

    def put(self, business_id: str, ranking: Ranking) -> Ranking:
        """Keep a ranking unless a later one is kept; returns the one that is kept then."""

    def used_on(self, business_id: str) -> date | None:
        """The last day on which a tier was asked for; ``None`` for never."""

    def note_use(self, business_id: str, day: date) -> None:
        """Remember that a tier was asked for on a day."""


class LoyaltyPorts(ActivityPorts, JobsPorts, TimersPorts, Protocol):
    """What the use cases of loyalty need from outside."""

    @property
    def rankings(self) -> Rankings: ...
