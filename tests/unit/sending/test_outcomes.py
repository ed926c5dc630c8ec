"""What follows from what becomes of a chunk's recipients: who is sent to, who comes again, and when."""

from datetime import timedelta

import pytest

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.eligibility.domain.eligibility import Hold, Send
from rebound.messages.domain.messages import MessageStatus
from rebound.rates.domain import Throttled
from rebound.sending.domain.chunk_tasks import LONGEST_DELAY
from rebound.sending.domain.outcomes import AFTER_A_STOP, NO_DELAY, KeptBack, NotTried, Outcome, Outcomes, Settled
from rebound.sending.domain.recipients import Recipient, Refused
from tests.fakes.making import at, customer, id_of, message

SOON = Throttled("ACCOUNT_THROTTLED")
TOMORROW = Throttled("ACCOUNT_DAILY_QUOTA_EXCEEDED", daily=True)
HOLD = Hold(at(60), HoldReason.QUIET_HOURS, Send("ana@example.com"))


def recipient(number: int) -> Recipient:
    return Recipient(message(number, MessageStatus.QUEUED), customer(number), f"ana{number}@example.com")


def outcomes_of(*given: Outcome) -> Outcomes:
    return Outcomes({id_of(number): outcome for number, outcome in enumerate(given, 1)})


def test_each_outcome_has_its_recipient_come_again_or_not() -> None:
    outcomes = outcomes_of(
        recipient(1),
        message(2),
        HOLD,
        SOON,
        KeptBack(recipient(5), Refused("21408")),
        NotTried.UNBOOKED,
        NotTried.LISTED,
        Settled(),
    )

    assert outcomes.to_send == [recipient(1)]
    assert outcomes.left == [id_of(number) for number in (1, 3, 4, 5, 6, 7)]
    assert outcomes.come_again == [id_of(number) for number in (3, 4, 5, 6, 7)]
    assert outcomes.kept_from_sending == [id_of(2), id_of(3)]
    assert outcomes.held == {id_of(3): HOLD}


def test_a_recipient_has_one_outcome_and_keeps_their_turn() -> None:
    outcomes = outcomes_of(recipient(1), recipient(2))
    outcomes[recipient(1)] = SOON
    outcomes[recipient(1)] = message(1)

    assert list(outcomes.by_customer.items()) == [(id_of(1), message(1)), (id_of(2), recipient(2))]


@pytest.mark.parametrize(
    ("given", "attempts", "delay"),
    [
        ((NotTried.UNBOOKED, HOLD), 3, NO_DELAY),
        ((recipient(1), message(2)), 3, NO_DELAY),
        ((NotTried.UNBOOKED, NotTried.LISTED), 1, timedelta(seconds=2)),
        ((SOON, NotTried.UNBOOKED), 3, timedelta(seconds=8)),
        ((SOON,), 99, LONGEST_DELAY),
        ((SOON, TOMORROW), 3, AFTER_A_STOP),
    ],
)
def test_when_a_chunk_comes_again_follows_from_why_it_does(
    given: tuple[Outcome, ...], attempts: int, delay: timedelta
) -> None:
    assert outcomes_of(*given).retry_after(attempts) == delay
