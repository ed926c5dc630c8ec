"""Goals of messages: when one was reached, and that all who write agree on it in the end."""

from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from rebound.messages.application.reach_goals import Facts, ReachGoals
from rebound.messages.domain.goals import TOLD_LATE, Goal, GoalKind, begins
from rebound.messages.domain.labels import REACHED, REACHED_ANYWAY
from rebound.messages.domain.messages import HELD_OUT, Message, MessageStatus
from rebound.messages.domain.spans import WHEN
from tests.contract.messages.fakes import MemoryMessageLog, labels_of_message
from tests.contract.platform.fakes import FakeClock
from tests.fakes.making import BUSINESS_ID, at, message

DAY: Final = timedelta(days=1)
WEEK: Final = Goal(GoalKind.VISIT, 7)
SENT: Final = message(1, MessageStatus.DELIVERED, sent_at=at(0), queued_at=at(0) - DAY, goal=WEEK.written)
HELD: Final = message(1, MessageStatus.EXCLUDED, reason=HELD_OUT, queued_at=at(0), goal=WEEK.written)


@pytest.mark.parametrize("kind", list(GoalKind))
@pytest.mark.parametrize("days", [1, 90])
def test_a_message_says_its_goal(kind: GoalKind, days: int) -> None:
    assert Goal.read(Goal(kind, days).written) == Goal(kind, days)


@pytest.mark.parametrize("stored", [SENT, HELD])
@pytest.mark.parametrize(
    ("days", "first"),
    [
        ([], None),
        ([0], None),
        ([0.001], 0.001),
        ([-3, 7, 5, 8], 5),
        ([7], 7),
        ([7.001], None),
    ],
)
def test_what_counts_is_what_was_done_in_the_days_after_the_message(
    stored: Message, days: Sequence[float], first: float | None
) -> None:
    found = WEEK.reached(stored, [at(0) + each * DAY for each in days])

    assert found == (None if first is None else at(0) + first * DAY)


@pytest.mark.parametrize("status", list(MessageStatus))
def test_the_days_begin_with_the_message_and_for_nobody_without_one(status: MessageStatus) -> None:
    stored = message(1, status, reason="opted_out", queued_at=at(0), sent_at=None)

    assert begins(stored) == (at(0) if status in WHEN else None)


@pytest.mark.parametrize(("late", "is_open"), [(timedelta(), True), (timedelta(seconds=1), False)])
def test_what_is_told_after_a_month_changes_nothing(late: timedelta, is_open: bool) -> None:
    assert WEEK.is_open(SENT, at(0) + WEEK.days + TOLD_LATE + late) is is_open


@pytest.mark.parametrize("status", list(MessageStatus))
@pytest.mark.parametrize("reason", [HELD_OUT, "opted_out"])
def test_who_reached_it_is_counted_apart_from_who_did_without_a_message(status: MessageStatus, reason: str) -> None:
    labels = labels_of_message(message(1, status, reason=reason, goal=WEEK.written, reached_at=at(1)))
    is_held_out = status is MessageStatus.EXCLUDED and reason == HELD_OUT

    assert labels & {REACHED, REACHED_ANYWAY} == (
        {REACHED_ANYWAY} if is_held_out else {REACHED} if status in WHEN else set()
    )


@pytest.mark.parametrize(("before", "after"), [([at(1)], []), ([], [at(1)]), ([at(2)], [at(1)])])
def test_who_has_written_what_was_true_before_somebody_else_looked_looks_again(
    before: Sequence[datetime], after: Sequence[datetime]
) -> None:
    log, clock = MemoryMessageLog(), FakeClock(at(DAY.total_seconds()))
    log.record_new([SENT])
    reach, now = ReachGoals(messages=log, clock=clock), list(before)

    def read() -> tuple[Facts, bool]:
        return {GoalKind.VISIT: tuple(now)}, True

    def read_slowly() -> tuple[Facts, bool]:
        known = read()
        if now != list(after):
            now[:] = after
            reach(BUSINESS_ID, SENT.key.customer_id, read)
        return known

    reach(BUSINESS_ID, SENT.key.customer_id, read_slowly)

    assert log.rows[SENT.key].reached_at == min(after, default=None)


def test_what_is_not_all_there_is_adds_and_takes_nothing_back() -> None:
    log, clock = MemoryMessageLog(), FakeClock(at(DAY.total_seconds()))
    log.record_new([replace(SENT, reached_at=at(5))])
    reach, seen = ReachGoals(messages=log, clock=clock), []
    for times in ([at(9)], [at(3)], []):
        reach(BUSINESS_ID, SENT.key.customer_id, lambda known=times: ({GoalKind.VISIT: known}, False))  # type: ignore[misc]
        seen.append(log.rows[SENT.key].reached_at)

    assert seen == [at(5), at(3), at(3)]


def test_who_has_no_goal_to_reach_has_nothing_read_about_them() -> None:
    log, clock = MemoryMessageLog(), FakeClock(at(0) + WEEK.days + TOLD_LATE + DAY)
    log.record_new([SENT, message(2)])

    def read() -> tuple[Facts, bool]:
        raise AssertionError

    for who in (1, 2, 3):
        ReachGoals(messages=log, clock=clock)(BUSINESS_ID, message(who).key.customer_id, read)

    assert log.rows[SENT.key].reached_at is None
