"""What tiers need to know of everybody: kept with whatever it was fixed for, so that all who read that load it."""

from datetime import date, datetime

from msgspec import Struct


class Standings(Struct, frozen=True):
    """What tiers need to know of all customers of a business together, as of a day of its calendar.

    ``top`` are the customers with the most sessions; ``is_reviewed`` says that the business has posted a review; both
    as of ``ranked_at``, ``None`` in older rows. The calendar is that of ``zone``.
    """

    day: date
    top: frozenset[str] = frozenset()
    is_reviewed: bool = False
    zone: str = "UTC"
    ranked_at: datetime | None = None
