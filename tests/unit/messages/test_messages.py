"""A message row ends the same whatever the order of its receipts, and its status only moves up."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.provider_codes import FailureClass, Provider, all_codes
from rebound.kernel.receipts import Outcome, Receipt
from rebound.messages.domain.messages import RANKS, Message, MessageStatus
from tests.fakes import strategies
from tests.fakes.making import NO_SUCH_MAILBOX, SOFT, at, message, receipt


def receipts(codes: tuple[str, ...] = strategies.CODES_OF_SES) -> st.SearchStrategy[Receipt]:
    def build(outcome: Outcome, occurred_at: datetime, code: str) -> Receipt:
        failed = outcome is Outcome.FAILED
        return receipt(outcome, occurred_at=occurred_at, code=code if failed else None, provider_id="id-1")

    return st.builds(build, strategies.outcomes, strategies.moments, st.sampled_from(codes))


def after(start: Message, items: list[Receipt]) -> Message:
    for item in items:
        start = start.after(item)
    return start


@given(st.data(), st.lists(receipts(), max_size=7), st.sampled_from(list(MessageStatus)))
def test_any_order_and_any_duplication_of_receipts_ends_in_the_same_row(
    data: st.DataObject, items: list[Receipt], status: MessageStatus
) -> None:
    start = message(status=status)
    again = data.draw(st.lists(st.sampled_from(items), max_size=3)) if items else []
    shuffled = data.draw(st.permutations([*items, *again]))

    assert after(start, shuffled) == after(start, items)


@given(receipts(), st.sampled_from(list(MessageStatus)))
def test_a_status_only_moves_up_in_rank(item: Receipt, status: MessageStatus) -> None:
    start = message(status=status)

    assert start.after(item).rank >= start.rank


@given(receipts())
def test_a_receipt_that_comes_again_adds_nothing(item: Receipt) -> None:
    once = message().after(item)

    assert once.after(item) == once


def test_a_bounce_after_a_delivery_wins_over_it_in_either_order() -> None:
    bounce = receipt(Outcome.FAILED, 2, code=NO_SUCH_MAILBOX)
    row = after(message(), [receipt(Outcome.DELIVERED, 1), bounce])

    assert row.status is MessageStatus.BOUNCED
    assert row == after(message(), [bounce, receipt(Outcome.DELIVERED, 1)])
    assert (row.delivered_at, row.failed_at, row.final_at) == (at(1), at(2), at(2))


@pytest.mark.parametrize("row", list(all_codes()), ids=lambda row: f"{row.provider}-{row.code}")
def test_only_failures_about_the_address_count_as_bounced(row: object) -> None:
    code = next(known for known in all_codes() if known is row or known == row)
    failed = message().after(receipt(Outcome.FAILED, provider=code.provider, code=code.code))
    about_address = code.failure_class in (FailureClass.INVALID, FailureClass.UNREACHABLE)

    assert failed.status is (MessageStatus.BOUNCED if about_address else MessageStatus.FAILED)
    assert failed.reason == code.reason
    assert failed.provider_code == code.code


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_failures_that_weigh_the_same_the_earlier_is_shown(order: tuple[int, int]) -> None:
    told = [receipt(Outcome.FAILED, 1, code=NO_SUCH_MAILBOX), receipt(Outcome.FAILED, 2, code=SOFT)]
    row = after(message(), [told[index] for index in order])

    assert (row.provider_code, row.failed_at) == (NO_SUCH_MAILBOX, at(1))


def test_an_uncertain_message_is_settled_by_a_receipt() -> None:
    uncertain = message(status=MessageStatus.UNCERTAIN, provider=Provider.SES, reason="no_answer_from_provider")
    settled = uncertain.after(receipt(Outcome.DELIVERED, 3))

    assert settled.status is MessageStatus.DELIVERED
    assert settled.final_at == at(3)


def test_a_delivered_message_has_no_reason_left_from_when_it_was_uncertain() -> None:
    uncertain = message(status=MessageStatus.UNCERTAIN, provider=Provider.SES, reason="no_answer_from_provider")

    assert uncertain.after(receipt(Outcome.DELIVERED)).reason is None


def test_a_receipt_that_overtakes_our_record_names_the_provider() -> None:
    claimed = message(status=MessageStatus.SENDING)

    assert claimed.after(receipt(Outcome.DELIVERED, provider=Provider.TWILIO)).provider is Provider.TWILIO


def test_a_message_that_was_left_out_stays_left_out() -> None:
    left_out = message(status=MessageStatus.EXCLUDED)

    assert left_out.after(receipt(Outcome.DELIVERED)).status is MessageStatus.EXCLUDED


def test_every_status_has_a_rank_of_its_own() -> None:
    assert sorted(RANKS.values()) == list(range(len(MessageStatus)))
    assert set(RANKS) == set(MessageStatus)


@pytest.mark.parametrize("status", [MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.SENT])
def test_a_message_that_is_under_way_has_no_final_time(status: MessageStatus) -> None:
    assert message(status=status, delivered_at=at(1), failed_at=at(2)).final_at is None
