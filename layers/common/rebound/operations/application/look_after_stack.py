"""What operators look at: alarms, what the month costs, and who sends from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.senders import is_covered, sender_key
from rebound.kernel.pages import Page
from rebound.operations.domain import Alarm, AlarmState, CostPart, EmailAccount, Usage

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.operations.ports import Alarms, EmailIdentities, Usages
    from rebound.platform.ports import Clock

SES_FEE: Final = 0.10 / 1000
"""USD for an email (list price)."""
_ORDER: Final = (AlarmState.ALARM, AlarmState.UNKNOWN, AlarmState.OK)


class ReadAlarms(Struct, frozen=True, kw_only=True):
    """Lists the alarms of the stack."""

    alarms: Alarms

    def __call__(self) -> Sequence[Alarm]:
        """All of them, those that have gone off first, then by name."""
        return sorted(self.alarms.list(), key=lambda alarm: (_ORDER.index(alarm.state), alarm.name))


class MonthCosts(Struct, frozen=True):
    """What a month costs so far: from ``start`` until ``end``, by part in USD, the largest first.

    It leaves out logs, backups, storage, what providers of texts take, and what AWS gives for free.
    """

    start: datetime
    end: datetime
    parts: Sequence[tuple[CostPart, float]]
    usage: Usage

    @property
    def total(self) -> float:
        """USD."""
        return sum(cost for _, cost in self.parts)


class EstimateCosts(Struct, frozen=True, kw_only=True):
    """Estimates what a month costs, from what was measured and list prices."""

    usages: Usages
    clock: Clock

    def __call__(self, *, before: bool = False) -> MonthCosts:
        """This month so far, or the one ``before``, on the calendar of UTC."""
        now = self.clock.now()
        start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end = now
        if before:
            start, end = (start - timedelta(days=1)).replace(day=1), start
        usage = self.usages.between(start, end)
        costs = {**usage.costs, CostPart.SES: usage.emails * SES_FEE}
        return MonthCosts(start, end, sorted(costs.items(), key=lambda each: (-each[1], each[0])), usage)


class SendersOfBusiness(Struct, frozen=True):
    """What one business may send from. ``chosen`` are those that it sends from now."""

    business: Business
    emails: Sequence[str]
    texts: Sequence[str]
    chosen: frozenset[str]
    unverified: frozenset[str]
    """Addresses of no identity that SES lets the account send from."""


class SendersOfStack(Struct, frozen=True):
    """Who sends from where: the identities of the stack with whether they are verified, and a page of businesses."""

    account: EmailAccount
    identities: Mapping[str, bool]
    businesses: Page[SendersOfBusiness]


class ReadSenders(Struct, frozen=True, kw_only=True):
    """Reads who sends from where."""

    businesses: BusinessDirectory
    identities: EmailIdentities
    sender_identities: Sequence[str]

    def __call__(self, limit: int, cursor: str | None) -> SendersOfStack:
        """The identities, and a page of businesses. Raises ``InvalidInputError`` for ``cursor``."""
        page = self.businesses.page(limit, cursor, None)
        verified = self.identities.verified()
        working = [name for name, may_send in verified.items() if may_send]
        return SendersOfStack(
            self.identities.account(),
            {name: verified.get(name.lower(), False) for name in self.sender_identities},
            Page([_senders(business, working) for business in page.items], page.next_cursor),
        )


def _senders(business: Business, working: Sequence[str]) -> SendersOfBusiness:
    chosen = {sender_key(each) for each in (business.email_from, business.text_from) if each is not None}
    senders = business.senders
    return SendersOfBusiness(
        business,
        senders.email,
        senders.sms,
        frozenset(each for each in senders.email + senders.sms if sender_key(each) in chosen),
        frozenset(each for each in senders.email if not is_covered(each, working)),
    )
