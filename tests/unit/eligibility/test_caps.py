"""Caps at work: places are taken before a hand-over and given back when it failed, whoever dies or comes first."""

from collections import Counter, defaultdict
from collections.abc import Callable
from copy import replace
from datetime import time, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

import pytest

from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import Failure, Tried
from rebound.eligibility.application.explain_reachability import ExplainReachability
from rebound.eligibility.application.frequency_reservations import FrequencyReservations
from rebound.eligibility.application.preview_audience import Question
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.jobs.domain import JobKind, audience_of
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import Throttled
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from rebound.sending.application.chunk_lifecycle import LEASE
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.sending.domain.recipients import Refused, SendResult, Unknown
from rebound.templates.domain.content import EmailContent, TextContent
from tests.contract.campaigns.fakes import adds_up
from tests.contract.contacts.fakes import known_whereabouts
from tests.fakes.making import BUSINESS_ID, at, business, contact_key, customer, everybody, id_of
from tests.fakes.watching import Boundary, BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos, World, always

DAY: Final = timedelta(days=1)
ONE: Final = FrequencyCap("One a week", (Category.MARKETING,), at_most=1, within_days=7)
SENDER_FAULT: Final = {Channel.EMAIL: "ACCOUNT_SUSPENDED", Channel.SMS: "20003"}
CHANNELS: Final = pytest.mark.parametrize("channel", list(Channel))


def capped(*caps: FrequencyCap, people: int = 3, **given: Any) -> World:
    """A salon that caps, with some customers."""
    world = World(business(frequency_caps=caps or (ONE,), loyalty_interval_days=None), ranges=1, **given)
    world.add(*(customer(number) for number in range(1, people + 1)))
    return world


def rows_of(world: World, number: int) -> list[Message]:
    """Everything about a customer in the client log, the first run first."""
    rows = [row for key, row in world.messages.rows.items() if key.customer_id == id_of(number)]
    return sorted(rows, key=lambda row: row.key.message_id)


def places_of(world: World, number: int) -> tuple[HandOver, ...]:
    return world.frequencies.get_many(BUSINESS_ID, [id_of(number)])[id_of(number)].hand_overs


def run(world: World, channel: Channel = Channel.EMAIL, **given: Any) -> CampaignView:
    return world.run(world.post(channel, **given).campaign.campaign_id)


# --- what counts ------------------------------------------------------------------------------------------------------


@CHANNELS
def test_a_second_campaign_within_the_window_leaves_out_and_one_after_it_sends(channel: Channel) -> None:
    world = capped()
    first = run(world, channel)
    began = world.clock.now()
    second = run(world, channel)
    world.clock.move(7 * DAY)
    third = run(world, channel)

    assert [dict(view.audience.excluded) for view in (first, second, third)] == [{}, {"frequency_cap": 3}, {}]
    assert all(adds_up(view) for view in (first, second, third))
    assert began < at(60)


@CHANNELS
def test_what_no_cap_covers_reads_and_writes_nothing_for_caps(channel: Channel) -> None:
    world = capped(replace(ONE, channel=next(other for other in Channel if other is not channel)))
    run(world, channel)
    run(world, Channel.SMS, category=Category.REMINDER)
    world.preview_audience(BUSINESS_ID, Question(everybody(), channel, Category.MARKETING))

    assert (world.frequencies.reads, world.frequencies.writes) == (0, 0)


@CHANNELS
def test_what_a_cap_covers_is_written_once_for_each_message(channel: Channel) -> None:
    world = capped(people=3)
    run(world, channel)

    # Once when it is accepted, once at the expansion, once at the send.
    assert (world.frequencies.reads, world.frequencies.writes) == (9, 3)


@CHANNELS
@pytest.mark.parametrize(
    ("result", "went_out", "counts"),
    [
        (Refused("MESSAGE_REJECTED"), False, False),
        (Refused("21211"), False, False),
        (Unknown("ReadTimeoutError"), False, True),
        (Unknown("ReadTimeoutError"), True, True),
    ],
)
def test_what_a_provider_refused_does_not_count_and_what_may_have_gone_out_does(
    channel: Channel, result: SendResult, went_out: bool, counts: bool
) -> None:
    world = capped(people=1)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    script.answer(customer(1).address(channel) or "", result, went_out=went_out)
    run(world, channel)

    assert bool(places_of(world, 1)) is counts
    other = next(other for other in Channel if other is not channel)
    assert run(world, other).audience.targeted == (not counts)


@CHANNELS
def test_one_that_was_throttled_gives_its_place_back_until_its_next_attempt(channel: Channel) -> None:
    world = capped(people=1)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    script.answer(customer(1).address(channel) or "", Throttled("ACCOUNT_THROTTLED"))
    seen: list[int] = []

    def note(where: Boundary) -> None:
        if where == "chunks.put_back" and where.side == "before":
            seen.append(len(places_of(world, 1)))

    world.checkpoint = note
    view = run(world, channel)

    assert seen == [0]
    assert len(places_of(world, 1)) == 1
    assert view.results[MessageStatus.DELIVERED] == 1


@CHANNELS
def test_a_campaign_that_is_paused_for_our_own_fault_keeps_no_places(channel: Channel) -> None:
    world = capped(people=20)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    for number in range(1, 21):
        script.answer(customer(number).address(channel) or "", Refused(SENDER_FAULT[channel]))
    campaign_id = world.post(channel).campaign.campaign_id
    world.begin(campaign_id)
    world.rest()

    assert world.campaign_service.get(BUSINESS_ID, campaign_id).campaign.status == "paused"
    assert not any(places_of(world, number) for number in range(1, 21))
    assert world.frequencies.writes > 0


def test_a_message_that_came_back_counts_because_the_provider_took_it() -> None:
    world = capped(people=1)
    world.outcomes["ana1@example.com"] = ((Outcome.FAILED, "Transient/General", 1.0),)
    run(world)

    assert dict(run(world).audience.excluded) == {"frequency_cap": 1}


def test_a_single_message_takes_a_place_and_is_left_out_when_there_is_none() -> None:
    world = capped(people=1)

    def post() -> None:
        world.post_message(
            BUSINESS_ID,
            customer_id=id_of(1),
            category=Category.MARKETING,
            channel=Channel.SMS,
            content=TextContent("Hi"),
        )
        world.rest()

    post()
    post()
    sent, left_out = rows_of(world, 1)

    assert sent.status is MessageStatus.DELIVERED
    assert (left_out.status, left_out.reason) == (MessageStatus.EXCLUDED, "frequency_cap")
    assert left_out.free_again_at == places_of(world, 1)[0].at + 7 * DAY


@pytest.mark.parametrize("missed", [False, True])
def test_a_place_that_another_message_took_after_the_expansion_leaves_out_with_the_date(missed: bool) -> None:
    world = capped(people=1)
    world.frequencies.behind = lambda: missed
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    wanted = HandOver("other", at(-3600), Category.MARKETING, Channel.SMS)
    world.frequencies.save(Frequency(BUSINESS_ID, id_of(1)).reserving(wanted, [ONE]), at(0))
    world.end(campaign_id)
    world.rest()
    (row,) = rows_of(world, 1)

    assert (row.status, row.reason, row.free_again_at) == (
        MessageStatus.EXCLUDED,
        Exclusion.FREQUENCY_CAP,
        at(-3600) + 7 * DAY,
    )
    assert world.mailer.handed == []


def test_segments_are_told_apart_by_preview_send_and_explanation() -> None:
    weekly = FrequencyCap("Loyalty", (Category.LOYALTY,), at_most=1, within_days=7, per_segment=True)
    world = capped(weekly, people=1)
    for name in ("vips", "new"):
        world.segments.put(Segment(BUSINESS_ID, name, name, everybody(), at(0)))

    def send(segment_id: str | None) -> int:
        chosen = Selection(filter=everybody()) if segment_id is None else Selection(segment_id=segment_id)
        return run(world, category=Category.LOYALTY, selection=chosen).audience.targeted

    def previewed(segment_id: str | None) -> int:
        question = Question(everybody(), Channel.EMAIL, Category.LOYALTY, segment_id=segment_id)
        job = world.run_to_end(world.job_service.start(BUSINESS_ID, JobKind.PREVIEW, question.written()))
        now = world.preview_audience(BUSINESS_ID, question)
        assert now is not None
        assert now == audience_of(job.counts[0])
        return now.targeted

    explained = ExplainReachability(
        customers=world.customers,
        contacts=world.contacts,
        frequencies=world.frequencies,
        summaries=world.summaries,
        pin_filters=world.pin_filters,
        businesses=world.businesses,
        messages=world.messages,
        clock=world.clock,
        whereabouts=known_whereabouts,
    )

    def said(segment_id: str | None) -> object:
        return explained(BUSINESS_ID, id_of(1), Channel.EMAIL, Category.LOYALTY, segment_id=segment_id).decision

    for segment_id in ("vips", "new", None):
        assert (previewed(segment_id), send(segment_id)) == (1, 1)
        assert (previewed(segment_id), said(segment_id), send(segment_id)) == (0, Exclusion.FREQUENCY_CAP, 0)


# --- tries, opt-outs, pauses ------------------------------------------------------------------------------------------


def test_a_try_that_a_cap_keeps_back_is_not_written_down() -> None:
    world = World(business(frequency_caps=(ONE,), recovery=Recovery(probe_marketing=True)), ranges=1)
    world.add(customer(1))
    world.know(contact_key(1), Failure(at(0) - 2 * DAY, "m", Provider.SES, "Transient/MailboxFull"))
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    wanted = HandOver("other", at(-3600), Category.MARKETING, Channel.SMS)
    world.frequencies.save(Frequency(BUSINESS_ID, id_of(1)).reserving(wanted, [ONE]), at(0))
    world.end(campaign_id)

    assert world.contacts.rows[contact_key(1)].reachability.tried is None
    assert world.mailer.handed == []


def test_a_place_is_given_back_when_somebody_else_takes_the_try_meanwhile() -> None:
    world = World(business(frequency_caps=(ONE,), recovery=Recovery(probe_marketing=True)), ranges=1)
    world.add(customer(1))
    world.know(contact_key(1), Failure(at(0) - 2 * DAY, "m", Provider.SES, "Transient/MailboxFull"))
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)

    def interfere(where: Boundary) -> None:
        if where == "frequencies.save" and where.side == "after":
            assert len(places_of(world, 1)) == 1
            world.checkpoint = lambda _: None
            world.know(contact_key(1), Tried(world.clock.now(), "another"))

    world.checkpoint = interfere
    world.end(campaign_id)
    world.rest()

    assert [row.reason for row in rows_of(world, 1)] == ["invalid_contact"]
    assert places_of(world, 1) == ()
    assert world.mailer.handed == []


def one_chunk(world: World, channel: Channel, **given: Any) -> str:
    """A campaign of which the first sender dies right after it took its first place."""
    campaign_id = world.post(channel, **given).campaign.campaign_id
    world.begin(campaign_id)

    def die(where: Boundary) -> None:
        if where == "frequencies.save" and where.side == "after":
            world.checkpoint = lambda _: None
            raise WorkerDiedError(where)

    world.checkpoint = die
    return campaign_id


def only_ticket(world: World) -> ChunkTask:
    """What is on the queues."""
    (waiting,) = [found for queue in world.chunk_queue.queues.values() for found in queue.receive(world.random)]
    return waiting.body


def send_and_die(world: World, channel: Channel) -> None:
    task = only_ticket(world)
    send = partial(world.send_text, may_go_on=always) if channel is Channel.SMS else world.send_email
    with pytest.raises(WorkerDiedError):
        send(task, "worker-that-dies")


@CHANNELS
def test_a_sender_that_comes_back_finds_its_place_and_moves_it_to_its_own_time(channel: Channel) -> None:
    world = capped(people=1)
    campaign_id = one_chunk(world, channel)
    world.end(campaign_id)
    world.rest()
    (row,), (place,) = rows_of(world, 1), places_of(world, 1)

    # A chunk of texts was marked already: the attempt in between only settles it.
    attempt = 3 if channel is Channel.SMS else 2
    assert row.status is MessageStatus.DELIVERED
    assert (place.message_id, place.at, place.attempt) == (row.key.message_id, row.sent_at, attempt)
    assert place.at >= at(0) + LEASE


@CHANNELS
def test_who_opts_out_after_a_death_loses_the_place_too(channel: Channel) -> None:
    world = capped(people=1)
    campaign_id = one_chunk(world, channel)
    send_and_die(world, channel)
    assert len(places_of(world, 1)) == 1
    world.know(contact_key(1, channel), ConsentEvidence(at(9), Scope.ALL, True, ConsentSource.PROVIDER))
    world.clock.move(timedelta(minutes=20))
    world.end(campaign_id)
    world.rest()

    assert [row.reason for row in rows_of(world, 1)] == ["opted_out"]
    assert places_of(world, 1) == ()


@CHANNELS
def test_who_cannot_be_written_to_any_more_after_a_death_loses_the_place_too(channel: Channel) -> None:
    world = capped(people=0)
    world.add(customer(1, gender="f"))
    subject = EmailContent("##{{gender}}", text="Hi") if channel is Channel.EMAIL else TextContent("##{{gender}}")
    campaign_id = one_chunk(world, channel, content=subject)
    send_and_die(world, channel)
    world.customers.rows[BUSINESS_ID, id_of(1)] = customer(1)
    world.clock.move(timedelta(minutes=20))
    world.end(campaign_id)
    world.rest()

    assert [row.reason for row in rows_of(world, 1)] == ["cannot_render"]
    assert places_of(world, 1) == ()


@CHANNELS
@pytest.mark.parametrize("order", ["pause", "cancel"])
def test_a_pause_and_a_cancellation_after_a_death_free_the_places(channel: Channel, order: str) -> None:
    world = capped(people=1)
    campaign_id = one_chunk(world, channel)
    send_and_die(world, channel)
    getattr(world.steer_campaign, order)(BUSINESS_ID, campaign_id)
    world.clock.move(timedelta(minutes=20))
    world.rest()

    assert places_of(world, 1) == ()


QUIET_HOUR: Final = QuietWindow(time(5), time(6))
"""Where the customers are it begins an hour after noon in London."""


@pytest.mark.parametrize("then", ["is held", "is held at the last moment", "is throttled", "has no turn"])
def test_whoever_waits_again_after_a_death_keeps_no_place_meanwhile(then: str) -> None:
    """The place of the dead attempt would keep other messages back for as long as this one waits."""
    world = capped(people=1)
    campaign_id = one_chunk(world, Channel.EMAIL)
    task = only_ticket(world)
    with pytest.raises(WorkerDiedError):
        world.send_email(task, "worker-that-dies")
    world.clock.move(LEASE)
    seen: list[int] = []
    looks = count()

    def note(where: Boundary) -> None:
        if where == "chunks.put_back" and where.side == "before":
            seen.append(len(places_of(world, 1)))
        # The first look at the campaign is before the decision, the second one after it.
        if where == "campaigns.get" and where.side == "before" and next(looks) and then.endswith("last moment"):
            world.clock.move_to(at(3600))

    world.checkpoint = note
    if then.startswith("is held"):
        world.businesses.replace(business(frequency_caps=(ONE,), quiet_hours=QuietHours(None, QUIET_HOUR)))
        world.clock.move_to(at(3600 if then == "is held" else 3599))
    if then == "is throttled":
        world.mailer.answer("ana1@example.com", Throttled("ACCOUNT_THROTTLED"))
    assert len(places_of(world, 1)) == 1
    world.send_email(replace(task, size=0 if then == "has no turn" else 1, turn_at=world.clock.now()), "worker-2")

    assert seen == [0]
    world.checkpoint = lambda _: None
    world.end(campaign_id)
    world.rest()
    assert [row.status for row in rows_of(world, 1)] == [MessageStatus.DELIVERED]
    assert len(places_of(world, 1)) == 1


def test_a_text_that_was_not_claimed_before_its_sender_died_keeps_no_place_until_its_next_turn() -> None:
    world = capped(people=1)
    campaign_id = one_chunk(world, Channel.SMS)
    task = only_ticket(world)
    with pytest.raises(WorkerDiedError):
        world.send_text(task, "worker-that-dies", always)
    assert len(places_of(world, 1)) == 1
    world.clock.move(LEASE)
    world.send_text(task, "worker-2", always)

    assert places_of(world, 1) == ()
    world.end(campaign_id)
    world.rest()
    assert [row.status for row in rows_of(world, 1)] == [MessageStatus.DELIVERED]


@pytest.mark.parametrize("then", ["is held", "is held at the last moment", "cannot be rendered", "has no time"])
def test_a_place_that_others_kept_a_settling_worker_from_giving_back_is_given_back_at_the_next_turn(then: str) -> None:
    world = capped(people=0)
    world.add(customer(1, gender="f"))
    campaign_id = one_chunk(
        world, Channel.SMS, content=TextContent("Hi ##{{gender}}"[3 * (then == "cannot be rendered") :])
    )
    task = only_ticket(world)
    with pytest.raises(WorkerDiedError):
        world.send_text(task, "worker-that-dies", always)
    world.clock.move(LEASE)

    def contend(where: Boundary) -> None:
        if where == "frequencies.save" and where.side == "before":
            raise ConcurrentChangeError

    world.checkpoint = contend
    world.send_text(task, "worker-2", always)
    assert len(places_of(world, 1)) == 1

    def pass_time(where: Boundary) -> None:
        if then == "is held at the last moment" and where == "chunks.mark":
            world.clock.move_to(at(3600))

    world.checkpoint = pass_time
    if then.startswith("is held"):
        world.businesses.replace(business(frequency_caps=(ONE,), quiet_hours=QuietHours(QUIET_HOUR, None)))
        # The lease that is over has taken a while.
        world.clock.move_to(at(3600 if then == "is held" else 3599.5))
    if then == "cannot be rendered":
        world.customers.rows[BUSINESS_ID, id_of(1)] = customer(1)
    world.send_text(replace(task, turn_at=world.clock.now()), "worker-3", lambda: then != "has no time")

    assert world.twilio_texter.handed == []
    assert places_of(world, 1) == ()
    world.checkpoint = lambda _: None
    world.end(campaign_id)
    world.rest()
    rendered = then != "cannot be rendered"
    (row,) = rows_of(world, 1)
    assert row.status is (MessageStatus.DELIVERED if rendered else MessageStatus.EXCLUDED)
    assert len(places_of(world, 1)) == rendered


def test_a_sender_whose_chunk_another_holds_since_sends_nothing() -> None:
    world = capped(people=1)
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    task = only_ticket(world)
    message_id = world.campaigns.get(BUSINESS_ID, campaign_id).message_id(id_of(1))
    later = HandOver(message_id, at(0), Category.MARKETING, Channel.EMAIL, attempt=2)
    world.frequencies.save(Frequency(BUSINESS_ID, id_of(1)).reserving(later, [ONE]), at(0))
    with pytest.raises(ConcurrentChangeError):
        world.send_email(task, "worker-1")

    assert world.mailer.handed == []
    assert places_of(world, 1) == (later,)


def test_a_sender_that_knows_of_no_cap_leaves_the_places_of_those_who_do() -> None:
    world = capped(people=1)
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    other = HandOver("other", at(-60), Category.MARKETING, Channel.SMS)
    known = world.frequencies.save(Frequency(BUSINESS_ID, id_of(1)).reserving(other, [ONE]), at(0))
    running = world.campaigns.get(BUSINESS_ID, campaign_id)
    case = Case(customer(1), None, business(), running, world.clock.now(), known)

    assert FrequencyReservations(frequencies=world.frequencies, clock=world.clock).reserve(case, 1) is None
    assert places_of(world, 1) == (other,)


# --- never more than a cap, never nobody ------------------------------------------------------------------------------


class Watched(World):
    """A world that notes when providers were really handed what."""

    def __init__(self, *caps: FrequencyCap, people: int, seed: int = 0) -> None:
        super().__init__(business(frequency_caps=caps), seed=seed, ranges=2)
        self.caps = caps
        self.went_out: defaultdict[str, list[HandOver]] = defaultdict(list)
        for script, channel in ((self.mailer, Channel.EMAIL), (self.twilio_texter, Channel.SMS)):
            script.taken.append(self._note(channel))
        self.add(*(customer(number) for number in range(1, people + 1)))

    def _note(self, channel: Channel) -> Callable[..., None]:
        def note(key: Any, *_: str) -> None:
            # The category is that of all campaigns here.
            self.went_out[key.customer_id].append(
                HandOver(key.message_id, self.clock.now(), Category.MARKETING, channel)
            )

        return note

    def overrun(self) -> list[str]:
        """Customers who were really handed more than a cap allows."""
        return [
            customer_id
            for customer_id, taken in self.went_out.items()
            for cap in self.caps
            for last in taken
            if cap.covers(last.category, last.channel)
            and sum(cap.covers(o.category, o.channel) and last.at - cap.window < o.at <= last.at for o in taken)
            > cap.at_most
        ]

    def stale(self) -> list[HandOver]:
        """Places of messages of which everybody knows that they did not go out."""
        sent = {place.message_id for taken in self.went_out.values() for place in taken}
        status = {key.message_id: row.status for key, row in self.messages.rows.items()}
        return [
            place
            for frequency in self.frequencies.rows.values()
            for place in frequency.hand_overs
            if place.message_id not in sent and status.get(place.message_id) is not MessageStatus.UNCERTAIN
        ]

    def uncounted(self) -> list[HandOver]:
        """Messages that went out within the longest window before the end and have no place."""
        since = self.clock.now() - max(cap.window for cap in self.caps)
        return [
            out
            for customer_id, taken in self.went_out.items()
            for out in taken
            if out.at > since
            and self.frequencies.get_many(BUSINESS_ID, [customer_id])[customer_id].reservation_of(out.message_id)
            is None
        ]


@pytest.mark.parametrize("seed", range(40))
def test_no_cap_is_ever_exceeded_whatever_dies_and_whoever_comes_first(seed: int) -> None:
    day = replace(ONE, at_most=2, within_days=1)
    world = Watched(day, replace(ONE, name="Texts", channel=Channel.SMS, within_days=2), people=8, seed=seed)
    world.chaos = Chaos(death=0.03, duplicate=0.3, early=0.2, reminders=0.05)
    world.frequencies.behind = lambda: world.random.random() < 0.2
    for number in (1, 2):
        world.mailer.answer(f"ana{number}@example.com", Throttled("ACCOUNT_THROTTLED"), Refused("MESSAGE_REJECTED"))
        world.twilio_texter.answer(f"+1415556{number:04d}", Throttled("20429"), Unknown("timeout"))
    views: list[CampaignView] = []
    for _ in range(3):
        channels = world.random.choices(list(Channel), k=3)
        ids = [world.post(channel).campaign.campaign_id for channel in channels]
        for campaign_id in ids:
            world.begin(campaign_id)
        for campaign_id in ids:
            world.end(campaign_id)
        world.rest()
        views.extend(world.campaign_service.get(BUSINESS_ID, campaign_id) for campaign_id in ids)
        world.clock.move(timedelta(hours=world.random.choice([1, 13, 24])))

    assert world.overrun() == []
    assert world.stale() == []
    assert world.uncounted() == []
    assert all(adds_up(view) for view in views)
    assert sum(view.audience.excluded.get("frequency_cap", 0) for view in views) > 0


def two_campaigns(stop_at: int | None, error: type[BaseException]) -> tuple[Watched, int]:
    """An email and a text at once to the same customers with one place each; a worker is stopped at one boundary."""
    world = Watched(ONE, people=6, seed=7)
    numbers = count()
    reached = 0

    def stop(where: Boundary) -> None:
        nonlocal reached
        if world.step not in ("send_email", "send_text"):
            return
        reached = next(numbers)
        if reached == stop_at:
            raise error(str(where))

    world.checkpoint = stop
    world.mailer.answer("ana1@example.com", Throttled("ACCOUNT_THROTTLED"))
    world.mailer.answer("ana2@example.com", Refused("MESSAGE_REJECTED"))
    world.mailer.answer("ana3@example.com", Unknown("timeout"), went_out=True)
    world.twilio_texter.answer("+14155560004", Refused("21211"))
    world.twilio_texter.answer("+14155560005", Throttled("20429"))
    ids = [world.post(channel).campaign.campaign_id for channel in Channel]
    for campaign_id in ids:
        world.begin(campaign_id)
    for campaign_id in ids:
        world.end(campaign_id)
    world.rest()
    assert all(adds_up(world.campaign_service.get(BUSINESS_ID, campaign_id)) for campaign_id in ids)
    return world, reached


@pytest.mark.parametrize("error", [WorkerDiedError, BrokenCallError])
def test_a_stop_at_any_boundary_of_two_senders_exceeds_no_cap_and_starves_nobody(error: type[BaseException]) -> None:
    undisturbed, boundaries = two_campaigns(None, error)
    assert boundaries > 100
    assert all(len(undisturbed.went_out[id_of(number)]) <= 1 for number in range(1, 7))
    for stop_at in range(boundaries + 1):
        world, _ = two_campaigns(stop_at, error)
        assert world.overrun() == [], stop_at
        assert world.stale() == [], stop_at
        assert world.uncounted() == [], stop_at
        for number in range(1, 7):
            # Whoever is kept back by the cap is so because of the other message, which had the place.
            reasons = Counter(row.reason for row in rows_of(world, number))
            assert reasons["frequency_cap"] <= 1, (stop_at, number)


def test_the_times_of_places_are_those_of_the_hand_over() -> None:
    world = Watched(ONE, people=3)
    run(world)
    for number in (1, 2, 3):
        (place,), (out,) = places_of(world, number), world.went_out[id_of(number)]
        assert place.at == out.at
