"""Senders that are overtaken: by a pause, a resume, a death, an expiry, or by each other, at the worst moment.

Whoever has not been handed over is still to be sent to, exactly once; whoever may have been is not sent to again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import time, timedelta
from functools import partial
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import EMAIL_ACCOUNT
from rebound.businesses.domain.quiet_hours import HoldReason, QuietHours, QuietWindow
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import ChunkKey, ChunkState
from rebound.contacts.domain.reachability import Failure
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import MessageStatus
from rebound.rates.domain import HORIZON, Lane, Quota
from rebound.sending.application.acquire_send_slot import SlotResult
from rebound.sending.application.chunk_lifecycle import LEASE
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask
from rebound.sending.domain.recipients import Refused
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, business, contact_key, customer, id_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import World, always

SENDER_FAULT: Final = {Channel.EMAIL: "ACCOUNT_SUSPENDED", Channel.SMS: "20003"}
NIGHT_OF_NOON: Final = QuietWindow(time(0), time(11))
"""Quiet where the salon and its customers are, at noon in London."""
CHANNELS: Final = pytest.mark.parametrize("channel", list(Channel))


class Race(World):
    """A campaign whose one chunk is on its queue, and a way to step in between two calls of its sender."""

    def __init__(self, channel: Channel, people: int, **given: object) -> None:
        super().__init__(business(), ranges=1)
        self.channel = channel
        self.script = self.mailer if channel is Channel.EMAIL else self.twilio_texter
        self.add(*(customer(number) for number in range(1, people + 1)))
        self.campaign_id = self.post(channel, **given).campaign.campaign_id
        self.begin(self.campaign_id)

    def address(self, number: int) -> str:
        return customer(number).address(self.channel) or ""

    def send(self, size: int | None = None, owner: str = "worker-1") -> None:
        """One worker with the chunk's task, which is taken off the queue."""
        (waiting,) = [found for queue in self.chunk_queue.queues.values() for found in queue.receive(self.random)]
        for queue in self.chunk_queue.queues.values():
            queue.messages.pop(waiting.name, None)
        task = waiting.body if size is None else ChunkTask(waiting.body.key, size, Lane.BULK)
        if self.channel is Channel.EMAIL:
            self.send_email(task, owner)
        else:
            self.send_text(task, owner, always)

    @contextmanager
    def stepping_in(
        self, where: str, does: Callable[[], object], *, times: int = 1, side: str = "before"
    ) -> Iterator[None]:
        """Let something else happen at the nth call of a port, once."""
        seen = 0

        def checkpoint(here: Boundary) -> None:
            nonlocal seen
            if (here, here.side) != (where, side):
                return
            seen += 1
            if seen == times:
                self.checkpoint = lambda _: None
                does()

        self.checkpoint = checkpoint
        yield
        assert seen >= times, f"the sender never came to {where}"
        self.checkpoint = lambda _: None

    def steer(self, order: str) -> Callable[[], None]:
        """A pause, a resume or a cancellation, with the requeue that a resume starts."""

        def does() -> None:
            getattr(self.steer_campaign, order)(BUSINESS_ID, self.campaign_id)
            while self.runner.requeues:
                assert self.requeue_campaign(*self.runner.requeues.pop(), None, always) is None

        return does

    def ends(self) -> None:
        """Whatever is left happens; the campaign drains and adds up."""
        self.end(self.campaign_id)
        self.rest()
        assert adds_up(self.campaign_service.get(BUSINESS_ID, self.campaign_id))
        assert {chunk.state for chunk in self.chunks.rows.values()} == {ChunkState.DONE}

    @property
    def handed_to(self) -> list[int]:
        """The customers who were handed over, in order, some perhaps twice."""
        numbers = {id_of(number): number for number in range(1, 100)}
        return [numbers[handed.key.customer_id] for handed in self.script.handed]

    @property
    def statuses(self) -> dict[int, MessageStatus]:
        numbers = {id_of(number): number for number in range(1, 100)}
        return {numbers[key.customer_id]: message.status for key, message in self.messages.rows.items()}

    def order(self) -> Sequence[int]:
        """The recipients of the chunk in its order."""
        (chunk,) = self.chunks.rows.values()
        numbers = {id_of(number): number for number in range(1, 100)}
        return [numbers[customer_id] for customer_id in chunk.customer_ids]


# --- pauses and resumes -----------------------------------------------------------------------------------------------


@given(refused=st.integers(1, 6), sent=st.integers(0, 3))
def test_a_pause_after_a_few_refusals_of_our_own_sets_the_refused_aside_with_the_others(
    refused: int, sent: int
) -> None:
    race = Race(Channel.SMS, refused + sent + 3)
    first = race.order()[: refused + sent]
    for number in first[:refused]:
        race.script.answer(race.address(number), Refused(SENDER_FAULT[Channel.SMS]))
    with race.stepping_in("twilio_texter.send", race.steer("pause"), times=refused + sent, side="after"):
        race.send()
    (chunk,) = race.chunks.rows.values()
    assert {id_of(number) for number in first[:refused]} < set(chunk.remaining)
    assert race.handed_to == list(first)
    race.steer("resume")()
    race.ends()

    assert set(race.statuses.values()) == {MessageStatus.DELIVERED}
    assert len(race.statuses) == refused + sent + 3
    assert set(race.script.went_out.values()) == {1}


@CHANNELS
@pytest.mark.parametrize("paused_by", ["a person", "itself"])
def test_a_resume_between_the_look_at_the_status_and_the_putting_back_leaves_no_chunk_lying(
    channel: Channel, paused_by: str
) -> None:
    """The resume finds no chunk that is set aside, because this one is put back only after it."""
    race = Race(channel, 10)
    if paused_by == "itself":
        for number in range(1, 11):
            race.script.answer(race.address(number), Refused(SENDER_FAULT[channel]))
    else:
        race.steer("pause")()
    with race.stepping_in("chunks.put_back", race.steer("resume")):
        race.send()
    (chunk,) = race.chunks.rows.values()
    assert chunk.state is ChunkState.PENDING
    waiting = [each.body for queue in race.chunk_queue.queues.values() for each in queue.messages.values()]
    assert [(task.key, task.size) for task in waiting] == [(chunk.key, 10)]
    race.ends()

    assert set(race.statuses.values()) == {MessageStatus.DELIVERED}
    assert set(race.script.went_out.values()) == {1}
    assert len(race.script.went_out) == 10


@CHANNELS
def test_what_is_set_aside_while_the_campaign_stays_paused_is_on_no_queue(channel: Channel) -> None:
    race = Race(channel, 3)
    race.steer("pause")()
    race.send()

    assert not any(queue.messages for queue in race.chunk_queue.queues.values())
    assert race.script.handed == []


@CHANNELS
def test_a_cancellation_that_comes_while_a_chunk_begins_to_wait_does_not_wait_for_the_morning(channel: Channel) -> None:
    """It may have looked for chunks before this one was put back."""
    race = Race(channel, 2)
    night = business(quiet_hours=QuietHours(sms=NIGHT_OF_NOON, email=NIGHT_OF_NOON))
    race.businesses.replace(night)
    before = race.clock.now()
    with race.stepping_in("chunks.put_back", race.steer("cancel")):
        race.send()
    queued = [each.body for queue in race.chunk_queue.queues.values() for each in queue.messages.values()]
    assert [task.size for task in queued] == [2]
    race.send()

    assert race.clock.now() == before
    assert race.statuses == {1: MessageStatus.CANCELLED, 2: MessageStatus.CANCELLED}


# --- deaths in the call -----------------------------------------------------------------------------------------------


def dies() -> None:
    raise WorkerDiedError


@given(flagged=st.integers(17, 40), others=st.integers(1, 5), side=st.sampled_from(["before", "after"]))
def test_a_death_in_the_call_leaves_those_for_whom_there_was_no_time_to_be_sent_to(
    flagged: int, others: int, side: str
) -> None:
    race = Race(Channel.EMAIL, flagged + others, exclude_failed=False)
    for number in range(1, flagged + 1):
        race.know(contact_key(number), Failure(at(-9), f"m{number}", Provider.SES, NO_SUCH_MAILBOX))
        race.suppressions.put(race.address(number), "BOUNCE")
    with race.stepping_in("mailer.send", dies, side=side), pytest.raises(WorkerDiedError):
        race.send(owner="worker-that-dies")
    (chunk,) = race.chunks.rows.values()
    come_again, called = set(chunk.waiting), set(chunk.remaining) - set(chunk.waiting)
    assert come_again
    assert {id_of(number) for number in range(flagged + 1, flagged + others + 1)} <= called
    race.clock.move(LEASE)
    race.chunk_queue.put(race.channel, [ChunkTask(chunk.key, flagged + others, Lane.BULK)])
    race.ends()

    uncertain = {number for number, status in race.statuses.items() if status is MessageStatus.UNCERTAIN}
    # Those whose receipts came afterwards are known to have been delivered.
    assert {id_of(number) for number in uncertain} <= called
    assert {key.customer_id for key in race.script.went_out} >= come_again
    assert set(race.script.went_out.values()) == {1}
    if side == "before":
        assert {id_of(number) for number in uncertain} == called


@given(people=st.integers(2, 8), data=st.data())
def test_a_death_in_the_call_leaves_those_for_whom_no_turn_was_booked_to_be_sent_to(
    people: int, data: st.DataObject
) -> None:
    booked = data.draw(st.integers(1, people - 1))
    race = Race(Channel.EMAIL, people)
    with race.stepping_in("mailer.send", dies), pytest.raises(WorkerDiedError):
        race.send(booked, "worker-that-dies")
    (chunk,) = race.chunks.rows.values()
    assert len(chunk.waiting) == people - booked
    race.clock.move(LEASE)
    race.chunk_queue.put(race.channel, [ChunkTask(chunk.key, people, Lane.BULK)])
    race.ends()

    assert len(race.handed_to) == people - booked
    assert list(race.statuses.values()).count(MessageStatus.UNCERTAIN) == booked
    assert list(race.statuses.values()).count(MessageStatus.DELIVERED) == people - booked


def test_a_text_that_another_worker_has_taken_meanwhile_is_not_failed_by_the_one_that_kept_it_back() -> None:
    race = Race(Channel.SMS, 5)
    kept = race.order()[0]
    race.script.answer(race.address(kept), Refused(SENDER_FAULT[Channel.SMS]))
    campaign = race.campaigns.get(BUSINESS_ID, race.campaign_id)

    def another_takes_it() -> None:
        (key,) = [handed.key for handed in race.script.handed if handed.to == race.address(kept)]
        (chunk,) = race.chunks.rows.values()
        assert key.message_id == campaign.message_id(id_of(kept))
        assert id_of(kept) in chunk.remaining
        claimed = race.messages.rows[key]
        assert race.messages.claim(claimed)

    # After the five texts have been claimed, the one that was kept back is claimed once more to be failed.
    with race.stepping_in("messages.claim", another_takes_it, times=6):
        race.send()

    assert [waiting.body for waiting in race.receipt_queue.queue.messages.values() if _failed(waiting.body)] == []
    assert race.statuses[kept] is MessageStatus.SENDING


def _failed(receipts: Sequence[object]) -> bool:
    return any(getattr(receipt, "outcome", None) == "failed" for receipt in receipts)


# --- faults of our own ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [1, 3, 9])
def test_a_call_of_which_everything_is_refused_for_our_own_fault_pauses_however_small_it_is(people: int) -> None:
    race = Race(Channel.EMAIL, people)
    for number in range(1, people + 1):
        race.script.answer(race.address(number), Refused(SENDER_FAULT[Channel.EMAIL]))
    race.send()

    assert race.campaigns.get(BUSINESS_ID, race.campaign_id).status is CampaignStatus.PAUSED
    assert race.statuses == {}
    race.steer("resume")()
    race.ends()
    assert set(race.statuses.values()) == {MessageStatus.DELIVERED}


@pytest.mark.parametrize("people", [2, 9])
def test_a_call_of_which_something_is_taken_fails_only_what_is_refused(people: int) -> None:
    race = Race(Channel.EMAIL, people)
    for number in range(2, people + 1):
        race.script.answer(race.address(number), Refused(SENDER_FAULT[Channel.EMAIL]))
    race.send()
    race.ends()

    assert race.campaigns.get(BUSINESS_ID, race.campaign_id).status is CampaignStatus.COMPLETED
    assert race.statuses.pop(1) is MessageStatus.DELIVERED
    assert list(race.statuses.values()).count(MessageStatus.FAILED) == people - 1


# --- expiry without quiet hours ---------------------------------------------------------------------------------------


@given(flagged=st.integers(1, 14), seconds=st.integers(1, 20))
def test_what_expires_while_the_suppression_list_is_cleared_is_not_handed_over(flagged: int, seconds: int) -> None:
    """One removal takes two calls, of which there is one a second."""
    race = Race(Channel.EMAIL, flagged + 2, exclude_failed=False, timing=Timing(expires_at=at(seconds)))
    for number in range(1, flagged + 1):
        race.know(contact_key(number), Failure(at(-9), f"m{number}", Provider.SES, NO_SUCH_MAILBOX))
        race.suppressions.put(race.address(number), "BOUNCE")
    race.send()
    took = race.clock.now() - at()
    race.ends()

    assert bool(race.handed_to) is (took < timedelta(seconds=seconds))
    reasons = {message.reason for message in race.messages.rows.values() if message.status is MessageStatus.EXCLUDED}
    assert reasons <= {Exclusion.EXPIRED}
    assert len(race.statuses) == flagged + 2


@given(people=st.integers(2, 9), milliseconds=st.integers(100, 2500), seconds=st.integers(1, 6))
def test_what_expires_while_a_slow_provider_takes_the_texts_before_it_is_not_handed_over(
    people: int, milliseconds: int, seconds: int
) -> None:
    race = Race(Channel.SMS, people, timing=Timing(expires_at=at(seconds)))
    times: list[timedelta] = []

    def takes_its_time(*_: object) -> None:
        times.append(race.clock.now() - at())
        race.clock.move(timedelta(milliseconds=milliseconds))

    race.script.taken.append(takes_its_time)
    race.send()
    race.ends()

    limit = timedelta(seconds=seconds)
    assert all(time < limit for time in times)
    assert len(times) == min(people, -(-seconds * 1000 // milliseconds))
    assert list(race.statuses.values()).count(MessageStatus.EXCLUDED) == people - len(times)


# --- while a campaign is expanded and drained -------------------------------------------------------------------------


@CHANNELS
def test_a_cancellation_between_the_commit_of_chunks_that_wait_and_their_queue_ends_them_at_once(
    channel: Channel,
) -> None:
    """It has looked for chunks before these were there, so it cannot have put them on their lane."""
    world = World(business(quiet_hours=QuietHours(sms=NIGHT_OF_NOON, email=NIGHT_OF_NOON)), ranges=1)
    world.add(customer(1), customer(2))
    campaign_id = world.post(channel).campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)

    def cancel(where: Boundary) -> None:
        if (where, where.side) == ("deferred_queue.put", "before"):
            world.checkpoint = lambda _: None
            world.steer_campaign.cancel(BUSINESS_ID, campaign_id)
            world.runner.requeues.clear()

    world.checkpoint = cancel
    assert world.expand_campaign(BUSINESS_ID, campaign_id, 0, always)
    (task,) = [each.body for queue in world.chunk_queue.queues.values() for each in queue.messages.values()]
    assert task.size == 2
    send = world.send_email if channel is Channel.EMAIL else partial(world.send_text, may_go_on=always)
    send(task, "worker-1")

    assert {message.status for message in world.messages.rows.values()} == {MessageStatus.CANCELLED}
    assert world.clock.now() == at()


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_campaign_that_has_ended_is_drained_at_the_first_look_whoever_is_left(status: str) -> None:
    """Else its execution would poll for as long as a chunk lies in the dead letters."""
    race = Race(Channel.EMAIL, 3)
    if status == "cancelled":
        race.steer_campaign.cancel(BUSINESS_ID, race.campaign_id)
    else:
        race.close_campaign.fail(BUSINESS_ID, race.campaign_id, "No such segment.")
    drained = race.drain_campaign(BUSINESS_ID, race.campaign_id, 0)

    assert drained.drained
    assert race.campaign_service.get(BUSINESS_ID, race.campaign_id).results[MessageStatus.QUEUED] == 3


@pytest.mark.parametrize("order", ["resume", "cancel"])
def test_why_a_campaign_paused_by_itself_is_forgotten_once_somebody_has_steered_it(order: str) -> None:
    race = Race(Channel.EMAIL, 3)
    for number in (1, 2, 3):
        race.script.answer(race.address(number), Refused(SENDER_FAULT[Channel.EMAIL]))
    race.send()
    paused = race.campaigns.get(BUSINESS_ID, race.campaign_id)
    race.steer(order)()
    steered = race.campaigns.get(BUSINESS_ID, race.campaign_id)

    assert "refused 3 of 3" in (paused.paused_because or "")
    assert (steered.paused_because, steered.window) == (None, paused.window + (order == "resume"))


@given(hours=st.lists(st.integers(1, 300), min_size=1, max_size=4, unique=True), age=st.integers(0, 400))
def test_while_people_wait_for_several_hours_the_next_look_is_due_at_the_last_of_them(
    hours: list[int], age: int
) -> None:
    """A look before the last of these hours cannot find the campaign drained."""
    race = Race(Channel.SMS, 2)
    race.clock.move_to(at(age))
    until = {at(age + minutes * 60): HoldReason.QUIET_HOURS for minutes in hours}
    race.chunks.note_holds(race.campaign_id, until)
    drained = race.drain_campaign(BUSINESS_ID, race.campaign_id, 0)

    assert not drained.drained
    # No later than in an hour, nor than the campaign is old by now, since the hours may change; a minute at least.
    assert drained.wait_seconds == min(max(hours) * 60, max(age, 60), 3600)


def test_whoever_is_released_from_a_hold_before_their_hour_takes_a_turn_like_everybody_else() -> None:
    """Changed settings let thousands go at once, and the account has a rate."""
    race = Race(Channel.SMS, 5)
    (chunk,) = race.chunks.rows.values()
    since = race.clock.now()
    deferred = DeferredChunkTask(Channel.SMS, ChunkTask(chunk.key, 5, Lane.BULK), at(9 * 3600), since, 0)
    for queue in race.chunk_queue.queues.values():
        queue.messages.clear()
    race.clock.move(timedelta(minutes=5))
    race.settings_of_business.change(BUSINESS_ID, {"name": "Salon Vale"})
    race.release_held([deferred])
    race.send(owner="looks again")

    assert race.script.handed == []
    (task,) = [each.body for queue in race.chunk_queue.queues.values() for each in queue.messages.values()]
    assert (task.size, task.turn_at) == (5, None)
    race.send(owner="sends")
    assert len(race.script.handed) == 5


@given(waiting=st.integers(0, 3), size=st.integers(1, 50), seed=st.integers(0, 99))
def test_a_chunk_that_finds_no_room_stays_away_for_a_good_part_of_what_is_booked_however_little_waits(
    waiting: int, size: int, seed: int
) -> None:
    """Each time it comes costs a receive, a read and a write."""
    world = World(business(), seed=seed)
    world.quotas.now = Quota(100.0)
    world.rates.book = lambda *_: None  # type: ignore[method-assign]
    key = ChunkKey(BUSINESS_ID, "campaign", "chunk#000#0000000")
    for _ in range(waiting):
        world.chunk_queue.put(Channel.EMAIL, [ChunkTask(key, size, Lane.BULK)])
    before = world.chunk_queue.waiting(Channel.EMAIL, Lane.BULK)
    assert (
        world.send_email.acquire_slot(Channel.EMAIL, ChunkTask(key, size, Lane.BULK), EMAIL_ACCOUNT)
        is SlotResult.NOTHING
    )

    assert HORIZON / 2 <= world.chunk_queue.delays[-1] <= HORIZON
    assert world.chunk_queue.waiting(Channel.EMAIL, Lane.BULK) == before + 1
