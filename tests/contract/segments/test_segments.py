"""Segments: one suite against the fake and the tables."""

from copy import replace

import pytest

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.segments.domain.segments import Segment
from tests.contract.access.test_api_keys import api_key
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
    business,
)


def segment(number: int, business_id: str = BUSINESS_ID) -> Segment:
    return Segment(business_id, f"s{number}", f"Name {number}", {"all": [{"tag": "é"}]}, at(number))


def test_segments_are_put_read_replaced_and_deleted(ports: EveryPorts) -> None:
    ports.segments.put(segment(1))
    ports.segments.put(replace(segment(1), name="New"))
    assert ports.segments.get(BUSINESS_ID, "s1") == replace(segment(1), name="New")
    ports.segments.delete(BUSINESS_ID, "s1")
    with pytest.raises(NotFoundError):
        ports.segments.get(BUSINESS_ID, "s1")


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_segments_come_in_pages_by_id_and_only_the_businesss_own(ports: EveryPorts, limit: int) -> None:
    ports.businesses.add(business())
    ports.api_keys.add(api_key("key-1"))
    for number in (3, 1, 2):
        ports.segments.put(segment(number))
        ports.segments.put(segment(number, "other"))
    seen: list[Segment] = []
    cursor: str | None = None
    for _ in range(9):
        page = ports.segments.page(BUSINESS_ID, limit, cursor)
        assert len(page.items) <= limit
        seen.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [segment(1), segment(2), segment(3)]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_segments_come_in_the_businesss_order_and_what_it_does_not_name_behind(ports: EveryPorts, limit: int) -> None:
    for number in range(1, 6):
        ports.segments.put(segment(number))
    ports.segments.reorder(BUSINESS_ID, ["s4", "s2"], ports.segments.all(BUSINESS_ID))
    ports.segments.put(replace(segment(4), name="New"))

    assert names(ports, limit) == ["s4", "s2", "s1", "s3", "s5"]
    ports.segments.delete(BUSINESS_ID, "s4")
    assert names(ports, limit) == ["s2", "s1", "s3", "s5"]
    assert ports.segments.all(BUSINESS_ID).order == ("s2",)


def names(ports: EveryPorts, limit: int) -> list[str]:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = ports.segments.page(BUSINESS_ID, limit, cursor)
        seen.extend(each.segment_id for each in page.items)
        cursor = page.next_cursor
        if cursor is None:
            return seen


def test_a_write_holds_only_if_nothing_was_written_since(ports: EveryPorts) -> None:
    before = ports.segments.all(BUSINESS_ID)
    ports.segments.put(segment(1), before)
    after = ports.segments.all(BUSINESS_ID)
    assert after.segments == {"s1": segment(1)}

    with pytest.raises(ConcurrentChangeError):
        ports.segments.put(segment(2), before)
    with pytest.raises(ConcurrentChangeError):
        ports.segments.delete(BUSINESS_ID, "s1", before)
    with pytest.raises(ConcurrentChangeError):
        ports.segments.reorder(BUSINESS_ID, ["s1"], before)
    ports.segments.reorder(BUSINESS_ID, ["s1"], after)
    assert ports.segments.all(BUSINESS_ID).order == ("s1",)
    with pytest.raises(NotFoundError):
        ports.segments.delete(BUSINESS_ID, "s2")


def test_all_segments_are_known_in_one_look_in_their_order(ports: EveryPorts) -> None:
    assert ports.segments.known("known").in_order == []
    segments = [segment(number, "known") for number in (1, 2, 3)]
    for each in segments:
        ports.segments.put(each)
    ports.segments.put(segment(9, "another"))
    ports.segments.reorder("known", ["s3"], ports.segments.all("known"))
    assert ports.segments.known("known").in_order == [segments[2], segments[0], segments[1]]
    assert ports.segments.known("known").in_order == list(ports.segments.page("known", 9, None).items)
