"""Texts that come in count against the text plan of whom they came to, once, if the plan says so."""

from datetime import timedelta
from typing import Any

import pytest

from rebound.businesses.domain.text_plan import TextPlan
from rebound.inbound.adapters import parse_inbound
from rebound.inbound.domain.replies import IncomingText
from tests.fakes.making import BUSINESS_ID, business, customer
from tests.fakes.world import World

OURS = "+14155550100"
THEIRS = "+14155552001"
OTHER = "salon-cedar"


def world_of(plan: TextPlan | None, **given: Any) -> World:
    world = World(business(text_plan=plan), business(business_id=OTHER, text_plan=plan, **given))
    for business_id in (BUSINESS_ID, OTHER):
        world.add(customer(1, business_id=business_id, mobile_phone=THEIRS))
    return world


def text(body: str = "Thanks", segments: int = 1, sid: str = "SM1") -> IncomingText:
    return IncomingText(sid, THEIRS, OURS, (OURS,), body, segments=segments)


def inbound(world: World, business_id: str = BUSINESS_ID) -> tuple[int, int]:
    month = world.text_ledger.month(business_id, "2026-11")
    return month.used, month.inbound


@pytest.mark.parametrize("body", ["Thanks", "STOP", "C", "please stop texting me", ""])
def test_a_text_counts_its_segments_once_whatever_it_says(body: str) -> None:
    world = world_of(TextPlan(10, inbound_texts=True), text_from="+14155550199")
    for _ in range(3):
        world.receive_text(text(body, 3))
    world.receive_text(text(body, 1, sid="SM2"))

    assert inbound(world) == (4, 4)
    # Whose number it did not come to has nothing to do with it.
    assert inbound(world, OTHER) == (0, 0)


def test_it_counts_for_all_who_have_the_number() -> None:
    world = world_of(TextPlan(10, inbound_texts=True), text_from=OURS)
    world.receive_text(text())

    assert (inbound(world), inbound(world, OTHER)) == ((1, 1), (1, 1))


@pytest.mark.parametrize("plan", [None, TextPlan(10), TextPlan(10, inbound_calls=True)])
def test_where_it_does_not_count_nothing_is_read_or_written(plan: TextPlan | None) -> None:
    world = world_of(plan)
    world.receive_text(text())

    assert (world.text_ledger.reads, world.text_ledger.writes) == (0, 0)


def test_a_text_that_comes_again_next_month_counts_in_the_month_of_its_first_receipt() -> None:
    world = world_of(TextPlan(10, inbound_texts=True))
    world.receive_text(text())
    world.clock.move(timedelta(days=30))
    world.receive_text(text())

    assert inbound(world) == (1, 1)
    assert {month for _, month in world.text_ledger.months} == {"2026-11"}


@pytest.mark.parametrize(("said", "segments"), [("4", 4), ("0", 1), ("", 1), (None, 1), ("x", 1)])
def test_twilio_says_how_many_segments_it_has(said: str | None, segments: int) -> None:
    form = {"MessageSid": "SM1", "From": THEIRS, "To": OURS, "Body": "x"}
    assert parse_inbound(form if said is None else {**form, "NumSegments": said}).segments == segments
