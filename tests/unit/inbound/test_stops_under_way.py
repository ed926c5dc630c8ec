"""A STOP while a chunk of texts is being handed over, however slowly: nobody is texted two seconds after it."""

from collections.abc import Iterable
from copy import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.contacts.domain.contacts import Contact
from rebound.inbound.domain.replies import IncomingText
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, customer
from tests.fakes.world import World

OURS: Final = "+14155550100"
LATEST: Final = timedelta(seconds=2)
"""After the webhook has answered."""


class Campaign:
    """A campaign by text whose hand-overs take time, during which people say STOP."""

    def __init__(self, people: int, seconds: Iterable[float], stops: dict[int, int]) -> None:
        self.world = World(ranges=1)
        self.world.add(*(customer(number) for number in range(1, people + 1)))
        self.handed: list[tuple[datetime, str]] = []
        self.stopped: dict[str, datetime] = {}
        self._seconds = iter(seconds)
        self._stops = stops
        self.world.twilio_texter.taken.append(self._take)

    def _take(self, _: object, to: str, __: str) -> None:
        """The provider takes its time with a text; meanwhile one of the customers says STOP, early or late in it."""
        self.handed.append((self.world.clock.now(), to))
        duration = timedelta(seconds=next(self._seconds, 0.0))
        self.world.clock.move(duration / 2)
        number = self._stops.get(len(self.handed))
        phone = customer(number).mobile_phone if number else None
        if phone is not None:
            self.world.receive_text(IncomingText(f"SM{number}", phone, OURS, (OURS,), "STOP"))
            self.stopped.setdefault(phone, self.world.clock.now())
        self.world.clock.move(duration / 2)

    def run(self) -> None:
        view = self.world.run(self.world.post(Channel.SMS).campaign.campaign_id)
        assert adds_up(view)
        everybody = len(self.world.customers.rows)
        left_out = view.audience.excluded.get("opted_out", 0)
        assert len(self.handed) + left_out == everybody
        assert len({to for _, to in self.handed}) == len(self.handed)

    def late(self) -> list[timedelta]:
        """How long after their STOP people were texted."""
        return [at - self.stopped[to] for at, to in self.handed if to in self.stopped and at > self.stopped[to]]


@settings(max_examples=60, deadline=None)
@given(
    people=st.integers(1, 60),
    seconds=st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.4, 0.9, 1.0, 1.1, 5.0]), max_size=60),
    stops=st.dictionaries(st.integers(1, 60), st.integers(1, 60), max_size=12),
)
def test_nobody_is_texted_two_seconds_after_their_stop(
    people: int, seconds: list[float], stops: dict[int, int]
) -> None:
    campaign = Campaign(people, seconds, {when: who for when, who in stops.items() if who <= people})
    campaign.run()

    assert all(delay < LATEST for delay in campaign.late())


def test_a_stop_in_the_first_second_of_a_chunk_that_takes_a_minute_is_heeded() -> None:
    campaign = Campaign(50, [1.2] * 50, {1: 50, 2: 3, 48: 49})
    campaign.run()

    texted = {to for _, to in campaign.handed}
    assert not {customer(number).mobile_phone for number in (50, 3, 49)} - campaign.stopped.keys()
    assert campaign.late() == []
    assert len(texted) >= 47


@pytest.mark.parametrize(
    ("seconds", "most"), [(0.0, 50), (0.019, 50), (0.02, 100), (0.3, 150), (1.2, 150), (30.0, 150)]
)
def test_deciding_again_reads_no_contact_more_than_twice_more(
    seconds: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = Campaign(50, [seconds] * 50, {})
    read: list[ContactKey] = []
    real = campaign.world.contacts.get_many

    def get_many(keys: Iterable[ContactKey], *, consistent: bool = True) -> dict[ContactKey, Contact]:
        wanted = list(keys)
        if campaign.world.step == "send_text":
            read.extend(wanted)
        return dict(real(wanted, consistent=consistent))

    monkeypatch.setattr(campaign.world.contacts, "get_many", get_many)
    campaign.run()

    assert len(campaign.handed) == 50
    assert 50 <= len(read) <= most


def test_texting_that_is_switched_off_while_a_slow_chunk_is_under_way_ends_within_the_second() -> None:
    campaign = Campaign(30, [1.5] * 30, {})
    world = campaign.world

    def switch_off(_: object, __: str, ___: str) -> None:
        if len(campaign.handed) == 5:
            world.businesses.replace(replace(world.businesses.get(BUSINESS_ID), text_from=None))

    world.twilio_texter.taken.append(switch_off)
    view = world.run(world.post(Channel.SMS, category=Category.REMINDER).campaign.campaign_id)

    assert len(campaign.handed) == 5
    assert dict(view.audience.excluded) == {"channel_off": 25}
