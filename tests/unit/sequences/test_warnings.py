"""What cannot be done is said to whoever looks, and stops nobody else."""

from copy import replace
from functools import partial

import pytest

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.segments.domain.segments import Segment
from rebound.sequences.application.warn import WarningKind
from rebound.sequences.domain.sequences import SequenceStatus
from rebound.sequences.domain.steps import If, Send
from rebound.templates.domain.content import MadeFrom, TemplateContent
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.unit.sequences.test_switching import dies_at
from tests.unit.sequences.worlds import HOUR, SEQUENCE_ID, SequenceWorld, send, steps, wait


@pytest.fixture
def world() -> SequenceWorld:
    made = SequenceWorld(business())
    made.add(customer(1))
    return made


def warned(world: SequenceWorld) -> list[tuple[WarningKind, str | None]]:
    found = world.warn_of_steps(world.sequence_service.get(BUSINESS_ID, SEQUENCE_ID))
    assert all(each.message for each in found)
    return [(each.kind, each.step_id) for each in found]


def test_whoever_switches_it_on_or_deletes_it_and_dies_is_said_to_be_unfinished_until_it_is_asked_again() -> None:
    seen: set[tuple[str, bool]] = set()
    for asked in ("on", "delete"):
        for call in range(100):
            world = SequenceWorld(business())
            world.add(customer(1))
            world.set_up(wait(HOUR), send("one"))
            begun(world)
            switched = partial(world.sequence_service.switch, BUSINESS_ID, SEQUENCE_ID)
            switched(SequenceStatus.OFF)
            world.live_until(NOON + 3 * HOUR)
            deleted = partial(world.sequence_service.delete, BUSINESS_ID, SEQUENCE_ID)
            again = partial(switched, SequenceStatus.ON) if asked == "on" else deleted
            if not dies_at(world, call, again):
                break
            found = world.sequences.rows.get((BUSINESS_ID, SEQUENCE_ID))
            if found is None:
                continue
            is_unfinished = found.owes is not None
            assert warned(world) == ([(WarningKind.UNFINISHED, None)] if is_unfinished else [])
            seen.add((asked, is_unfinished))
            again()
            if asked == "on":
                assert warned(world) == []
                world.run_jobs()
                world.live_until(NOON + 5 * HOUR)
                assert world.subjects(id_of(1)) == ["one"]
    assert seen >= {("on", False), ("on", True), ("delete", False), ("delete", True)}


def begun(world: SequenceWorld) -> None:
    world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(1), "e1")
    world.live_until(NOON + HOUR)


def test_of_what_can_be_done_nothing_is_said(world: SequenceWorld) -> None:
    world.set_up(send("one"))
    begun(world)

    assert warned(world) == []


def test_a_message_whose_template_is_gone_is_passed_over(world: SequenceWorld) -> None:
    gone = TemplateContent(MadeFrom("spring"))
    world.set_up(send("one"), Send(channel=Channel.EMAIL, category=Category.MARKETING, content=gone), send("two"))
    assert warned(world) == [(WarningKind.TEMPLATE, "2")]
    begun(world)

    assert sorted(world.subjects(id_of(1))) == ["one", "two"]


def test_nobody_matches_a_condition_that_names_a_segment_which_is_gone(world: SequenceWorld) -> None:
    world.segments.put(Segment(BUSINESS_ID, "vips", "VIPs", {"all": []}, NOON))
    world.set_up(If(filter={"segment": "vips"}, then=steps(send("then")), otherwise=steps(send("else"))))
    assert warned(world) == []
    world.segments.delete(BUSINESS_ID, "vips")
    assert warned(world) == [(WarningKind.FILTER, "1")]
    begun(world)

    assert world.subjects(id_of(1)) == ["else"]


def test_what_the_breaker_holds_is_said_and_what_is_off_is_not(world: SequenceWorld) -> None:
    world.set_up(send("one"))
    begun(world)
    [campaign_id] = world.step_carriers.of(BUSINESS_ID, world.sequences.get(BUSINESS_ID, SEQUENCE_ID).uid)
    for because, expected in ((None, []), ("breaker", [(WarningKind.HELD, "1")])):
        before = world.campaigns.get(BUSINESS_ID, campaign_id)
        world.campaigns.replace(before, replace(before, status=CampaignStatus.PAUSED, paused_because=because))
        assert warned(world) == expected
