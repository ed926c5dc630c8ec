"""Asking customers with a coming booking to sign a waiver: each once, and only who has to."""

from collections import Counter
from collections.abc import Mapping
from copy import replace
from datetime import time, timedelta
from itertools import pairwise
from typing import Any, Final

import pytest

from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError
from rebound.kernel.ids import id_of_external
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import MessageStatus
from rebound.sequences.application.ask_to_sign import asking
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Reentry
from rebound.sequences.domain.waivers import Ask, AskCounts, AskKey, AskState, Posting, Waiver
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import Boundary, BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send

WAIVER: Final = "house-rules"
URL: Final = "https://sign.example.com/house-rules"
ELSEWHERE: Final = "https://elsewhere.example.com/rules"
MINUTE: Final = timedelta(minutes=1)
VERSIONS: Final = ("2", "3", "4")
"""Those that are posted where anything may happen."""
NIGHT: Final = QuietWindow(time(22), time(8), frozenset({Category.TRANSACTIONAL}))


class WaiverWorld(SequenceWorld):
    """With what a business and its booking system do about waivers."""

    told = 0

    def say(self, kind: str, number: int, **more: Any) -> None:
        """Something that the booking system tells of a customer, until it is taken."""
        self.told += 1
        event: Mapping[str, Any] = {
            "event_id": f"e{self.told}",
            "kind": kind,
            "at": self.clock.now().isoformat(),
            "customer_id": id_of(number),
            **more,
        }
        assert self.accept_activity(BUSINESS_ID, [event]).accepted == 1

    def books(self, number: int, ahead: timedelta = 5 * DAY, appointment: str = "a") -> None:
        starts_at = (self.clock.now() + ahead).isoformat()
        self.say("booking", number, starts_at=starts_at, appointment_id=f"{appointment}{number}")

    def cancels(self, number: int, appointment: str = "a") -> None:
        self.say("cancellation", number, appointment_id=f"{appointment}{number}")

    def signs(self, number: int, version: str, **more: Any) -> None:
        self.say("waiver", number, version=version, **more)

    def posts(self, version: str, note: str | None = None, waiver_id: str = WAIVER, url: str = URL) -> Waiver:
        """A version, and the job that it starts has ended."""
        waiver = self.waiver_service.post(BUSINESS_ID, waiver_id, Posting(version, note, url))
        self.run_jobs()
        return waiver

    def run_jobs(self) -> None:
        while self.job_runner.started:
            business_id, job_id, _ = self.job_runner.started.pop()
            self.run_to_end(self.job_service.get(business_id, job_id))

    def passes(self, span: timedelta = MINUTE) -> None:
        self.live_until(self.clock.now() + span)

    def asked(self, number: int) -> list[str]:
        """The texts of what somebody was sent, in order."""
        return [each.body for each in self.mailer.handed if each.key.customer_id == id_of(number) and each.went_out]

    def count(self, number: int = 1, waiver_id: str = WAIVER) -> tuple[int, int, int]:
        """How many were asked to sign a version, have signed, and have not."""
        self.pump_streams()
        found = self.waiver_service.get(BUSINESS_ID, waiver_id).counts[number]
        return found.asked, found.signed, found.open


def of(people: int = 3, seed: int = 0, **given: Any) -> WaiverWorld:
    world = WaiverWorld(business(**given), seed=seed)
    world.add(*(customer(number, time_zone="America/New_York") for number in range(1, people + 1)))
    return world


def test_who_has_a_coming_booking_is_asked_with_the_note_and_the_link() -> None:
    world = of()
    world.books(1)
    world.books(2, ahead=HOUR)
    world.passes(2 * HOUR)
    world.posts("2", "We have a sauna now.")
    world.passes()

    assert [len(world.asked(number)) for number in (1, 2, 3)] == [1, 0, 0]
    assert "We have a sauna now." in world.asked(1)[0]
    assert URL in world.asked(1)[0]
    [found] = world.messages.rows.values()
    assert (found.category, found.campaign_id, found.status) == (Category.TRANSACTIONAL, None, MessageStatus.DELIVERED)
    assert world.count() == (1, 0, 1)


def test_who_signs_is_counted_and_is_not_asked_again_by_a_booking() -> None:
    world = of()
    world.books(1)
    world.passes()
    world.posts("2")
    world.passes()
    world.signs(1, "2")
    world.passes()
    world.books(1, appointment="b")
    world.passes()

    assert len(world.asked(1)) == 1
    assert world.count() == (1, 1, 0)


@pytest.mark.parametrize("signs", [False, True])
def test_who_booked_before_they_were_a_customer_is_asked_once_they_are_unless_they_have_signed(signs: bool) -> None:
    world = of(0)
    world.posts("2")
    who = replace(customer(1), customer_id=id_of_external(BUSINESS_ID, "ext1"), external_id="ext1")
    booked = {"starts_at": (NOON + 5 * DAY).isoformat(), "appointment_id": "a1"}
    for event in ({"kind": "booking", **booked}, {"kind": "waiver", "version": "2"})[: 1 + signs]:
        told = {"event_id": event["kind"], "at": NOON.isoformat(), "external_id": "ext1", **event}
        assert world.accept_activity(BUSINESS_ID, [told]).accepted == 1
    world.passes()
    world.add(replace(who, created_at=world.clock.now()))
    world.passes(HOUR)

    assert len(world.mailer.handed) == (not signs)
    assert world.count() == ((0, 0, 0) if signs else (1, 0, 1))


def test_who_signed_before_is_not_asked_and_who_signed_another_version_is() -> None:
    world = of()
    for number in (1, 2):
        world.books(number)
    world.signs(1, "2")
    world.signs(2, "1")
    world.passes()
    world.posts("2")
    world.passes()

    assert [len(world.asked(number)) for number in (1, 2)] == [0, 1]


def test_who_books_meanwhile_is_asked_once_until_they_have_signed() -> None:
    world = of()
    world.posts("2")
    world.passes()
    assert not world.mailer.handed
    world.books(1)
    world.passes()
    world.books(1, appointment="b")
    world.passes(DAY)
    assert len(world.asked(1)) == 1
    world.signs(2, "2")
    world.passes()
    world.books(2)
    world.passes()
    assert not world.asked(2)


def test_who_signs_or_cancels_before_the_night_is_over_is_not_asked() -> None:
    # Eleven in the evening, in New York.
    world = of(4, quiet_hours=QuietHours(email=NIGHT, sms=NIGHT))
    for number in (1, 2, 3, 4):
        world.books(number)
    world.live_until(NOON + 16 * HOUR)
    world.posts("2")
    world.passes()
    assert not world.mailer.handed
    world.signs(1, "2")
    world.cancels(2)
    world.cancels(3)
    world.passes()
    world.books(3, appointment="again")
    world.passes(DAY)

    assert [len(world.asked(number)) for number in (1, 2, 3, 4)] == [0, 0, 1, 1]
    states = {key.customer_id: ask.state for key, ask in world.asks.rows.items()}
    assert [states[id_of(number)] for number in (1, 2, 3, 4)] == [
        AskState.SIGNED, AskState.WITHDRAWN, AskState.ASKED, AskState.ASKED,
    ]  # fmt: skip
    reasons = {each.reason for each in world.messages.rows.values() if each.status is MessageStatus.CANCELLED}
    assert reasons == {"no_longer_needed"}


def test_whose_booking_is_taken_back_before_the_night_is_over_is_not_asked() -> None:
    world = of(2, quiet_hours=QuietHours(email=NIGHT, sms=NIGHT))
    for number in (1, 2):
        world.books(number)
    world.live_until(NOON + 16 * HOUR)
    world.posts("2")
    world.passes()
    world.accept_activity.take_back(BUSINESS_ID, "e1")
    world.passes(DAY)

    assert [len(world.asked(number)) for number in (1, 2)] == [0, 1]


def test_what_another_worker_is_about_to_send_is_taken_back_as_well() -> None:
    world = of(1)
    world.books(1)
    world.passes()
    waiver = world.waiver_service.post(BUSINESS_ID, WAIVER, Posting("2", None, URL))
    # It has written that it will ask, and is slow.
    ask = Ask.begun(world_key(1), 1, Channel.EMAIL, world.clock.now(), None)
    world.asks.save(ask)
    world.cancels(1)
    world.passes()
    made_from = asking(waiver.current, Channel.EMAIL)
    content = world.template_contents.made(BUSINESS_ID, made_from, Channel.EMAIL, Category.TRANSACTIONAL)
    given = {"category": Category.TRANSACTIONAL, "channel": Channel.EMAIL, "content": content}
    world.post_message(BUSINESS_ID, customer_id=id_of(1), message_id=ask.message_id, **given)
    world.passes(3 * DAY)

    assert not world.asked(1)
    assert world.asks.rows[world_key(1)].state is AskState.WITHDRAWN


def test_whose_signature_is_taken_back_stays_asked_by_what_they_have() -> None:
    world = of(1)
    world.books(1)
    world.passes()
    world.posts("2")
    world.passes()
    world.signs(1, "2")
    world.passes()
    world.accept_activity.take_back(BUSINESS_ID, "e2")
    world.passes()

    assert len(world.asked(1)) == 1
    assert world.count() == (1, 1, 0)


def test_what_would_come_after_the_last_booking_has_begun_is_not_sent() -> None:
    world = of(1, quiet_hours=QuietHours(email=NIGHT, sms=NIGHT))
    world.live_until(NOON + 16 * HOUR)
    world.books(1, ahead=2 * HOUR)
    world.passes()
    world.posts("2")
    world.passes(DAY)

    assert not world.asked(1)


def test_a_version_within_the_hour_asks_nobody_twice() -> None:
    world = of()
    for number in (1, 2):
        world.books(number)
    world.passes()
    world.posts("2")
    world.passes(20 * MINUTE)
    world.signs(2, "2")
    world.passes(20 * MINUTE)
    world.posts("3")
    world.passes(10 * MINUTE)
    assert [len(world.asked(number)) for number in (1, 2)] == [1, 1]
    # Who was asked a moment ago is asked for the newest: the link leads there.
    assert world.count(2) == (1, 0, 1)
    # Who has signed the former is asked for the newest, once the hour is over.
    world.passes(HOUR)
    assert [len(world.asked(number)) for number in (1, 2)] == [1, 2]
    assert (world.count(1), world.count(2)) == ((2, 1, 1), (2, 0, 2))


def test_whose_link_leads_elsewhere_is_asked_with_the_new_one_once_the_hour_is_over() -> None:
    world = of(3)
    for number in (1, 2, 3):
        world.books(number)
    world.passes()
    world.posts("2")
    world.passes(20 * MINUTE)
    world.posts("3", url=ELSEWHERE)
    world.passes(20 * MINUTE)
    assert [len(world.asked(number)) for number in (1, 2, 3)] == [1, 1, 1]
    # Nobody has the address at which the newest is signed.
    assert (world.count(1), world.count(2)) == ((3, 0, 3), (0, 0, 0))
    world.signs(2, "3")
    world.cancels(3)
    world.passes(DAY)
    assert [len(world.asked(number)) for number in (1, 2, 3)] == [2, 1, 1]
    assert ELSEWHERE in world.asked(1)[1]
    assert world.count(2) == (1, 0, 1)


def test_whose_link_leads_there_again_has_been_asked() -> None:
    world = of(1)
    world.books(1)
    world.passes()
    world.posts("2")
    world.passes(10 * MINUTE)
    world.posts("3", url=ELSEWHERE)
    world.passes(10 * MINUTE)
    world.posts("4")
    world.passes(DAY)
    assert len(world.asked(1)) == 1
    assert world.count(3) == (1, 0, 1)


def test_what_waits_for_the_morning_has_the_new_link() -> None:
    world = of(1, quiet_hours=QuietHours(email=NIGHT, sms=NIGHT))
    world.books(1)
    world.live_until(NOON + 16 * HOUR)
    world.posts("2")
    world.passes()
    world.posts("3", url=ELSEWHERE)
    world.passes(DAY)
    [text] = world.asked(1)
    assert ELSEWHERE in text


def test_a_version_after_an_hour_asks_again() -> None:
    world = of()
    world.books(1)
    world.passes()
    world.posts("2", "first")
    world.passes(61 * MINUTE)
    world.posts("3", "second")
    world.passes()

    assert ["first" in text for text in world.asked(1)] == [True, False]
    assert "second" in world.asked(1)[1]


def test_the_hour_counts_from_when_it_went_out_and_what_waits_gives_way_to_the_newer() -> None:
    world = of(2, quiet_hours=QuietHours(email=NIGHT, sms=NIGHT))
    world.books(1)
    world.live_until(NOON + 16 * HOUR)
    world.posts("2", "first")
    world.passes()
    world.posts("3", "second")
    world.live_until(NOON + 26 * HOUR)
    [text] = world.asked(1)
    assert "second" in text
    assert (world.count(1), world.count(2)) == ((0, 0, 0), (1, 0, 1))


def test_what_waited_for_the_morning_was_asked_in_the_morning() -> None:
    world = of(1, quiet_hours=QuietHours(email=NIGHT, sms=NIGHT))
    world.books(1)
    world.live_until(NOON + 16 * HOUR)
    world.posts("2")
    # Eight in the morning, and a little later.
    world.live_until(NOON + 25 * HOUR + 40 * MINUTE)
    world.posts("3")
    world.passes(DAY)

    assert len(world.asked(1)) == 1
    assert world.count(2) == (1, 0, 1)


def test_the_same_version_is_known_and_another_under_its_name_is_refused() -> None:
    world = of()
    world.books(1)
    world.passes()
    assert world.posts("2", "note") == world.posts("2", "note")
    world.passes()
    with pytest.raises(ConflictError) as refused:
        world.posts("2", "another")
    assert refused.value.code == "waiver_version_known"
    assert len(world.asked(1)) == 1
    assert len(world.waivers.get(BUSINESS_ID, WAIVER).versions) == 1


def test_several_waivers_are_told_apart_where_the_signature_says_which() -> None:
    world = of()
    world.books(1)
    world.books(2)
    world.passes()
    world.posts("2")
    world.posts("2", waiver_id="sauna")
    world.passes()
    assert [len(world.asked(number)) for number in (1, 2)] == [2, 2]
    world.signs(1, "2", waiver_id="sauna")
    world.signs(2, "2")
    world.passes()

    assert world.count() == (2, 1, 1)
    assert world.count(waiver_id="sauna") == (2, 2, 0)


def test_who_cannot_be_written_to_is_counted_apart_and_by_text_where_there_is_no_email() -> None:
    world = of(0)
    world.add(customer(1, email=None, mobile_phone=None), customer(2, email=None))
    for number in (1, 2):
        world.books(number)
    world.passes()
    world.posts("2")
    world.passes()

    assert world.waiver_service.get(BUSINESS_ID, WAIVER).counts[1] == AskCounts(asked=1, unreached=1)
    [text] = [each.body for each in world.texter(Provider.TWILIO).handed]
    assert URL in text


def test_a_sequence_begins_for_who_was_asked_and_ends_for_who_signs() -> None:
    world = of()
    signed = ExitOn(Happening(kind=Kind.WAIVER_SIGNED, about={"waiver_id": WAIVER}), is_goal=True)
    trigger = Happening(kind=Kind.WAIVER_CHANGED, about={"waiver_id": WAIVER})
    world.set_up(send("please"), trigger=trigger, exit_on=(signed,), reentry=Reentry.AFTER_EXIT)
    world.books(1)
    world.passes()
    world.posts("2")
    world.posts("7", waiver_id="sauna")
    world.passes()

    [entered] = world.enrolments.rows.values()
    assert (entered.key.customer_id, entered.key.sequence_id) == (id_of(1), SEQUENCE_ID)
    assert entered.entry_key == f"{WAIVER}#2"


@pytest.mark.parametrize("what_follows", ["they cancel", "another version within the hour", "nothing"])
def test_who_was_asked_is_told_of_though_the_sender_dies_first(what_follows: str) -> None:
    world = of()
    world.set_up(send("please"), trigger=Happening(kind=Kind.WAIVER_CHANGED, about={"waiver_id": WAIVER}))
    world.books(1)
    world.passes()

    def die(where: Boundary) -> None:
        if world.step == "advance_sequences" and where == "sequences.all":
            raise WorkerDiedError(where)

    world.checkpoint = die
    world.posts("2")
    world.passes()
    world.checkpoint = lambda _: None
    assert len(world.asked(1)) == 1
    assert not world.enrolments.rows

    if what_follows == "they cancel":
        world.cancels(1)
    elif what_follows == "another version within the hour":
        world.posts("3")
    world.passes(HOUR)

    assert [each.entry_key for each in world.enrolments.rows.values()] == [f"{WAIVER}#2"]
    assert world.asks.rows[world_key(1)].is_told


def test_how_a_waiver_stands_is_told_without_reading_who_was_asked() -> None:
    world = of(30)
    for number in range(1, 31):
        world.books(number)
    world.passes()
    world.posts("2")
    world.passes()
    read: list[str] = []
    world.checkpoint = read.append

    assert world.waiver_service.get(BUSINESS_ID, WAIVER).counts[1] == AskCounts(asked=30)
    assert len(read) <= 4
    assert not [each for each in read if "asks" in each]


def test_nobody_without_waivers_reads_anything_for_them() -> None:
    world = of()
    read: list[str] = []
    world.checkpoint = read.append
    world.books(1)
    world.passes()

    assert read
    assert not [each for each in read if "waivers" in each or "asks" in each]


def test_who_is_deleted_is_forgotten() -> None:
    world = of()
    world.books(1)
    world.passes()
    world.posts("2")
    world.passes()
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.passes()

    assert not world.asks.rows


# In those beyond 30 nobody knows when what asked somebody who has signed went out.
@pytest.mark.parametrize("seed", [*range(30), 49, 118, 139])
def test_whatever_happens_each_is_asked_once_for_a_version_and_who_has_to_be(seed: int) -> None:
    people = 8
    world = of(people, seed=seed, quiet_hours=QuietHours(email=NIGHT, sms=NIGHT) if seed % 3 == 0 else QuietHours())
    world.chaos = Chaos(death=0.04, duplicate=0.2)
    for number in range(1, people // 2 + 1):
        world.books(number, ahead=9 * DAY)
    world.passes()
    for version in VERSIONS:
        twice(world, version, world.random.choice([URL, ELSEWHERE]))
        for _ in range(6):
            number = world.random.randrange(1, people + 1)
            match world.random.choice(["books", "cancels", "signs", "waits", "waits"]):
                case "books":
                    world.books(number, ahead=9 * DAY)
                case "cancels":
                    world.cancels(number)
                case "signs":
                    world.signs(number, version)
                case _:
                    world.passes(world.random.choice([MINUTE, HOUR]))
        world.passes(world.random.choice([MINUTE, 3 * HOUR]))
    world.chaos = Chaos()
    world.passes(3 * DAY)

    assert max(world.mailer.went_out.values(), default=0) <= 1
    now = world.clock.now()
    rows = world.asks.rows.values()
    world.pump_streams()
    for of_version, found in world.waiver_service.get(BUSINESS_ID, WAIVER).counts.items():
        states = Counter(each.states[of_version] for each in rows if of_version in each.states)
        asked = states[AskState.ASKED] + states[AskState.SIGNED]
        assert found == AskCounts(asked, states[AskState.SIGNED], states[AskState.UNREACHED])
    for number in range(1, people + 1):
        kept = world.activity.read(BUSINESS_ID, id_of(number))
        waiver = world.waivers.get(BUSINESS_ID, WAIVER)
        texts = world.asked(number)
        # Once for each version at most, and never two within the hour.
        assert max(Counter(version_of(text) for text in texts).values(), default=0) <= 1
        times = sorted(
            each.sent_at
            for each in world.messages.rows.values()
            if each.key.customer_id == id_of(number) and each.sent_at is not None
        )
        assert all(later - earlier >= HOUR for earlier, later in pairwise(times))
        coming = kept.summary is not None and kept.summary.coming(now) is not None
        if coming and not waiver.is_signed(kept):
            ask = world.asks.rows[world_key(number)]
            assert (ask.state, ask.number) == (AskState.ASKED, len(VERSIONS))
            message = world.messages.rows[MessageKey(BUSINESS_ID, id_of(number), ask.message_id)]
            assert message.status in (MessageStatus.DELIVERED, MessageStatus.UNCERTAIN)
            # What was sent to them last leads to what is to be signed.
            assert message.status is MessageStatus.UNCERTAIN or waiver.current.url in texts[-1]
        elif world_key(number) in world.asks.rows:
            assert world.asks.rows[world_key(number)].is_told


def twice(world: WaiverWorld, version: str, url: str) -> None:
    """Posted until it is answered, and once more at the same time."""
    for _ in range(2):
        while True:
            try:
                world._mortal(
                    "serve_api",
                    lambda: world.waiver_service.post(BUSINESS_ID, WAIVER, Posting(version, f"version {version}", url)),
                )
            except (WorkerDiedError, BrokenCallError):
                continue
            break
    world.run_jobs()


def version_of(text: str) -> str:
    [found] = [each for each in VERSIONS if f"version {each}" in text]
    return found


def world_key(number: int) -> AskKey:
    return AskKey(BUSINESS_ID, WAIVER, id_of(number))
