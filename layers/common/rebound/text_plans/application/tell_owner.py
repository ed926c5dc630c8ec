"""Telling the owner of a business that its texts of the month run out."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import TextPlanExhausted, TextPlanWarning
from rebound.text_plans.application.meter_texts import note_timer
from rebound.text_plans.domain import TELLING_TAKES, PlanNote, Telling, still_true
from rebound.timers.domain import AHEAD

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.domain.text_plan import TextPlan
    from rebound.businesses.ports import BusinessDirectory, ReboundMail
    from rebound.platform.ports import Clock
    from rebound.text_plans.domain import TextMonth
    from rebound.text_plans.ports import TextLedger
    from rebound.timers.domain import Timer
    from rebound.timers.ports import TimerBook
    from rebound.webhooks.application.publish_events import PublishEvents


class TellOwner(Struct, frozen=True, kw_only=True):
    """Writes the notes that are due, each once a month, and publishes an event for each.

    Whoever writes one takes it on first, by a conditional write, so of several at once one writes. If they die, another
    writes it ``TELLING_TAKES`` later; only if they die between the email and the note of it, it comes twice.
    """

    ledger: TextLedger
    businesses: BusinessDirectory
    rebound_mail: ReboundMail
    publish: PublishEvents
    timers: TimerBook
    clock: Clock

    def __call__(self, timers: Sequence[Timer]) -> None:
        """Wake for these. Raises ``ComeAgainError`` and ``ConcurrentChangeError`` for what is to be woken again."""
        # The warning first.
        for key in sorted({timer.key for timer in timers}, reverse=True):
            business_id, month, note = key.split("#")
            try:
                business = self.businesses.get(business_id)
            except NotFoundError:
                continue
            counted = self.ledger.month(business_id, month)
            if business.text_plan is not None and still_true(business.text_plan, counted):
                self._tell(business, business.text_plan, counted, PlanNote(note))

    def _tell(self, business: Business, plan: TextPlan, month: TextMonth, note: PlanNote) -> None:
        now, known = self.clock.now(), month.notes.get(note)
        if month.is_told(note):
            return
        if known is not None and known.until > now:
            # Another is at it, and may die. A timer is taken so long before its time.
            self.timers.put([note_timer(business.business_id, month.month, note, known.until + AHEAD)])
            return
        telling = Telling(known.since if known is not None else now, now + TELLING_TAKES)
        self.ledger.note(month, note, telling)
        if business.owner_email is not None and business.email_from is not None:
            subject, text = written(business, plan, month, note)
            self.rebound_mail.send(business.email_sender, business.owner_email, subject, text)
        event = TextPlanWarning if note is PlanNote.WARNING else TextPlanExhausted
        happened = event(business.business_id, month.month, plan.included, month.used, month.month)
        self.publish([happened], telling.since, business=business)
        taken_on = replace(month, notes={**month.notes, note: telling})
        self.ledger.note(taken_on, note, replace(telling, told=True))


def written(business: Business, plan: TextPlan, month: TextMonth, note: PlanNote) -> tuple[str, str]:
    """Subject and text of a note."""
    name = f"{date.fromisoformat(f'{month.month}-01'):%B %Y}"
    used = f"{month.used} of the {plan.included} text segments that {business.name} has for {name} are used."
    more = "" if plan.upgrade_url is None else f"\n\nA larger plan: {plan.upgrade_url}"
    if note is PlanNote.WARNING:
        subject = f"{business.name}: most texts of {name} are used"
        next_steps = " Once none are left, no more texts go out in this month." if month.used < plan.included else ""
        return subject, f"{used}{next_steps}{more}\n"
    subject = f"{business.name}: no texts are left for {name}"
    next_steps = (
        "Until the month ends or the plan is larger, no more texts go out: what can go by email goes by email, and the "
        "rest is left out."
    )
    return subject, f"{used} {next_steps}{more}\n"
