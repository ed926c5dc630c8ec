"""Slowing down when a provider says so."""

from collections.abc import Iterable

from msgspec import Struct

from rebound.businesses.domain.business import SendingAccount
from rebound.platform.ports import Clock
from rebound.rates.domain import Throttled
from rebound.rates.ports import RateBook


class RecordThrottle(Struct, frozen=True, kw_only=True):
    """Applies a provider's throttle answers to everybody who sends over the account."""

    rates: RateBook
    clock: Clock

    def __call__(self, account: SendingAccount, answers: Iterable[Throttled]) -> None:
        """Slow down, or stop when the daily quota is used up; throttles of any other kind change nothing."""
        about_speed = [answer for answer in answers if answer.slows_down]
        now = self.clock.now()
        if not about_speed:
            return
        rate_state = self.rates.current(account.name, now)
        if any(answer.daily for answer in about_speed):
            self.rates.stop(account.name, rate_state.next_stop(now))
        else:
            self.rates.brake(account.name, rate_state.braked(now), now)
