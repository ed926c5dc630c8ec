"""Saved segments that name each other, and their order."""

from collections.abc import Mapping
from typing import Any

import pytest

from rebound.jobs.domain import JobKind
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.segments.application.find_customers import write_filter
from rebound.segments.domain.filters import MAX_NODES
from rebound.segments.domain.segments import SavedSegments
from rebound.segments.domain.selections import CustomerFilter, Selection
from tests.fakes.making import BUSINESS_ID, customer
from tests.fakes.world import World


def put(world: World, segment_id: str, tree: Mapping[str, Any]) -> None:
    world.segment_service.put(BUSINESS_ID, segment_id, segment_id, tree)


def refused(world: World, segment_id: str, tree: Mapping[str, Any]) -> str:
    with pytest.raises(InvalidInputError) as raised:
        put(world, segment_id, tree)
    return str(raised.value)


def order(world: World) -> list[str]:
    return [each.segment_id for each in world.segment_service.page(BUSINESS_ID, 50, None).items]


def test_segments_that_name_each_other_in_a_circle_are_refused_with_the_way() -> None:
    world = World()
    put(world, "a", {"tag": "vip"})
    put(world, "b", {"segment": "a"})
    put(world, "c", {"any": [{"tag": "x"}, {"segment": "b"}]})

    assert "a → c → b → a" in refused(world, "a", {"segment": "c"})
    assert "a → a" in refused(world, "a", {"not": {"segment": "a"}})
    assert world.segments.get(BUSINESS_ID, "a").filter == {"tag": "vip"}


def test_a_segment_does_not_grow_beyond_what_those_that_name_it_can_carry() -> None:
    world = World()
    put(world, "a", {"tag": "vip"})
    put(world, "b", {"any": [{"tag": "x"}] * (MAX_NODES - 10) + [{"segment": "a"}]})

    assert "Segment b, which names this one" in refused(world, "a", {"any": [{"tag": "y"}] * 20})


def test_a_segment_that_others_name_is_not_deleted() -> None:
    world = World()
    put(world, "a", {"tag": "vip"})
    put(world, "b", {"not": {"all": [{"segment": "a"}]}})
    with pytest.raises(ConflictError) as raised:
        world.segment_service.delete(BUSINESS_ID, "a")
    world.segment_service.delete(BUSINESS_ID, "b")
    world.segment_service.delete(BUSINESS_ID, "a")

    assert (raised.value.code, raised.value.members) == (
        "segment_in_use",
        {"segment_ids": ["b"], "recurring_campaign_ids": []},
    )
    assert order(world) == []


def test_of_two_writes_at_once_that_close_a_circle_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    put(world, "a", {"tag": "vip"})
    put(world, "b", {"tag": "vip"})
    read = world.segments.all
    raced: list[str] = []

    def read_slowly(business_id: str) -> SavedSegments:
        saved = read(business_id)
        if not raced:
            raced.append("b")
            put(world, "b", {"segment": "a"})
        return saved

    monkeypatch.setattr(world.segments, "all", read_slowly)

    assert "a → b → a" in refused(world, "a", {"segment": "b"})


def test_a_campaign_means_the_segments_of_its_filter_as_they_are_when_it_begins() -> None:
    world = World()
    world.add(customer(1, general_tags=("vip",)), customer(2, general_tags=("new",)))
    put(world, "vips", {"tag": "vip"})
    asked = {"any": [{"segment": "vips"}]}
    posted = world.post(selection=Selection(filter=asked))
    assert posted.foreseen is not None
    assert posted.foreseen.matched == 1
    put(world, "vips", {"any": [{"tag": "vip"}, {"tag": "new"}]})
    view = world.run(posted.campaign.campaign_id)
    copy = world.edit_campaign.copy(BUSINESS_ID, posted.campaign.campaign_id)

    assert view.audience.matched == 2
    assert copy.campaign.selection.filter == asked


def test_a_campaign_ends_as_failed_when_a_segment_of_its_filter_is_gone() -> None:
    world = World()
    put(world, "vips", {"tag": "vip"})
    posted = world.post(selection=Selection(filter={"segment": "vips"}))
    world.segment_service.delete(BUSINESS_ID, "vips")
    view = world.run(posted.campaign.campaign_id)

    assert (str(view.campaign.status), view.campaign.failure) == ("failed", "No such segment.")


def test_lists_counts_and_jobs_read_the_segments_of_a_filter() -> None:
    world = World()
    world.add(customer(1, general_tags=("vip",)), customer(2, general_tags=("new",)))
    put(world, "vips", {"tag": "vip"})
    pin = world.pin_filters
    wanted = pin.wanted(BUSINESS_ID, CustomerFilter(filter=pin.filter(BUSINESS_ID, {"not": {"segment": "vips"}})))
    put(world, "vips", {"all": []})
    job = world.run_to_end(world.job_service.start(BUSINESS_ID, JobKind.COUNT, {"wanted": write_filter(wanted)}))

    assert [each.customer.customer_id for each in world.list_customers(BUSINESS_ID, wanted, limit=9).items] == [
        customer(2).customer_id
    ]
    assert job.counts[0]["count"] == 1


def test_segments_are_listed_in_the_order_of_the_business_and_the_others_behind() -> None:
    world = World()
    for name in "abcd":
        put(world, name, {"tag": name})
    whole = world.segment_service.put_order(BUSINESS_ID, ["d", "b"])

    assert list(whole) == order(world) == ["d", "b", "a", "c"]
    world.segment_service.delete(BUSINESS_ID, "d")
    assert order(world) == ["b", "a", "c"]
    with pytest.raises(InvalidInputError) as raised:
        world.segment_service.put_order(BUSINESS_ID, ["a", "x", "a"])
    assert [error.field for error in raised.value.errors] == ["segment_ids[1]", "segment_ids[2]"]
