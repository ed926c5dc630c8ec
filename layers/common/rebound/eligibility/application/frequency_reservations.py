"""Reserves room under the frequency caps right before a message is handed over, and releases it if that failed.

A reservation belongs to a message, and the message's id is the same at each attempt at its chunk. A sender that takes
over from one that died therefore finds the reservation and moves it to its own time; nobody has to guess whether a
reservation is stale. If no sender takes over, the reservation stays until the window has passed, as if the message had
gone out, which it may have.
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
from rebound.eligibility.domain.cases import Case
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
    """The recent hand-overs of customers, by customer; empty, without a read, when no cap counts such messages."""
    if not customer_ids or not business.is_capped(mailing.category, mailing.channel):
        return {}
    return book.get_many(business.business_id, customer_ids, consistent=consistent)


class FrequencyReservations(Struct, frozen=True, kw_only=True):
    """Reserves and releases room for messages that some cap counts; all other messages cost nothing."""

    frequencies: FrequencyBook
    clock: Clock

    def reserve(self, case: Case, attempt: int) -> datetime | None:
        """Reserve room for the message; ``None`` when it may go out, otherwise the time at which there will be room.

        The customer's row is written only if it is still as it was read, so senders that run at once never reserve more
        room than there is. Raises ``ConcurrentChangeError`` when others keep writing the row, or when a later attempt
        at the message's chunk has reserved for it: then nothing may be sent.
        """
        frequency, caps = case.frequency, case.business.frequency_caps
        mailing = case.mailing
        # Caps set since the chunk was claimed are unknown here, and a write would drop what they count: write nothing.
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
                # Release what the message reserved before the caps were tightened.
                self.release(case.business, mailing, [case.customer.customer_id], attempt)
            elif reserved is None or reserved.attempt != attempt:
                # Otherwise this attempt has written it already, and the answer was lost.
                self.frequencies.save(known.reserving(wanted, caps), wanted.at + longest_window(caps))
            return free_again_at

        read = partial(self._known, case.business, case.customer.customer_id)
        return retried_from(unless_taken_over(frequency), write, lambda: unless_taken_over(read()))

    def release(self, business: Business, mailing: Mailing, customer_ids: Iterable[str], attempt: int) -> None:
        """Release reservations of messages that are known not to have gone out, unless a later attempt holds them now.

        A row that others keep writing is left as it is: a surplus reservation only keeps one message back.
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
