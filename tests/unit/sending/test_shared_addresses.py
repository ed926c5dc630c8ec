"""What sells goes to each address once, however many customers share it, and whatever happens to them meanwhile."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from copy import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import ChunkKey
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import Failure
from rebound.eligibility.application.preview_audience import Question
from rebound.eligibility.domain.eligibility import Exclusion, Send
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import NotFoundError, ReboundError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import MessageStatus, had_its_message
from rebound.rates.domain import Lane
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from rebound.sending.application import run_campaign
from rebound.sending.domain.chunk_tasks import ChunkTask
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, SOFT, at, business, customer, id_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import Chaos, World

FAMILY: Final = "family@example.com"
OURS: Final = "+14155570000"
CAP: Final = FrequencyCap("Weekly", tuple(Category), at_most=1, within_days=7)
IN_ORDER: Final = sorted(range(1, 5), key=id_of)
"""Customers by their ids, which are in no order of their numbers."""


def family(world: World, *numbers: int, **given: Any) -> None:
    world.add(*(customer(number, email=FAMILY, mobile_phone=OURS, **given) for number in numbers))


def statuses(world: World) -> dict[str, tuple[str, str | None]]:
    return {key.customer_id: (str(row.status), row.reason) for key, row in world.messages.rows.items()}


def sent_to(world: World, channel: Channel = Channel.EMAIL) -> list[str]:
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    return [handed.key.customer_id for handed in script.handed if handed.went_out]


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("category", [category for category in Category if category.is_promotional])
def test_the_customer_with_the_smallest_id_gets_it_and_the_others_are_counted(
    channel: Channel, category: Category
) -> None:
    world = World()
    family(world, *reversed(IN_ORDER))
    world.add(customer(9))
    view = world.run(world.post(channel, category=category).campaign.campaign_id)

    assert sorted(sent_to(world, channel)) == sorted([id_of(IN_ORDER[0]), id_of(9)])
    assert (view.audience.matched, view.audience.excluded, view.audience.targeted) == (5, {"same_address": 3}, 2)
    assert adds_up(view)
    assert Counter(statuses(world).values())["excluded", "same_address"] == 3


@pytest.mark.parametrize("category", [category for category in Category if not category.is_promotional])
def test_everything_else_goes_to_each_customer(category: Category) -> None:
    world = World()
    family(world, *IN_ORDER)
    view = world.run(world.post(category=category).campaign.campaign_id)

    assert (view.audience.excluded, view.audience.targeted) == ({}, 4)


def test_a_message_to_one_person_is_for_that_person() -> None:
    world = World()
    family(world, *IN_ORDER)
    for number in IN_ORDER:
        world.post_message(
            BUSINESS_ID,
            customer_id=id_of(number),
            category=Category.MARKETING,
            channel=Channel.EMAIL,
            content=world.post().campaign.content,
        )
    world.rest()

    assert len(sent_to(world)) == 4


def test_only_those_who_are_meant_and_have_the_address_now_count() -> None:
    world = World()
    family(world, *IN_ORDER[:2])
    family(world, *IN_ORDER[2:], gender="f")
    first, second, third, fourth = map(id_of, IN_ORDER)
    world.customer_service.change(BUSINESS_ID, third, {"email": "own@example.com"})
    world.run(world.post(selection=Selection(filter={"field": "gender", "equals": "f"})).campaign.campaign_id)
    world.run(world.post(selection=Selection(customer_ids=(fourth, second))).campaign.campaign_id)

    assert sorted(sent_to(world)) == sorted([third, fourth, second])
    assert first not in statuses(world)


def test_a_former_address_is_shared_with_nobody_and_costs_nothing() -> None:
    world = World()
    family(world, *IN_ORDER[:2])
    world.customer_service.change(BUSINESS_ID, id_of(IN_ORDER[0]), {"email": "own@example.com"})
    world.clock.move(timedelta(minutes=1))
    view = world.run(world.post().campaign.campaign_id)

    assert (view.audience.targeted, view.audience.excluded) == (2, {})
    assert world.shared_addresses.rows.keys() == set()


def run_with(world: World, happens: Callable[[World], object], **given: Any) -> CampaignView:
    """A campaign in which something happens when everybody has been targeted and nobody been sent to."""
    campaign_id = world.post(**given).campaign.campaign_id
    world.begin(campaign_id)
    world.clock.move(timedelta(seconds=1))
    happens(world)
    world.end(campaign_id)
    world.rest()
    return world.campaign_service.get(BUSINESS_ID, campaign_id)


FIRST: Final = id_of(IN_ORDER[0])
FALLS_OUT: Final[dict[str, tuple[Callable[[World], object], str | None]]] = {
    "is deleted": (lambda world: world.customer_service.delete(BUSINESS_ID, FIRST), "not_found"),
    "changes the address": (
        lambda world: world.customer_service.change(BUSINESS_ID, FIRST, {"email": "own@example.com"}),
        None,
    ),
    "has no address any more": (
        lambda world: world.customer_service.change(BUSINESS_ID, FIRST, {"email": None}),
        "no_address",
    ),
    "is capped": (
        lambda world: world.frequencies.save(
            Frequency(BUSINESS_ID, FIRST, (HandOver("m", at(0), Category.REMINDER, Channel.EMAIL, None),)), at(9)
        ),
        "frequency_cap",
    ),
    "has nothing to be sent": (
        lambda world: world.customer_service.change(BUSINESS_ID, FIRST, {"gender": None}),
        "cannot_render",
    ),
}


@pytest.mark.parametrize("ranges", [1, 4])
@pytest.mark.parametrize("how", FALLS_OUT)
def test_when_the_first_falls_out_before_the_send_the_next_gets_it(how: str, ranges: int) -> None:
    world = World(business(frequency_caps=(CAP,)), ranges=ranges)
    family(world, *IN_ORDER, gender="f")
    happens, reason = FALLS_OUT[how]
    content = replace(world.post().campaign.content, subject="##{{gender}}")
    view = run_with(world, lambda _: happens(world), content=content)
    second = id_of(IN_ORDER[1])

    assert sent_to(world) == [second] if reason else sorted(sent_to(world)) == sorted([FIRST, second])
    assert statuses(world)[FIRST] == (("excluded", reason) if reason else ("delivered", None))
    assert adds_up(view)
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.audience.excluded["same_address"] == 2


def test_when_all_but_the_last_fall_out_one_after_the_other_the_last_gets_it() -> None:
    world = World()
    family(world, *IN_ORDER)

    def delete_all_but_one(_: World) -> None:
        for number in IN_ORDER[:-1]:
            world.customer_service.delete(BUSINESS_ID, id_of(number))

    view = run_with(world, delete_all_but_one)

    assert sent_to(world) == [id_of(IN_ORDER[-1])]
    assert view.audience.excluded == {"not_found": 3}


def test_an_opt_out_is_of_the_address_and_nobody_gets_it() -> None:
    world = World()
    family(world, *IN_ORDER)
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, FAMILY)
    said = ConsentEvidence(at(1), Scope.MARKETING, opted_out=True, source=ConsentSource.STAFF)
    view = run_with(world, lambda _: world.know(key, said))

    assert (sent_to(world), view.audience.excluded) == ([], {"opted_out": 4})


def test_a_try_that_is_due_is_one_message_and_the_others_share_the_address() -> None:
    world = World(business(recovery=Recovery(probe_marketing=True)))
    family(world, *IN_ORDER)
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, FAMILY)
    world.know(key, *(Failure(at(-n) - timedelta(days=9), f"m{n}", Provider.SES, SOFT) for n in range(5)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", 1)
        view = world.run(world.post().campaign.campaign_id)

    assert (sent_to(world), view.audience.excluded) == ([FIRST], {"same_address": 3})


# --- whatever happens -------------------------------------------------------------------------------------------------

PEOPLE: Final = 9
ADDRESSES: Final = [FAMILY, "other@example.com", *(f"ana{number}@example.com" for number in range(1, 4))]


def hidden(address: str) -> str:
    """An address as a message keeps it once its customer is deleted."""
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, address)
    return address if key.is_hashed else key.hashed.address


class Eventful(World):
    """Things happen to customers while a campaign is expanded and sent, and workers die."""

    def __init__(self, happenings: Sequence[tuple[str, int, int]], **given: Any) -> None:
        self.happenings = list(happenings)
        self.campaign_id = ""
        self.lost: set[str] = set()
        """Whose message may have gone out, to an address that nobody knows, because the worker died with it."""
        super().__init__(business(frequency_caps=(CAP,)), **given)

    def _tick(self) -> bool:
        if self.campaign_id and self.happenings and self.random.random() < 0.35:
            self._happen(*self.happenings.pop(0))
        happened = super()._tick()
        self.lost |= {row.key.customer_id for row in self.messages.rows.values() if row.is_address_guessed}
        return happened

    def begin(self, campaign_id: str, business_id: str = BUSINESS_ID) -> None:
        """Expand ranges in any order, with sending between."""
        self.campaign_id = campaign_id
        ranges = list(self._step("plan", lambda: self.plan_campaign(business_id, campaign_id)))
        self.random.shuffle(ranges)
        for index in ranges:
            while not self._step("expand", partial(self._expand, business_id, campaign_id, index)):
                self._tick()
            for _ in range(self.random.choice([0, 1, 5])):
                self._tick()

    def _happen(self, what: str, number: int, where: int) -> None:
        self.clock.move(timedelta(milliseconds=3))
        customer_id, address = id_of(number), ADDRESSES[where]
        try:
            match what:
                case "delete":
                    self.customer_service.delete(BUSINESS_ID, customer_id)
                case "move":
                    self.customer_service.change(BUSINESS_ID, customer_id, {"email": address})
                case "leave":
                    self.customer_service.change(BUSINESS_ID, customer_id, {"email": None})
                case "edit":
                    self.customer_service.change(BUSINESS_ID, customer_id, {"gender": f"{where}"})
                case "cap":
                    self._cap(customer_id)
                case "opt out":
                    key = ContactKey(BUSINESS_ID, Channel.EMAIL, address)
                    said = self.clock.now(), Scope.MARKETING, where % 2 == 0, ConsentSource.STAFF
                    self.know(key, ConsentEvidence(*said))
                case "new":
                    self.add(customer(100 + number, email=address, updated_at=self.clock.now()))
                case "pause":
                    self.steer_campaign.pause(BUSINESS_ID, self.campaign_id)
                    self.happenings.insert(0, ("resume", 0, 0))
                case "resume":
                    self.steer_campaign.resume(BUSINESS_ID, self.campaign_id)
        except ReboundError:
            return

    def _cap(self, customer_id: str) -> None:
        [known] = self.frequencies.get_many(BUSINESS_ID, [customer_id]).values()
        more = HandOver("m", self.clock.now(), Category.REMINDER, Channel.EMAIL, None)
        self.frequencies.save(replace(known, hand_overs=(*known.hand_overs, more)), self.clock.now())


def perhaps_served(world: Eventful) -> Collection[str]:
    """Addresses claimed by, or for, somebody whose worker died: it may have been handed over to them."""
    claimed = {row.digest for row in world.shared_addresses.rows.values() if row.winner in world.lost}
    return [address for address in ADDRESSES if ContactKey(BUSINESS_ID, Channel.EMAIL, address).digest in claimed]


happenings = st.lists(
    st.tuples(
        st.sampled_from(["delete", "delete", "move", "move", "leave", "edit", "cap", "opt out", "new", "pause"]),
        st.integers(1, PEOPLE),
        st.integers(0, len(ADDRESSES) - 1),
    ),
    max_size=24,
)


@settings(max_examples=120, deadline=None)
@given(
    happenings,
    st.lists(st.integers(0, len(ADDRESSES) - 1), min_size=PEOPLE, max_size=PEOPLE),
    st.sets(st.integers(1, PEOPLE), max_size=2),
    st.integers(0, 1 << 30),
    st.sampled_from([1, 3]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([0.0, 0.0, 0.03]),
)
def test_nobody_is_lost_and_no_address_gets_it_twice_whatever_happens(
    happening: list[tuple[str, int, int]],
    shares: list[int],
    formers: set[int],
    seed: int,
    ranges: int,
    chunk: int,
    death: float,
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", chunk)
        patched.setattr(run_campaign, "PAGE", 2)
        patched.setattr(run_campaign, "WORTH_A_RANGE", 1)
        world = Eventful(happening, seed=seed, ranges=ranges)
        for number, where in enumerate(shares, start=1):
            world.add(customer(number, email=ADDRESSES[where], created_at=at(-9), updated_at=at(-9)))
        for number in formers:
            world.customer_service.change(BUSINESS_ID, id_of(number), {"email": f"moved{number}@example.com"})
        world.clock.move(timedelta(seconds=5))
        world.chaos = Chaos(death=death, duplicate=0.2, early=0.1)
        view = world.run(world.post().campaign.campaign_id)

    if any(row.recalled for row in world.shared_addresses.rows.values()) or view.campaign.recalling:
        event("recalled")
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert adds_up(view)
    handed = Counter(hand.to.lower() for hand in world.mailer.handed if hand.went_out)
    assert max(handed.values(), default=0) <= 1
    served = {hidden(row.address) for row in world.messages.rows.values() if had_its_message(row)}
    served |= {*map(hidden, handed), *map(hidden, perhaps_served(world))}
    for row in world.messages.rows.values():
        assert row.status is not MessageStatus.QUEUED
        if row.status is MessageStatus.EXCLUDED and row.reason == "same_address":
            assert hidden(row.address) in served


# --- deaths, one at each boundary -------------------------------------------------------------------------------------


class Family:
    """A family of three in chunks of one recipient each, which are sent by hand; the rest is queued at the end.

    So nothing is on the queue that only by chance brings a chunk back.
    """

    def __init__(self, channel: Channel = Channel.EMAIL, **given: Any) -> None:
        self.world = World(business(frequency_caps=(CAP,)), ranges=1)
        self.channel = channel
        family(self.world, *IN_ORDER[:3])
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(run_campaign, "CHUNK_SIZE", 1)
            self.campaign_id = self.world.post(channel, **given).campaign.campaign_id
            self.world.begin(self.campaign_id)
        for queue in self.world.chunk_queue.queues.values():
            queue.messages.clear()
        self.unsent = {0, 1, 2}
        self.number_of_stops = 0

    def send(self, number: int, owner: str = "worker") -> None:
        """Send the chunk of one of them, the first by their ids being 0."""
        task = replace(self.task(number), turn_at=self.world.clock.now())
        self.unsent.discard(number)
        if self.channel is Channel.EMAIL:
            self.world.send_email(task, owner)
        else:
            self.world.send_text(task, owner, lambda: True)

    def task(self, number: int) -> ChunkTask:
        """The task of one chunk."""
        return ChunkTask(ChunkKey(BUSINESS_ID, self.campaign_id, f"chunk#000#{number:07d}"), 1, Lane.BULK)

    def die_at(self, number: int, where: str, side: str) -> None:
        """Send the chunk of one of them with a worker that dies at a boundary."""

        def checkpoint(boundary: Boundary) -> None:
            if (str(boundary), boundary.side) == (where, side):
                raise WorkerDiedError

        self.world.checkpoint = checkpoint
        with pytest.raises(WorkerDiedError):
            self.send(number, "worker-that-dies")
        self.unsent.add(number)
        self.world.checkpoint = lambda _: None

    def end(self, stop_at: int | None = None) -> CampaignView:
        """Let the rest happen; the worker that comes to a boundary with this number dies there."""
        reached = 0

        def checkpoint(_: Boundary) -> None:
            nonlocal reached
            if self.world.step in {"drain", "send_email", "send_text"}:
                reached += 1
                if reached - 1 == stop_at:
                    self.world.clock.move(timedelta(seconds=90))
                    raise WorkerDiedError

        self.world.chunk_queue.put(self.channel, [self.task(number) for number in sorted(self.unsent)])
        self.unsent.clear()
        self.world.checkpoint = checkpoint
        self.world.end(self.campaign_id)
        self.world.rest()
        self.number_of_stops = reached
        return self.world.campaign_service.get(BUSINESS_ID, self.campaign_id)

    def fall_out(self) -> None:
        """The first by the ids goes after the others have made way."""
        self.send(1)
        self.send(2)
        self.world.customer_service.delete(BUSINESS_ID, FIRST)


CHANNELS = pytest.mark.parametrize("channel", list(Channel))


@CHANNELS
def test_a_worker_may_die_anywhere_while_those_who_made_way_are_recalled(channel: Channel) -> None:
    undisturbed = Family(channel)
    undisturbed.fall_out()
    undisturbed.end()
    assert undisturbed.number_of_stops > 60
    for stop_at in range(undisturbed.number_of_stops):
        sending = Family(channel)
        sending.fall_out()
        view = sending.end(stop_at)
        went_out = sent_to(sending.world, channel)

        assert adds_up(view)
        assert view.campaign.status is CampaignStatus.COMPLETED
        # Who dies between the mark and the record leaves somebody of whom nobody knows.
        assert len(went_out) == 1 or (not went_out and view.results[MessageStatus.UNCERTAIN] == 1), stop_at
        assert view.audience.targeted == 1


@CHANNELS
@pytest.mark.parametrize("side", ["before", "after"])
def test_who_claimed_the_address_and_was_not_sent_to_gives_it_to_the_next(channel: Channel, side: str) -> None:
    sending = Family(channel)
    where = "chunks.mark" if channel is Channel.EMAIL else "messages.claim"
    sending.die_at(0, "shared_addresses.claim", "after") if side == "before" else sending.die_at(0, where, "before")
    sending.send(1)
    sending.world.customer_service.delete(BUSINESS_ID, FIRST)
    view = sending.end()

    if channel is Channel.SMS:
        # The chunk had been marked, and the text of the one who is gone was not claimed.
        assert view.results[MessageStatus.UNCERTAIN] == 0
    assert sent_to(sending.world, channel) == [id_of(IN_ORDER[1])]
    assert view.audience.excluded == {"not_found": 1, "same_address": 1}


@CHANNELS
def test_one_who_is_told_that_another_may_have_it_stays_out(channel: Channel) -> None:
    sending = Family(channel)
    where = "mailer.send" if channel is Channel.EMAIL else "twilio_texter.send"
    sending.die_at(0, where, "before")
    view = sending.end()

    assert sent_to(sending.world, channel) == []
    assert (view.results[MessageStatus.UNCERTAIN], view.audience.excluded) == (1, {"same_address": 2})


@CHANNELS
def test_one_who_was_recalled_while_another_got_the_message_is_left_out_again(channel: Channel) -> None:
    sending = Family(channel)
    sending.fall_out()
    sending.send(0)
    sending.unsent.clear()
    world = sending.world
    world.rest()

    def checkpoint(boundary: Boundary) -> None:
        if (str(boundary), boundary.side) == ("shared_addresses.replace", "after"):
            raise WorkerDiedError

    world.checkpoint = checkpoint
    with pytest.raises(WorkerDiedError):
        world._mortal("drain", lambda: world.drain_campaign(BUSINESS_ID, sending.campaign_id, 0))
    world.checkpoint = lambda _: None
    [address] = world.shared_addresses.contested(sending.campaign_id)
    [recalled] = [row for key, row in world.messages.rows.items() if key.customer_id == address.recalled]
    campaign = world.campaigns.get(BUSINESS_ID, sending.campaign_id)
    key = MessageKey(BUSINESS_ID, id_of(9), campaign.message_id(id_of(9)))
    other = replace(recalled, key=key, status=MessageStatus.SENT)
    world.messages.record_new([other])
    assert world.shared_addresses.claim(sending.campaign_id, address.digest, id_of(9))
    view = sending.end()

    assert sent_to(world, channel) == []
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert statuses(world)[address.recalled or ""] == ("excluded", "same_address")


def test_a_cap_that_is_full_at_the_last_moment_gives_it_to_the_next() -> None:
    sending = Family()
    sending.send(1)
    late = HandOver("m", at(0), Category.REMINDER, Channel.EMAIL, None)
    sending.world.frequencies.save(Frequency(BUSINESS_ID, FIRST, (late,)), at(9))
    view = sending.end()

    assert sent_to(sending.world) == [id_of(IN_ORDER[1])]
    assert view.audience.excluded == {"frequency_cap": 1, "same_address": 1}


def test_a_look_while_the_message_is_being_handed_over_takes_the_claim_from_nobody() -> None:
    sending = Family()
    sending.fall_out()
    world, second = sending.world, id_of(IN_ORDER[1])

    def look_and_leave(*_given: object) -> None:
        world.drain_campaign(BUSINESS_ID, sending.campaign_id, 1)
        world.customer_service.delete(BUSINESS_ID, second)

    world.mailer.taken.append(look_and_leave)
    view = sending.end()

    assert sent_to(world) == [second]
    assert view.audience.excluded == {"not_found": 1, "same_address": 1}


def test_a_campaign_that_is_cancelled_recalls_nobody() -> None:
    sending = Family()
    sending.fall_out()
    sending.world.steer_campaign.cancel(BUSINESS_ID, sending.campaign_id)
    view = sending.end()

    assert sent_to(sending.world) == []
    assert adds_up(view)


@pytest.mark.parametrize("status", ["pause", "cancel"])
def test_one_who_has_been_recalled_waits_for_the_resume_or_goes_with_the_campaign(status: str) -> None:
    sending = Family()
    sending.fall_out()
    world = sending.world
    sending.send(0)
    world.pump_streams()
    world.drain_campaign(BUSINESS_ID, sending.campaign_id, 0)
    assert world.campaigns.get(BUSINESS_ID, sending.campaign_id).recalling
    if status == "pause":
        world.steer_campaign.pause(BUSINESS_ID, sending.campaign_id)
        world.rest()
        assert sent_to(world) == []
        world.steer_campaign.resume(BUSINESS_ID, sending.campaign_id)
    else:
        world.steer_campaign.cancel(BUSINESS_ID, sending.campaign_id)
    view = sending.end()

    assert len(sent_to(world)) == int(status == "pause")
    assert view.results[MessageStatus.CANCELLED] == int(status == "cancel")
    assert adds_up(view)


def test_who_comes_to_an_address_while_its_message_is_being_handed_over_gets_no_second_one() -> None:
    world = World(ranges=1)
    first, second = IN_ORDER[:2]
    world.add(customer(first, email="one@example.com", updated_at=at(-9)), customer(second, email="two@example.com"))
    moved = False

    def move(*_given: object) -> None:
        nonlocal moved
        if not moved:
            moved = True
            world.clock.move(timedelta(seconds=1))
            world.customer_service.change(BUSINESS_ID, id_of(first), {"email": "two@example.com"})
            for _ in range(5):
                world._send_one()

    world.mailer.taken.append(move)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", 1)
        campaign_id = world.post(selection=Selection(customer_ids=(id_of(second), id_of(first)))).campaign.campaign_id
        view = world.run(campaign_id)

    assert Counter(handed.to for handed in world.mailer.handed)["two@example.com"] == 1
    assert view.audience.excluded in ({"same_address": 1}, {})


@pytest.mark.parametrize("former", [True, False])
def test_who_is_alone_at_an_address_that_has_had_its_message_gets_no_second_one(former: bool) -> None:
    world = World(ranges=1)
    first, second, third = IN_ORDER[:3]
    family(world, first, second, updated_at=at(-9))
    if former:
        family(world, third, updated_at=at(-9))
        world.customer_service.change(BUSINESS_ID, id_of(third), {"email": None})
        world.clock.move(timedelta(seconds=5))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", 1)
        campaign_id = world.post().campaign.campaign_id
        world.begin(campaign_id)
    key = ChunkKey(BUSINESS_ID, campaign_id, "chunk#000#0000000")
    world.send_email(ChunkTask(key, 1, Lane.BULK, world.clock.now()), "worker")
    world.customer_service.delete(BUSINESS_ID, id_of(first))
    world.end(campaign_id)
    world.rest()
    view = world.campaign_service.get(BUSINESS_ID, campaign_id)

    assert [handed.to for handed in world.mailer.handed] == [FAMILY]
    assert view.audience.excluded["same_address"] == 1


def test_who_comes_to_an_address_whose_owner_had_the_message_and_moved_on_gets_no_second_one() -> None:
    world = World(ranges=1)
    first, second = IN_ORDER[:2]
    world.add(*(customer(number, email=f"{number}@example.com", updated_at=at(-9)) for number in (first, second)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", 1)
        campaign_id = world.post().campaign.campaign_id
        world.begin(campaign_id)
    key = ChunkKey(BUSINESS_ID, campaign_id, "chunk#000#0000000")
    world.send_email(ChunkTask(key, 1, Lane.BULK, world.clock.now()), "worker")
    world.clock.move(timedelta(seconds=5))
    world.customer_service.change(BUSINESS_ID, id_of(first), {"email": "elsewhere@example.com"})
    world.customer_service.change(BUSINESS_ID, id_of(second), {"email": f"{first}@example.com"})
    world.end(campaign_id)
    world.rest()

    assert [handed.to for handed in world.mailer.handed] == [f"{first}@example.com"]


def test_who_comes_to_an_address_that_has_had_its_message_gets_no_second_one_when_the_others_are_gone() -> None:
    world = World(ranges=1)
    first, second, third = IN_ORDER[:3]
    family(world, first, second, updated_at=at(-9))
    world.add(customer(third, email="own@example.com", updated_at=at(-9)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", 1)
        campaign_id = world.post().campaign.campaign_id
        world.begin(campaign_id)
    for number in range(2):
        key = ChunkKey(BUSINESS_ID, campaign_id, f"chunk#000#{number:07d}")
        world.send_email(ChunkTask(key, 1, Lane.BULK, world.clock.now()), "worker")
    world.clock.move(timedelta(seconds=5))
    world.customer_service.change(BUSINESS_ID, id_of(third), {"email": FAMILY})
    for number in (first, second):
        world.customer_service.delete(BUSINESS_ID, id_of(number))
    world.end(campaign_id)
    world.rest()

    assert [handed.to for handed in world.mailer.handed] == [FAMILY]


def sent_by_hand(world: World, customer_ids: Sequence[str]) -> None:
    """A campaign of chunks of one recipient each, of which the first has been sent to."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", 1)
        campaign_id = world.post(selection=Selection(customer_ids=tuple(customer_ids))).campaign.campaign_id
        world.begin(campaign_id)
    key = ChunkKey(BUSINESS_ID, campaign_id, "chunk#000#0000000")
    world.send_email(ChunkTask(key, 1, Lane.BULK, world.clock.now()), "worker")


def ended(world: World) -> CampaignView:
    """The only campaign, with nothing left to do."""
    [campaign_id] = {campaign_id for _, campaign_id in world.campaigns.rows}
    world.end(campaign_id)
    world.rest()
    return world.campaign_service.get(BUSINESS_ID, campaign_id)


@pytest.mark.parametrize("how", ["moves", "has left their own", "is made anew"])
def test_who_comes_to_an_address_whose_owner_had_the_message_and_was_deleted_gets_no_second_one(how: str) -> None:
    world = World(ranges=1)
    first, second = IN_ORDER[:2]
    mine = f"{first}@example.com"
    world.add(*(customer(number, email=f"{number}@example.com", updated_at=at(-9)) for number in (first, second)))
    sent_by_hand(world, customer_ids=(id_of(first), id_of(second)))
    world.clock.move(timedelta(seconds=5))
    world.customer_service.delete(BUSINESS_ID, id_of(first))
    match how:
        case "has left their own":
            world.customer_service.change(BUSINESS_ID, id_of(second), {"email": None})
        case "is made anew":
            world.customer_service.delete(BUSINESS_ID, id_of(second))
            world.add(customer(second, email=None, created_at=world.clock.now(), updated_at=world.clock.now()))
    world.customer_service.change(BUSINESS_ID, id_of(second), {"email": mine})
    view = ended(world)

    assert [handed.to for handed in world.mailer.handed] == [mine]
    assert view.audience.excluded["same_address"] == 1


def test_who_is_expanded_after_the_one_who_had_the_message_was_deleted_gets_no_second_one() -> None:
    world = World(ranges=4)
    family(world, *range(1, 9), created_at=at(-9), updated_at=at(-9))
    campaign_id = world.post().campaign.campaign_id
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "WORTH_A_RANGE", 1)
        for index in world.plan_campaign(BUSINESS_ID, campaign_id):
            while not world._expand(BUSINESS_ID, campaign_id, index):
                pass
            while world._send_one():
                pass
            world.clock.move(timedelta(seconds=5))
            for customer_id in sent_to(world):
                with suppress(NotFoundError):
                    world.customer_service.delete(BUSINESS_ID, customer_id)
    view = ended(world)

    assert [handed.to for handed in world.mailer.handed] == [FAMILY]
    assert adds_up(view)


@pytest.mark.parametrize("is_meant", [True, False])
def test_who_comes_to_an_address_whose_owner_was_deleted_before_their_turn_gets_the_message(is_meant: bool) -> None:
    world = World(ranges=1)
    first, second, third = IN_ORDER[:3]
    mine = f"{first}@example.com"
    world.add(*(customer(number, email=f"{number}@example.com", updated_at=at(-9)) for number in IN_ORDER[:3]))
    meant = (first, second, third) if is_meant else (second, third)
    world.post(selection=Selection(customer_ids=tuple(map(id_of, meant))))
    [campaign_id] = {campaign_id for _, campaign_id in world.campaigns.rows}
    world.begin(campaign_id)
    world.clock.move(timedelta(seconds=5))
    world.customer_service.delete(BUSINESS_ID, id_of(first))
    world.customer_service.change(BUSINESS_ID, id_of(second), {"email": mine})
    view = ended(world)

    assert sorted(handed.to for handed in world.mailer.handed) == sorted([mine, f"{third}@example.com"])
    assert view.audience.excluded == ({"not_found": 1} if is_meant else {})


def test_a_claim_of_one_who_was_handed_the_message_elsewhere_stands_in_nobodys_way() -> None:
    world = World(ranges=1)
    first, second = IN_ORDER[:2]
    family(world, first, second, updated_at=at(-9))
    campaign_id = world.post().campaign.campaign_id
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, FAMILY)
    world.begin(campaign_id)
    world.shared_addresses.claim(campaign_id, key.digest, id_of(first))
    world.clock.move(timedelta(seconds=5))
    world.customer_service.change(BUSINESS_ID, id_of(first), {"email": "own@example.com"})
    ended(world)

    assert sorted(handed.to for handed in world.mailer.handed) == sorted([FAMILY, "own@example.com"])


@pytest.mark.parametrize("seed", range(6))
def test_a_preview_and_the_send_say_the_same_of_a_try_in_whatever_order_they_come(seed: int) -> None:
    world = World(business(recovery=Recovery(probe_marketing=True)), ranges=1, seed=seed)
    family(world, *IN_ORDER)
    world.outcomes[FAMILY] = ()
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, FAMILY)
    world.know(key, *(Failure(at(-n) - timedelta(days=9), f"m{n}", Provider.SES, SOFT) for n in range(5)))
    asked = Question({"all": []}, Channel.EMAIL, Category.MARKETING)
    foreseen = world.preview_audience(BUSINESS_ID, asked)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_campaign, "CHUNK_SIZE", 1)
        view = world.run(world.post().campaign.campaign_id)

    assert foreseen is not None
    assert (foreseen.excluded, foreseen.targeted) == ({"same_address": 3}, 1)
    assert (view.audience.excluded, sent_to(world)) == ({"same_address": 3}, [FIRST])


def test_why_not_names_who_gets_it_instead_within_a_segment() -> None:
    world = World()
    family(world, *IN_ORDER[:2])
    world.segments.put(Segment(BUSINESS_ID, "all", "All", {"all": []}, at(0)))
    ask = (BUSINESS_ID, id_of(IN_ORDER[1]), Channel.EMAIL, Category.MARKETING)
    alone = world.explain_reachability(*ask)
    told = world.explain_reachability(*ask, segment_id="all")
    first = world.explain_reachability(BUSINESS_ID, FIRST, *ask[2:], segment_id="all")

    assert (alone.decision, told.decision) == (Send(FAMILY), Exclusion.SAME_ADDRESS)
    assert FIRST in told.sentence
    assert isinstance(first.decision, Send)
