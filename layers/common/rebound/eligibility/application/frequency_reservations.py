"""Room under the frequency caps: reserved right before a message is handed over, released when that failed.

A reservation belongs to a message, whose id is the same each time that its chunk is tried. So a sender that comes back
after a death finds what the dead one reserved, and moves it to its own time; nobody has to guess whether a reservation
is stale. One whose sender never comes back stays until the window has passed, as if the message had gone out, which it
may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.frequency import Frequency, longest_window
from rebound.eligibility.domain.eligibility import Case
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.retrying import retried_from
from rebound.messages.domain.mailing import Mailing

if TYPE_CHECKING:
    from rebound.eligibility.ports import FrequencyBook
    from rebound.platform.ports import Clock


def known_frequencies(
    book: FrequencyBook,
    business: Business,
    mailing: Mailing,
    customer_ids: Sequence[str],
    *,
    consistent: bool = True,
) -> Mapping[str, Frequency]:
    """What customers have been handed of late; nothing is asked for when no cap counts such messages."""
    if not customer_ids or not business.is_capped(mailing.category, mailing.channel):
        return {}
    return book.get_many(business.business_id, customer_ids, consistent=consistent)


class FrequencyReservations(Struct, frozen=True, kw_only=True):
    """Reserves and releases room for messages. Only for those that some cap counts; all others cost nothing."""

    frequencies: FrequencyBook
    clock: Clock

    def reserve(self, case: Case, attempt: int) -> datetime | None:
        """Reserve room for the message; ``None`` when it has it now, else when there will be room for it.

        Written to what the customer had been handed as it was read, so that of all who are about to send no more get
        room than there is. Raises ``ConcurrentChangeError`` when others keep writing, or hold the message's chunk
        since: then nothing may be sent.
        """
        frequency, caps = case.frequency, case.business.frequency_caps
        mailing = case.mailing
        # Read under caps that were set since the chunk was taken: they say what a row keeps, so it is left as it is.
        if frequency is None or not case.business.is_capped(mailing.category, mailing.channel):
            return None
        message_id = mailing.message_id(case.customer.customer_id)

        def unless_taken_over(known: Frequency) -> Frequency:
            reserved = known.reservation_of(message_id)
            if reserved is not None and reserved.attempt > attempt:
                raise ConcurrentChangeError
            return known

        def write(known: Frequency) -> datetime | None:
            wanted = replace(case.hand_over, at=self.clock.now(), attempt=attempt)
            reserved, free_again_at = known.reservation_of(message_id), known.free_again_at(caps, wanted)
            if free_again_at is not None:
                # What it has reserved from before the caps were made narrower.
                self.release(case.business, mailing, [case.customer.customer_id], attempt)
            elif reserved is None or reserved.attempt != attempt:
                # Else it was written by us, though the answer was lost.
                self.frequencies.save(known.reserving(wanted, caps), wanted.at + longest_window(caps))
            return free_again_at

        read = partial(self._known, case.business, case.customer.customer_id)
        return retried_from(unless_taken_over(frequency), write, lambda: unless_taken_over(read()))

    def release(self, business: Business, mailing: Mailing, customer_ids: Iterable[str], attempt: int) -> None:
        """Release what messages have reserved that are known not to have gone out, unless a later attempt has it now.

        A row that others keep writing is left as it is: a reservation too many keeps a message back, and no more.
        """
        if not business.is_capped(mailing.category, mailing.channel):
            return

        def write(known: Frequency) -> None:
            without = known.releasing(mailing.message_id(known.customer_id), attempt)
            if without != known:
                self.frequencies.save(without, self.clock.now() + longest_window(business.frequency_caps))

        for customer_id, known in self.frequencies.get_many(business.business_id, customer_ids).items():
            with suppress(ConcurrentChangeError):
                retried_from(known, write, partial(self._known, business, customer_id))

    def _known(self, business: Business, customer_id: str) -> Frequency:
        return self.frequencies.get_many(business.business_id, [customer_id])[customer_id]
