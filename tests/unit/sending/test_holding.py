"""Messages wait for their hour: nobody is woken at night or forgotten in the morning, and nothing comes too late."""

from collections import Counter
from collections.abc import Sequence
from copy import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import NIGHT, HoldReason, QuietHours, QuietWindow
from rebound.campaigns.application.campaign_service import CampaignView, NewCampaign
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import ChunkState
from rebound.contacts.domain.reachability import Failure
from rebound.customers.domain import Customer
from rebound.eligibility.application.preview_audience import Question
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.local_time import wall_clock
from rebound.kernel.provider_codes import TEXT_PROVIDERS, Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import Throttled
from rebound.segments.domain.selections import Selection
from rebound.sending.application.chunk_lifecycle import LEASE
from rebound.sending.domain.chunk_tasks import DeferredChunkTask
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import (
    BUSINESS_ID,
    GREETING,
    NO_SUCH_MAILBOX,
    SHORT_GREETING,
    at,
    business,
    contact_key,
    customer,
    everybody,
    id_of,
)
from tests.fakes.watching import WorkerDiedError
from tests.fakes.world import Chaos, World, always

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
NIGHTS: Final = QuietHours(NIGHT, NIGHT)
SALON: Final = business(quiet_hours=NIGHTS)
PREFIXES: Final = ("+44790000", "+1212556", "+1415556", "+1808556", "+1907556", "+33612345")
"""London, where it is noon; New York (7 o'clock), Los Angeles (4), Honolulu (2); two zones of Alaska; Paris (13)."""
ZONES: Final = {
    "+44": ("Europe/London",),
    "+1212": ("America/New_York",),
    "+1415": ("America/Los_Angeles",),
    "+1808": ("Pacific/Honolulu",),
    "+1907": ("America/Adak", "America/Juneau", "America/New_York"),
    "+33": ("Europe/Paris",),
}
"""All zones whose night counts; where the number does not say which one, the business's too."""


class Night(World):
    """A world that knows when what was handed over to whom."""

    def __init__(self, *businesses: Business, seed: int = 0, ranges: int = 4) -> None:
        super().__init__(*(businesses or (SALON,)), seed=seed, ranges=ranges)
        self.times: dict[str, datetime] = {}
        for script in (self.mailer, *map(self.texter, TEXT_PROVIDERS)):
            script.taken.append(self._note)

    def _note(self, key: MessageKey, _: str, __: str) -> None:
        self.times.setdefault(key.customer_id, self.clock.now())

    def people(self, count: int) -> list[Customer]:
        """Customers all over the place."""
        found = [
            customer(number, mobile_phone=f"{PREFIXES[number % len(PREFIXES)]}{number:04d}")
            for number in range(1, count + 1)
        ]
        self.add(*found)
        return found

    def set_hours(self, window: QuietWindow | None) -> None:
        """Change the quiet hours of both channels."""
        self.settings_of_business.change(BUSINESS_ID, {"quiet_hours": {"sms": window, "email": window}})

    def live_through(self, campaign_id: str) -> CampaignView:
        """Run a campaign with the clock going from one thing to the next."""
        self.begin(campaign_id)
        self.rest()
        self.end(campaign_id)
        self.rest()
        return self.campaign_service.get(BUSINESS_ID, campaign_id)


class SteeredNight(Night):
    """Somebody pauses and resumes the campaign all the time."""

    campaign_id: str

    def _tick(self) -> bool:
        status, dice = self.campaigns.get(BUSINESS_ID, self.campaign_id).status, self.random.random()
        if status is CampaignStatus.PAUSED:
            if dice < 0.5:
                self.steer_campaign.resume(BUSINESS_ID, self.campaign_id)
        elif status in (CampaignStatus.EXPANDING, CampaignStatus.SENDING) and dice < 0.05:
            self.steer_campaign.pause(BUSINESS_ID, self.campaign_id)
        return super()._tick() or status is CampaignStatus.PAUSED


class FickleNight(Night):
    """Somebody changes the quiet hours all the time."""

    def __init__(self, *, seed: int) -> None:
        super().__init__(seed=seed)
        self.woken: list[str] = []

    def _tick(self) -> bool:
        if self.random.random() < 0.03:
            self.set_hours(self.random.choice([None, NIGHT, SHORT_NIGHT, LONG_NIGHT]))
        return super()._tick()

    def _note(self, key: MessageKey, _: str, __: str) -> None:
        super()._note(key, _, __)
        window = self.businesses.get(BUSINESS_ID).quiet_hours.sms
        who = self.customers.rows[BUSINESS_ID, key.customer_id]
        if window is not None and is_night(who, self.clock.now(), window):
            self.woken.append(key.customer_id)


def is_night(who: Customer, now: datetime, window: QuietWindow = NIGHT) -> bool:
    [zones] = [zones for prefix, zones in ZONES.items() if (who.mobile_phone or "").startswith(prefix)]
    return any(window.covers(wall_clock(now, zone)) for zone in zones)


def first_morning(who: Customer, now: datetime) -> datetime:
    while is_night(who, now):
        now += MINUTE
    return now


SHORT_NIGHT: Final = QuietWindow(time(23), time(6))
LONG_NIGHT: Final = QuietWindow(time(20), time(10))
STORM: Final = Chaos(death=0.01, duplicate=0.1, early=0.1, reminders=0.02)
CHANNELS: Final = pytest.mark.parametrize("channel", list(Channel))


@CHANNELS
def test_everybody_gets_it_at_the_first_minute_that_is_not_night_where_they_may_be(channel: Channel) -> None:
    night = Night()
    people = night.people(60)
    view = night.live_through(night.post(channel).campaign.campaign_id)

    assert view.results[MessageStatus.DELIVERED] == view.audience.targeted == 60
    late = {who.mobile_phone: night.times[who.customer_id] - first_morning(who, at(0)) for who in people}
    assert {number: wait for number, wait in late.items() if not timedelta() <= wait < MINUTE} == {}
    assert {night.times[id_of(n)] - at(0) >= HOUR for n in (1, 2, 3, 4)} == {True}, "7 o'clock in New York and less"


@given(st.integers(0, 1 << 30), st.sampled_from(Channel), st.booleans())
def test_pauses_deaths_and_duplicates_skip_nobody_repeat_nobody_and_wake_nobody(
    seed: int, channel: Channel, calm: bool
) -> None:
    night = SteeredNight(seed=seed)
    people = night.people(70)
    night.chaos = Chaos() if calm else STORM
    night.campaign_id = night.post(channel).campaign.campaign_id
    view = night.live_through(night.campaign_id)

    assert adds_up(view)
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.results[MessageStatus.QUEUED] == 0
    assert (
        max(
            Counter(
                key for script in (night.mailer, night.twilio_texter) for key in script.went_out.elements()
            ).values()
        )
        == 1
    )
    assert [
        who for who in people if who.customer_id in night.times and is_night(who, night.times[who.customer_id])
    ] == []
    assert len(night.times) + view.results[MessageStatus.UNCERTAIN] >= 70
    if calm:
        assert len(night.times) == 70


@given(
    seed=st.integers(0, 1 << 30),
    channel=st.sampled_from(Channel),
    left=st.integers(0, 10),
    quiet=st.booleans(),
    calm=st.booleans(),
)
@example(seed=0, channel=Channel.EMAIL, left=1, quiet=False, calm=True)
@example(seed=0, channel=Channel.SMS, left=1, quiet=False, calm=True)
def test_what_has_expired_is_never_handed_over_whatever_delays_it(
    seed: int, channel: Channel, left: int, quiet: bool, calm: bool
) -> None:
    """Nights delay it for hours; without them, addresses come off a list one by one, and a slow provider takes texts.

    ``left`` is in hours where there are nights, else in seconds.
    """
    night = Night(SALON if quiet else business(), seed=seed)
    people = night.people(40)
    night.chaos = Chaos() if calm else STORM
    script, code = (night.mailer, "ACCOUNT_THROTTLED") if channel is Channel.EMAIL else (night.twilio_texter, "20429")
    for who in people[::3]:
        script.answer(who.address(channel) or "", *[Throttled(code)] * 9)
    for number in range(1, 41, 2):
        night.know(contact_key(number), Failure(at(-9), f"m{number}", Provider.SES, NO_SUCH_MAILBOX))
        night.suppressions.put(f"ana{number}@example.com", "BOUNCE")
    night.twilio_texter.taken.append(lambda *_: night.clock.move(timedelta(seconds=0 if quiet else 1)))
    expires_at = at(0) + (left * HOUR + MINUTE if quiet else timedelta(seconds=1 + left))
    view = night.live_through(
        night.post(channel, timing=Timing(expires_at=expires_at), exclude_failed=False).campaign.campaign_id
    )

    assert adds_up(view)
    assert view.results[MessageStatus.QUEUED] == 0
    assert all(when < expires_at for when in night.times.values())
    left_out = view.audience.excluded.get("expired", 0)
    assert len(night.times) + left_out + view.results[MessageStatus.UNCERTAIN] >= 40
    if calm:
        assert len(night.times) + left_out == 40
        late = sum(first_morning(who, at(0)) >= expires_at for who in people) if quiet else 1
        assert left_out >= late


def test_a_text_that_can_expire_is_not_delivered_later_than_that() -> None:
    night = Night()
    night.add(customer(1))
    night.twilio_texter.taken.append(lambda *_: night.clock.move(MINUTE))
    for timing in (Timing(), Timing(expires_at=at(5 * 3600))):
        night.live_through(night.post(Channel.SMS, timing=timing).campaign.campaign_id)

    assert night.twilio_texter.validities == [None, at(5 * 3600) - night.times[id_of(1)] - MINUTE]


def test_a_text_that_would_wait_beyond_its_expiry_is_left_out_from_the_start() -> None:
    night = Night()
    night.people(5)
    campaign_id = night.post(Channel.SMS, timing=Timing(expires_at=at(2 * 3600))).campaign.campaign_id
    night.begin(campaign_id)

    assert dict(night.campaign_service.get(BUSINESS_ID, campaign_id).audience.excluded) == {"expired": 3}


def test_a_chunk_in_which_everybody_waits_takes_no_turn_and_is_seen_to_wait() -> None:
    night = Night()
    night.add(*(customer(n) for n in range(1, 61)))
    campaign_id = night.post(Channel.SMS).campaign.campaign_id
    night.begin(campaign_id)
    morning = datetime(2026, 11, 20, 16, tzinfo=UTC)
    view = night.campaign_service.get(BUSINESS_ID, campaign_id)
    messages = night.read_recipients(BUSINESS_ID, campaign_id, status=None, limit=100, cursor=None).items

    assert [queue.messages for queue in night.chunk_queue.queues.values()] == [{}] * 4
    assert (view.held_until, view.held_because) == (morning, HoldReason.QUIET_HOURS)
    assert {message.held_until for message in messages} == {morning}
    assert view.results[MessageStatus.QUEUED] == 60

    night.clock.move_to(morning)
    night.rest()
    view = night.campaign_service.get(BUSINESS_ID, campaign_id)
    assert (view.held_until, view.results[MessageStatus.DELIVERED]) == (None, 60)


def test_a_resume_at_night_brings_no_second_ticket_for_what_waits() -> None:
    night = Night()
    night.add(*(customer(n) for n in range(1, 61)))
    campaign_id = night.post(Channel.SMS).campaign.campaign_id
    night.begin(campaign_id)
    waiting = len(night.deferred_queue.queue.messages)
    for _ in range(3):
        night.steer_campaign.pause(BUSINESS_ID, campaign_id)
        night.steer_campaign.resume(BUSINESS_ID, campaign_id)
        while night.runner.requeues:
            assert night.requeue_campaign(*night.runner.requeues.pop(), None, always) is None

    assert waiting > 0
    assert len(night.deferred_queue.queue.messages) == waiting
    assert not any(queue.messages for queue in night.chunk_queue.queues.values())


def test_what_waits_through_a_pause_is_set_aside_in_the_morning_and_goes_out_after_the_resume() -> None:
    night = Night()
    night.add(*(customer(n) for n in range(1, 61)))
    campaign_id = night.post(Channel.SMS).campaign.campaign_id
    night.begin(campaign_id)
    night.steer_campaign.pause(BUSINESS_ID, campaign_id)
    night.rest()
    assert night.times == {}
    assert night.clock.now() >= datetime(2026, 11, 20, 16, tzinfo=UTC)

    night.steer_campaign.resume(BUSINESS_ID, campaign_id)
    night.rest()
    assert len(night.times) == 60


@CHANNELS
def test_a_cancellation_at_night_need_not_wait_for_the_morning(channel: Channel) -> None:
    night = Night()
    night.add(*(customer(n) for n in range(1, 61)))
    campaign_id = night.post(channel).campaign.campaign_id
    night.begin(campaign_id)
    night.steer_campaign.cancel(BUSINESS_ID, campaign_id)
    for _ in range(200):
        night._run_requeue()
        night._send_one()
    night.pump_streams()
    view = night.campaign_service.get(BUSINESS_ID, campaign_id)

    assert night.clock.now() < at(0) + HOUR
    assert view.results[MessageStatus.CANCELLED] == 60
    night.rest()
    assert night.times == {}


def test_a_campaign_of_the_night_is_looked_at_some_dozen_times_and_not_every_minute() -> None:
    night = Night()
    night.add(*(customer(n) for n in range(1, 61)))
    night.clock.move_to(datetime(2026, 11, 21, 5, tzinfo=UTC))
    campaign_id = night.post(Channel.SMS).campaign.campaign_id
    night.begin(campaign_id)
    looks = 0
    while not (drained := night.drain_campaign(BUSINESS_ID, campaign_id, looks)).drained:
        looks += 1
        until = night.clock.now() + timedelta(seconds=drained.wait_seconds)
        while night.clock.now() < until and night._tick():
            pass
        night.clock.move_to(max(until, night.clock.now()))

    assert len(night.times) == 60
    assert looks < 20


def test_emails_that_wait_are_not_taken_for_lost_when_a_worker_dies_with_the_others() -> None:
    night = Night()
    people = night.people(12)
    campaign_id = night.post().campaign.campaign_id
    night.begin(campaign_id)

    def die_at_the_call(where: str) -> None:
        if where == "mailer.send":
            raise WorkerDiedError

    night.checkpoint = die_at_the_call
    for queue in night.chunk_queue.queues.values():
        for waiting in list(queue.messages.values()):
            with pytest.raises(WorkerDiedError):
                night.send_email(waiting.body, "worker-that-dies")
    night.checkpoint = lambda _: None
    night.clock.move(LEASE)
    night.rest()
    night.end(campaign_id)
    night.rest()
    view = night.campaign_service.get(BUSINESS_ID, campaign_id)
    awake = sum(not is_night(who, at(0)) for who in people)

    assert awake == 4
    assert view.results[MessageStatus.UNCERTAIN] == awake
    assert view.results[MessageStatus.DELIVERED] == 12 - awake


def test_texts_that_come_to_the_evening_while_a_chunk_is_sent_wait_from_there_on() -> None:
    night = Night()
    night.add(*(customer(n, time_zone="Europe/London") for n in range(1, 31)))
    night.clock.move_to(datetime(2026, 11, 20, 20, 59, 50, tzinfo=UTC))
    night.twilio_texter.taken.append(lambda *_: night.clock.move(timedelta(seconds=1)))
    view = night.live_through(night.post(Channel.SMS).campaign.campaign_id)
    evening = datetime(2026, 11, 20, 21, tzinfo=UTC)
    before = [when for when in night.times.values() if when < evening]

    assert 5 < len(before) < 12
    assert all(when >= evening + 11 * HOUR for when in night.times.values() if when >= evening)
    assert view.results[MessageStatus.DELIVERED] == 30


def test_no_more_are_handed_over_than_were_booked_when_a_later_hour_has_come_as_well() -> None:
    night = Night(ranges=1)
    night.people(12)
    campaign_id = night.post().campaign.campaign_id
    night.begin(campaign_id)
    while night._send_one():
        pass
    [held] = [waiting.body for waiting in night.deferred_queue.queue.messages.values()]
    handed = len(night.mailer.handed)
    assert (handed, held.task.size) == (4, 2), "London and Paris at once, and New York at eight"

    night.clock.move(10 * HOUR)
    night.send_email(held.task, "worker")
    chunk = night.chunks.rows[campaign_id, held.task.key.chunk]
    assert len(night.mailer.handed) - handed == held.task.size
    assert (chunk.state, len(chunk.remaining)) == (ChunkState.PENDING, 6)

    night.rest()
    assert len(night.times) == 12


# --- the reason to wait changes ---------------------------------------------------------------------------------------

MORNING: Final = datetime(2026, 11, 20, 16, tzinfo=UTC)
"""Eight o'clock where those of ``held_campaign`` are, for whom it is four when it is posted."""


def held_campaign(night: Night, channel: Channel = Channel.SMS) -> str:
    """A campaign to 60 people, all of whom wait for the morning."""
    night.add(*(customer(n) for n in range(1, 61)))
    campaign_id = night.post(channel).campaign.campaign_id
    night.begin(campaign_id)
    assert night.campaign_service.get(BUSINESS_ID, campaign_id).held_until == MORNING
    return campaign_id


def live(night: Night, lasting: timedelta) -> None:
    """Let everything happen that happens within a time."""
    until = night.clock.now() + lasting
    while night.next_at is not None and night.next_at <= until:
        night._tick()
    night.pump_streams()
    night.clock.move_to(until)


@CHANNELS
@pytest.mark.parametrize(
    ("window", "hours"), [(None, 0), (SHORT_NIGHT, 2), (LONG_NIGHT, 6), (QuietWindow(time(2), time(3)), 0)]
)
def test_what_is_held_goes_at_the_first_minute_that_a_changed_window_allows(
    channel: Channel, window: QuietWindow | None, hours: int
) -> None:
    night = Night()
    campaign_id = held_campaign(night, channel)
    live(night, 10 * MINUTE)
    night.set_hours(window)
    first = max(night.clock.now(), at(0) + hours * HOUR)
    # It is seen after as long again as it has waited, at the latest.
    live(night, first + 10 * MINUTE - night.clock.now())
    assert len(night.times) == 60
    assert min(night.times.values()) >= first
    view = night.campaign_service.get(BUSINESS_ID, campaign_id)

    if hours:
        assert max(night.times.values()) - first < MINUTE
    assert view.results[MessageStatus.DELIVERED] == 60


def test_a_change_is_seen_within_a_quarter_of_an_hour_however_long_something_has_waited() -> None:
    night = Night()
    held_campaign(night)
    live(night, 3 * HOUR)
    night.set_hours(None)
    changed = night.clock.now()
    live(night, 16 * MINUTE)

    assert len(night.times) == 60
    assert changed <= min(night.times.values()) <= max(night.times.values()) <= changed + 15 * MINUTE


def test_who_is_somewhere_else_after_all_need_not_wait_for_the_morning_of_the_others() -> None:
    night = Night()
    campaign_id = held_campaign(night)
    live(night, MINUTE)
    night.customer_service.change(BUSINESS_ID, id_of(7), {"time_zone": "Europe/London"})
    live(night, 2 * MINUTE)
    assert list(night.times) == [id_of(7)]
    assert night.campaign_service.get(BUSINESS_ID, campaign_id).held_until == MORNING

    night.customer_service.change(BUSINESS_ID, id_of(8), {"time_zone": "Pacific/Honolulu"})
    night.rest()
    late = {number: night.times[id_of(number)] - MORNING for number in range(1, 61) if number != 7}
    assert late.pop(8) == 2 * HOUR
    assert all(timedelta() <= wait < MINUTE for wait in late.values())


def test_another_change_of_settings_makes_nobody_go_and_takes_nobodys_turn() -> None:
    night = Night()
    campaign_id = held_campaign(night)
    for name in ("Juniper", "Vale"):
        live(night, 10 * MINUTE)
        night.settings_of_business.change(BUSINESS_ID, {"name": name})
    live(night, 20 * MINUTE)
    chunks = [chunk for (owner, _), chunk in night.chunks.rows.items() if owner == campaign_id]

    assert {chunk.attempts for chunk in chunks} == {2}
    assert night.rates.current(SALON.text_account.name, night.clock.now()).booked == {}
    assert {(chunk.state, chunk.not_before) for chunk in chunks} == {(ChunkState.PENDING, MORNING)}
    assert len(night.deferred_queue.queue.messages) == len(chunks)
    night.rest()
    assert len(night.times) == 60


def test_who_waits_goes_round_some_dozen_times_more_than_every_quarter_of_an_hour() -> None:
    night = Night(ranges=1)
    night.add(customer(1))
    rounds = 0
    release = night.release_held

    def count(tasks: Sequence[DeferredChunkTask]) -> None:
        nonlocal rounds
        rounds += 1
        release(tasks)

    night.release_held = count  # type: ignore[assignment]
    night.clock.move_to(datetime(2026, 11, 21, 5, tzinfo=UTC))
    night.begin(night.post(Channel.SMS).campaign.campaign_id)
    night.rest()

    assert len(night.times) == 1
    assert 44 <= rounds <= 44 + 7


def test_a_campaign_whose_hour_has_just_come_is_looked_at_again_soon_whatever_it_had_waited() -> None:
    night = Night()
    night.clock.move_to(datetime(2026, 11, 21, 5, tzinfo=UTC))
    night.add(*(customer(n) for n in range(1, 61)), customer(61, time_zone="Asia/Tokyo"))
    campaign_id = night.post(Channel.SMS).campaign.campaign_id
    night.begin(campaign_id)
    live(night, MINUTE)
    night.clock.move_to(MORNING + timedelta(days=1))
    found = night.drain_campaign(BUSINESS_ID, campaign_id, 0)

    assert len(night.times) == 1
    assert (found.drained, found.wait_seconds) == (False, 1)


@pytest.mark.parametrize("before", [timedelta(seconds=s) for s in (1, 7, 61, 95, 185, 400)])
def test_a_campaign_ends_soon_after_the_hour_that_it_waited_for_whenever_it_began(before: timedelta) -> None:
    night = Night()
    night.clock.move_to(MORNING - before)
    night.add(*(customer(n) for n in range(1, 5)), customer(5, time_zone="Europe/London"))
    campaign_id = night.post(Channel.SMS).campaign.campaign_id
    night.begin(campaign_id)
    polls = 0
    while not (drained := night.drain_campaign(BUSINESS_ID, campaign_id, polls)).drained:
        live(night, timedelta(seconds=drained.wait_seconds))
        polls += 1

    assert len(night.times) == 5
    assert timedelta() <= night.clock.now() - MORNING <= timedelta(seconds=10)
    assert polls <= 12


@pytest.mark.parametrize("after", [MINUTE, 7 * HOUR])
def test_a_campaign_that_is_woken_does_not_stay_open_for_longer_than_it_had_waited(after: timedelta) -> None:
    night = Night()
    night.clock.move_to(datetime(2026, 11, 21, 5, tzinfo=UTC))
    night.add(*(customer(n) for n in range(1, 61)))
    campaign_id = night.post(Channel.SMS).campaign.campaign_id
    night.begin(campaign_id)
    change_at, polls = night.clock.now() + after, 0
    while not (drained := night.drain_campaign(BUSINESS_ID, campaign_id, polls)).drained:
        look_at = night.clock.now() + timedelta(seconds=drained.wait_seconds)
        if night.clock.now() <= change_at < look_at:
            live(night, change_at - night.clock.now())
            night.set_hours(None)
        live(night, look_at - night.clock.now())
        polls += 1

    assert len(night.times) == 60
    assert night.clock.now() - change_at <= min(after, HOUR) + 2 * MINUTE


@given(st.integers(0, 1 << 30), st.sampled_from(Channel), st.booleans())
def test_however_the_hours_change_nobody_is_woken_skipped_or_sent_to_twice(
    seed: int, channel: Channel, calm: bool
) -> None:
    night = FickleNight(seed=seed)
    night.people(70)
    night.chaos = Chaos() if calm else STORM
    view = night.live_through(night.post(channel).campaign.campaign_id)

    assert adds_up(view)
    assert view.results[MessageStatus.QUEUED] == 0
    assert (
        max(
            Counter(
                key for script in (night.mailer, night.twilio_texter) for key in script.went_out.elements()
            ).values()
        )
        == 1
    )
    assert night.woken == []
    assert len(night.times) + view.results[MessageStatus.UNCERTAIN] >= 70


# --- single messages --------------------------------------------------------------------------------------------------


def posted(night: Night, category: Category = Category.REMINDER, timing: Timing | None = None) -> Message:
    return night.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=category,
        channel=Channel.SMS,
        content=SHORT_GREETING,
        timing=timing,
    )


@pytest.mark.parametrize(
    ("category", "waits"),
    [
        (Category.REMINDER, True),
        (Category.MARKETING, True),
        (Category.TRANSACTIONAL, False),
        (Category.ONE_TO_ONE, False),
    ],
)
def test_a_single_text_waits_unless_somebody_waits_for_it(category: Category, waits: bool) -> None:
    night = Night()
    night.add(customer(1))
    message = posted(night, category)
    night.rest()
    [logged] = night.read_client_log(BUSINESS_ID, id_of(1), 10, None).items

    assert message.held_until == (at(4 * 3600) if waits else None)
    assert (night.times[id_of(1)] >= at(4 * 3600)) is waits
    assert (logged.status, logged.held_until) == (MessageStatus.DELIVERED, None)


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_that_the_sender_finds_to_be_early_says_so_and_follows_the_hours(channel: Channel) -> None:
    night = Night(business())
    night.add(customer(1))
    content = SHORT_GREETING if channel is Channel.SMS else GREETING
    posted_now = night.post_message(
        BUSINESS_ID, customer_id=id_of(1), category=Category.REMINDER, channel=channel, content=content
    )
    night.set_hours(NIGHT)
    live(night, timedelta())
    assert posted_now.held_until is None
    assert night.times == {}

    def logged() -> Message:
        [found] = night.read_client_log(BUSINESS_ID, id_of(1), 10, None).items
        return found

    assert (logged().status, logged().held_until) == (MessageStatus.QUEUED, at(4 * 3600))
    night.set_hours(LONG_NIGHT)
    live(night, MINUTE)
    assert (logged().status, logged().held_until) == (MessageStatus.QUEUED, at(6 * 3600))
    night.set_hours(None)
    live(night, 3 * MINUTE)
    assert (logged().status, logged().held_until) == (MessageStatus.DELIVERED, None)


def test_a_single_text_can_be_planned_and_can_come_too_late() -> None:
    night = Night()
    night.add(customer(1))
    planned = posted(night, timing=Timing(at(3 * 24 * 3600), expires_at=at(4 * 24 * 3600)))
    missed = posted(night, timing=Timing(expires_at=at(3600)))
    night.rest()
    log = {row.key.message_id: row for row in night.read_client_log(BUSINESS_ID, id_of(1), 10, None).items}

    # Three days later at noon in London it is 4 o'clock where the number is.
    assert planned.held_until == night.times[id_of(1)] == at((3 * 24 + 4) * 3600)
    assert (log[missed.key.message_id].status, log[missed.key.message_id].reason) == ("excluded", "expired")


# --- local time -------------------------------------------------------------------------------------------------------


def test_at_a_local_time_everybody_gets_it_when_their_own_clock_shows_it() -> None:
    night = Night(business())
    people = [
        customer(1, mobile_phone="+447900000001"),
        customer(2, mobile_phone="+12125560002"),
        customer(3, mobile_phone="+447900000003", time_zone="Pacific/Kiritimati"),
        customer(4, mobile_phone="+19075560004"),
        customer(5, mobile_phone=None, email="five@example.com"),
    ]
    night.add(*people)
    nine = datetime(2026, 12, 1, 9)  # noqa: DTZ001 - a clock on the wall
    posted_view = night.post(timing=Timing(local_time=nine))
    start = datetime(2026, 11, 30, 19, tzinfo=UTC)
    assert (posted_view.campaign.status, posted_view.campaign.send_at) == (CampaignStatus.SCHEDULED, start)
    assert night.runner.scheduled == {(BUSINESS_ID, posted_view.campaign.campaign_id): {start}}

    night.clock.move_to(start)
    view = night.live_through(posted_view.campaign.campaign_id)
    new_york = datetime(2026, 12, 1, 14, tzinfo=UTC)
    expected = {1: datetime(2026, 12, 1, 9, tzinfo=UTC), 2: new_york, 3: start, 4: new_york, 5: new_york}

    assert {n: night.times[id_of(n)] for n in expected} == expected
    assert view.results[MessageStatus.DELIVERED] == 5


def test_a_local_time_that_is_over_somewhere_is_made_up_for_as_soon_as_it_is_not_night() -> None:
    night = Night()
    night.add(customer(1, time_zone="Asia/Tokyo"), customer(2, time_zone="Europe/London"))
    # It is 21 o'clock in Tokyo and noon in London; the business's clock shows 7.
    posted_view = night.post(Channel.SMS, timing=Timing(local_time=datetime(2026, 11, 20, 12, 30)))  # noqa: DTZ001
    night.live_through(posted_view.campaign.campaign_id)

    assert night.times[id_of(1)] == datetime(2026, 11, 20, 23, tzinfo=UTC), "8 in the morning in Tokyo"
    assert night.times[id_of(2)] == at(1800)


@pytest.mark.parametrize(
    ("timing", "field"),
    [
        (Timing(at(-3600)), "send_at"),
        (Timing(at(0) + timedelta(days=366)), "send_at"),
        (Timing(local_time=datetime(2026, 11, 20, 6)), "send_at"),  # noqa: DTZ001
        (Timing(local_time=datetime(2027, 11, 22)), "send_at"),  # noqa: DTZ001
        (Timing(local_time=datetime.min), "send_at"),  # noqa: DTZ901
        (Timing(local_time=datetime.max), "send_at"),  # noqa: DTZ901
        (Timing(expires_at=at(0)), "expires_at"),
        (Timing(at(60), expires_at=at(60)), "expires_at"),
        (Timing(local_time=datetime(2026, 11, 20, 9), expires_at=at(7200)), "expires_at"),  # noqa: DTZ001
        (Timing(expires_at=datetime.max.replace(tzinfo=UTC)), "expires_at"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(timing: Timing, field: str) -> None:
    night = Night()
    night.add(customer(1))
    new = NewCampaign("x", Category.MARKETING, Channel.EMAIL, Selection(filter=everybody()), GREETING, timing=timing)
    with pytest.raises(InvalidInputError) as of_campaign:
        night.campaign_service.post(BUSINESS_ID, new)
    with pytest.raises(InvalidInputError) as of_message:
        posted(night, timing=timing)

    assert [error.field for error in of_campaign.value.errors] == [field]
    assert [error.field for error in of_message.value.errors] == [field]
    assert not night.campaigns.rows


# --- who is never reached ---------------------------------------------------------------------------------------------


def test_who_is_asleep_at_every_hour_in_some_zone_is_left_out_and_the_preview_says_so() -> None:
    all_day_but_one_hour = QuietWindow(time(9), time(8))
    night = Night(replace(SALON, quiet_hours=QuietHours(all_day_but_one_hour)))
    night.people(6)
    preview = night.preview_audience(BUSINESS_ID, Question(everybody(), Channel.SMS, Category.MARKETING))
    view = night.live_through(night.post(Channel.SMS).campaign.campaign_id)

    assert preview is not None
    # The zones of Alaska and New York have no hour from 8 to 9 in common.
    assert dict(preview.excluded) == dict(view.audience.excluded) == {"quiet_hours": 1}
    assert view.results[MessageStatus.DELIVERED] == preview.targeted == 5
    explained = [who for who in night.customers.rows.values() if (who.mobile_phone or "").startswith("+1907")]
    assert [who.customer_id in night.times for who in explained] == [False]
