"""The instants at which a message may still go out, must wait, or comes too late; and the reason shown for a wait."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.quiet_hours import HoldReason, QuietHours, QuietWindow
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Hold, Send, decide
from rebound.kernel.channels import Channel
from tests.fakes.making import NO_QUIET_HOURS, at, business, campaign, customer

LISBON: Final = customer(time_zone="Europe/Lisbon")
"""Where the clock shows what it shows in UTC all winter."""
LUNCH: Final = QuietWindow(time(12), time(14))
INSTANT: Final = timedelta(microseconds=1)


def decided(
    now: datetime, *, quiet: QuietWindow | None = None, channel: Channel = Channel.SMS, **given: Any
) -> Decision:
    hours = NO_QUIET_HOURS if quiet is None else QuietHours(sms=quiet, email=quiet)
    return decide(LISBON, None, business(quiet_hours=hours), campaign(channel, **given), now)


@given(before=st.integers(-5, 5), channel=st.sampled_from(Channel))
def test_nothing_goes_out_from_the_instant_of_its_expiry_on(before: int, channel: Channel) -> None:
    decision = decided(at() - before * INSTANT, channel=channel, expires_at=at())

    assert (decision is Exclusion.EXPIRED) is (before <= 0)
    assert isinstance(decision, Send) is (before > 0)


@given(minutes=st.integers(-3, 3))
def test_what_would_wait_until_its_expiry_or_beyond_is_left_out_at_once(minutes: int) -> None:
    """The window ends at two o'clock."""
    until = at(2 * 3600)
    decision = decided(at(60), quiet=LUNCH, expires_at=until + timedelta(minutes=minutes))

    assert decision == (Exclusion.EXPIRED if minutes <= 0 else Hold(until, HoldReason.QUIET_HOURS, _send()))


@pytest.mark.parametrize(
    ("hour", "quiet", "until", "because"),
    [
        # By day: the message waits for its own time, and nothing else.
        (16, None, 16, HoldReason.SEND_AT),
        (16, LUNCH, 16, HoldReason.SEND_AT),
        # Its own time is in the window, so that the window is what it waits for in the end.
        (13, LUNCH, 14, HoldReason.QUIET_HOURS),
        # Its own time is the very end of the window.
        (14, LUNCH, 14, HoldReason.SEND_AT),
        # Its own time is over: only the window is left.
        (9, LUNCH, 14, HoldReason.QUIET_HOURS),
    ],
)
@pytest.mark.parametrize("local", [False, True])
def test_the_reason_for_a_wait_is_what_the_message_waits_for_last(
    hour: int, quiet: QuietWindow | None, until: int, because: HoldReason, local: bool
) -> None:
    wanted = datetime(2026, 11, 20, hour)  # noqa: DTZ001 - by the recipient's clock
    given: dict[str, Any] = {"local_time": wanted} if local else {"send_at": wanted.replace(tzinfo=UTC)}
    decision = decided(at(60), quiet=quiet, **given)

    assert decision == Hold(datetime(2026, 11, 20, until, tzinfo=UTC), because, _send())


@given(before=st.integers(-3, 3), local=st.booleans())
def test_a_message_goes_out_from_its_own_instant_on_and_not_before(before: int, local: bool) -> None:
    wanted = datetime(2026, 11, 20, 15)  # noqa: DTZ001 - by the recipient's clock
    moment = wanted.replace(tzinfo=UTC)
    given: dict[str, Any] = {"local_time": wanted} if local else {"send_at": moment}
    decision = decided(moment - before * INSTANT, **given)

    assert decision == (Hold(moment, HoldReason.SEND_AT, _send()) if before > 0 else _send())


def _send() -> Send:
    return Send(LISBON.mobile_phone or "")
