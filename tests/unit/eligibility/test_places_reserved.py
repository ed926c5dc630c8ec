"""Reserving and giving back room under the caps: what is written, what is not, and who comes too late."""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import timedelta
from typing import Final

import pytest

from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.businesses.domain.quiet_hours import NIGHT, QuietHours
from rebound.contacts.domain.contacts import Recovery
from rebound.eligibility.application.frequency_reservations import FrequencyReservations, known_frequencies
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError
from rebound.messages.domain.messages import MessageStatus
from tests.fakes.making import BUSINESS_ID, NO_QUIET_HOURS, RUN_ID, at, business, campaign, customer, id_of, message
from tests.fakes.world import World

WEEKLY: Final = FrequencyCap("One a week", (Category.MARKETING,), at_most=1, within_days=7)
MONTHLY: Final = FrequencyCap("Two a month", (Category.LOYALTY,), at_most=2, within_days=30)
MAILING: Final = campaign(run_id=RUN_ID)
WEEK: Final = timedelta(days=7)


class Desk:
    """A book of places, and the use case over it, with every write noted."""

    def __init__(self, *caps: FrequencyCap) -> None:
        self.world = World(business(frequency_caps=caps or (WEEKLY,)))
        self.book = self.world.frequencies
        self.reservations = FrequencyReservations(frequencies=self.book, clock=self.world.clock)
        self.until: list[object] = []
        save = self.book.save

        def noted(frequency: Frequency, until: object) -> Frequency:
            self.until.append(until)
            return save(frequency, until)  # type: ignore[arg-type]

        self.book.save = noted  # type: ignore[method-assign]

    @property
    def known(self) -> Frequency:
        return self.book.get_many(BUSINESS_ID, [id_of(1)])[id_of(1)]

    def reserve(self, attempt: int, known: Frequency | None) -> object:
        owner = self.world.businesses.get(BUSINESS_ID)
        case = Case(customer(1), None, owner, MAILING, self.world.clock.now(), known)
        return self.reservations.reserve(case, attempt)

    def release(self, attempt: int) -> None:
        self.reservations.release(self.world.businesses.get(BUSINESS_ID), MAILING, [id_of(1)], attempt)


def test_an_attempt_that_reserves_again_because_an_answer_was_lost_writes_nothing_and_goes_on() -> None:
    desk = Desk()
    assert desk.reserve(2, desk.known) is None
    assert desk.reserve(2, desk.known) is None

    assert len(desk.until) == 1
    assert [place.attempt for place in desk.known.hand_overs] == [2]


def test_an_attempt_that_a_later_one_has_overtaken_sends_nothing() -> None:
    desk = Desk()
    assert desk.reserve(3, desk.known) is None
    with pytest.raises(ConcurrentChangeError):
        desk.reserve(2, desk.known)

    assert desk.reserve(4, desk.known) is None
    assert [place.attempt for place in desk.known.hand_overs] == [4]


def test_caps_that_were_set_after_a_chunk_was_claimed_take_no_places_of_it() -> None:
    desk = Desk()

    assert desk.reserve(1, None) is None
    assert desk.until == []


def test_a_place_is_kept_until_the_longest_window_is_over() -> None:
    desk = Desk(WEEKLY, MONTHLY)
    desk.reserve(1, desk.known)
    desk.world.clock.move(timedelta(hours=1))
    desk.release(1)

    assert desk.until == [at(0) + timedelta(days=30), at(3600) + timedelta(days=30)]
    assert list(desk.known.hand_overs) == []


def test_room_that_was_reserved_before_the_caps_were_tightened_is_given_back() -> None:
    desk = Desk(replace(WEEKLY, at_most=2))
    other = HandOver("other", at(-60), Category.MARKETING, Channel.EMAIL)
    desk.book.save(Frequency(BUSINESS_ID, id_of(1)).reserving(other, [WEEKLY]), at(0) + WEEK)
    assert desk.reserve(1, desk.known) is None
    desk.world.businesses.replace(business(frequency_caps=(WEEKLY,)))

    assert desk.reserve(2, desk.known) == at(-60) + WEEK
    assert [place.message_id for place in desk.known.hand_overs] == ["other"]


def test_a_place_is_given_back_although_others_write_the_row_meanwhile() -> None:
    desk = Desk(replace(WEEKLY, at_most=2))
    desk.reserve(1, desk.known)
    read = desk.book.get_many
    other = HandOver("other", at(-60), Category.MARKETING, Channel.EMAIL)

    def overtaken(business_id: str, customer_ids: Iterable[str], **how: bool) -> Mapping[str, Frequency]:
        found = read(business_id, customer_ids, **how)
        desk.book.get_many = read  # type: ignore[method-assign]
        desk.book.save(desk.known.reserving(other, [WEEKLY]), at(0) + WEEK)
        return found

    desk.book.get_many = overtaken  # type: ignore[method-assign]
    desk.release(1)

    assert [place.message_id for place in desk.known.hand_overs] == ["other"]


def test_a_later_attempts_place_is_not_given_back_by_an_earlier_one() -> None:
    desk = Desk()
    desk.reserve(2, desk.known)
    desk.release(1)
    assert len(desk.known.hand_overs) == 1
    desk.release(2)
    assert list(desk.known.hand_overs) == []


def test_nothing_is_read_for_what_no_cap_covers_nor_for_nobody() -> None:
    desk = Desk()
    owner, reminder = desk.world.businesses.get(BUSINESS_ID), campaign(category=Category.REMINDER)

    assert known_frequencies(desk.book, owner, reminder, [id_of(1)]) == {}
    assert known_frequencies(desk.book, owner, MAILING, []) == {}
    assert set(known_frequencies(desk.book, owner, MAILING, [id_of(1)])) == {id_of(1)}


@pytest.mark.parametrize(
    ("recovery", "on"), [(Recovery(), False), (Recovery(spaced=True), True), (Recovery(probe_marketing=True), True)]
)
def test_recovery_is_on_where_anything_goes_by_its_schedule(recovery: Recovery, on: bool) -> None:
    assert recovery.is_on is on


@pytest.mark.parametrize("status", [MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.BOUNCED])
def test_a_message_has_its_final_time_from_what_ended_it(status: MessageStatus) -> None:
    ended = message(1, status, delivered_at=at(5), failed_at=at(9))

    assert ended.final_at == (at(5) if status is MessageStatus.DELIVERED else at(9))


LOOKED_AT: Final = {
    Exclusion.CHANNEL_OFF: {"switches", "email_from"},
    Exclusion.NO_ADDRESS: {"email"},
    Exclusion.OPTED_OUT: {"scopes", "opted_out"},
    Exclusion.NOT_CONFIRMED: {"promotional", "double_opt_in", "confirmed"},
    Exclusion.INVALID_CONTACT: {
        "promotional",
        "exclude_failed",
        "added_back_by_hand",
        "invalid",
        "reason",
        "since",
        "probe_marketing",
        "next_try_at",
        "try_is_due",
    },
    Exclusion.WAITING_FOR_RETRY: {
        "promotional",
        "exclude_failed",
        "added_back_by_hand",
        "spaced",
        "next_try_at",
        "try_is_due",
    },
    Exclusion.FREQUENCY_CAP: {"caps", "segment_id", "free_again_at"},
    Exclusion.EXPIRED: {"expires_at", "sent_at"},
    Exclusion.QUIET_HOURS: {"from", "until", "time_zones", "sent_at"},
}
"""The names under which the API shows what each rule looked at: clients read them."""


@pytest.mark.parametrize("reason", LOOKED_AT)
def test_what_a_rule_looked_at_is_shown_under_names_that_stay(reason: Exclusion) -> None:
    assert reason.rule is not None
    for hours in (NO_QUIET_HOURS, QuietHours(NIGHT, NIGHT)):
        case = Case(customer(1), None, business(quiet_hours=hours), MAILING, at(0))
        assert set(reason.rule.looks_at(case)) == LOOKED_AT[reason]
