"""What a customer did, as the client's own system tells: one event of one kind, with the fields of that kind."""

from datetime import date, datetime
from decimal import Decimal  # noqa: TC003 - msgspec reads the annotations
from enum import StrEnum
from typing import Final

from msgspec import Struct


class EventKind(StrEnum):
    """What happened."""

    BOOKING = "booking"
    VISIT = "visit"
    NO_SHOW = "no_show"
    CANCELLATION = "cancellation"
    CHECK_IN = "check_in"
    PURCHASE = "purchase"
    REFUND = "refund"
    MEMBERSHIP = "membership"
    PACKAGE = "package"
    REVIEW = "review"
    WAIVER = "waiver"
    APPOINTMENT_CHANGE = "appointment_change"


class MembershipStatus(StrEnum):
    """How a membership stands since an event."""

    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RENEWAL_FAILED = "renewal_failed"


class Event(Struct, frozen=True, kw_only=True, array_like=True):
    """One event; which fields it has follows from its kind (``FIELDS``). ``at`` is when it happened.

    Stored by the order of its fields: a new one goes to the end.
    """

    event_id: str
    kind: EventKind
    at: datetime
    appointment_id: str | None = None
    starts_at: datetime | None = None
    class_id: str | None = None
    class_type: str | None = None
    template_id: str | None = None
    series_id: str | None = None
    location_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    order_id: str | None = None
    product_id: str | None = None
    membership_id: str | None = None
    status: MembershipStatus | None = None
    until: date | None = None
    package_id: str | None = None
    credits_left: int | None = None
    rating: int | None = None
    version: str | None = None
    text: str | None = None
    who: str | None = None
    waiver_id: str | None = None


_OFFERED: Final = ("appointment_id", "starts_at", "class_id", "class_type", "template_id", "series_id", "location_id")
_PAID: Final = ("order_id", "amount", "currency", "product_id")
FIELDS: Final = {
    EventKind.BOOKING: _OFFERED,
    EventKind.VISIT: (*_OFFERED, "amount", "currency"),
    EventKind.NO_SHOW: ("appointment_id",),
    EventKind.CANCELLATION: ("appointment_id",),
    EventKind.CHECK_IN: ("appointment_id",),
    EventKind.PURCHASE: _PAID,
    EventKind.REFUND: _PAID,
    EventKind.MEMBERSHIP: ("membership_id", "status", "until"),
    EventKind.PACKAGE: ("package_id", "credits_left"),
    EventKind.REVIEW: ("rating",),
    EventKind.WAIVER: ("version", "waiver_id"),
    EventKind.APPOINTMENT_CHANGE: ("appointment_id", "text", "who"),
}
"""What an event of a kind may say besides what all say."""
REQUIRED: Final = {
    EventKind.BOOKING: ("starts_at",),
    EventKind.PURCHASE: ("amount", "currency"),
    EventKind.REFUND: ("amount", "currency"),
    EventKind.MEMBERSHIP: ("membership_id", "status"),
    EventKind.PACKAGE: ("package_id", "credits_left"),
    EventKind.REVIEW: ("rating",),
    EventKind.WAIVER: ("version",),
    EventKind.CANCELLATION: ("appointment_id",),
    EventKind.APPOINTMENT_CHANGE: ("appointment_id",),
}
"""What an event of a kind must say."""
