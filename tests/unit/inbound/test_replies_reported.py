"""The report of what customers texted: every filter, who they are, and as a file that is safe to open."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.domain.replies import Keyword, Meaning, Reply
from rebound.inbound.application import report_replies
from rebound.inbound.application.report_replies import RepliesWanted, ReplyView, write_header, write_reply
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import InvalidInputError, NotFoundError
from tests.fakes.making import BUSINESS_ID, at, customer, id_of
from tests.fakes.world import World


def reply(whose: int = 1, seconds: float = 0, **given: Any) -> Reply:
    key = ContactKey(BUSINESS_ID, Channel.SMS, f"+1415556{whose:04d}")
    defaults: dict[str, Any] = {
        "key": key.hashed,
        "reply_id": f"SM{whose}x{seconds:g}".replace(".", "p"),
        "at": at(seconds),
        "to": "+14155550100",
        "meaning": Meaning.OTHER,
        "number": key.address,
        "body": "See you then!",
    }
    return Reply(**{**defaults, **given})


KEPT = [
    reply(1, 0, body="See you THEN"),
    reply(1, 1, body="Stop", meaning=Meaning.KEYWORD, keyword=Keyword.STOP),
    reply(2, 2, body="please stop texting me", meaning=Meaning.REVOCATION, needs_staff=True),
    reply(2, 3, body="what?", needs_staff=True, resolved_at=at(9)),
    reply(3, 4, body="C", meaning=Meaning.CONFIRMATION, customer_id=id_of(2), appointment_id="a-1"),
    reply(9, 5, body=None, number=None),
]


@pytest.fixture
def salon() -> World:
    world = World()
    world.add(customer(1), customer(2), customer(3), customer(4, mobile_phone="+14155560001"))
    for one in KEPT:
        world.replies.add(one)
    return world


def found(world: World, limit: int = 9, cursor: str | None = None, **wanted: Any) -> list[Reply]:
    page = world.report_replies(BUSINESS_ID, RepliesWanted(**wanted), limit, cursor)
    return [view.reply for view in page.items]


@pytest.mark.parametrize("q", [" ", "\u200b"])
def test_words_of_which_nothing_can_be_seen_are_refused(salon: World, q: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        found(salon, q=q)

    assert [error.field for error in refused.value.errors] == ["q"]
    assert len(found(salon, q="")) == len(KEPT)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [5, 4, 3, 2, 1, 0]),
        ({"since": at(2)}, [5, 4, 3, 2]),
        ({"until": at(2)}, [1, 0]),
        ({"meaning": Meaning.OTHER}, [5, 3, 0]),
        ({"meaning": Meaning.CONFIRMATION}, [4]),
        ({"customer_id": id_of(1)}, [1, 0]),
        ({"customer_id": id_of(4), "q": "stop"}, [1]),
        ({"q": "STOP"}, [2, 1]),
        ({"q": "then see"}, [0]),
        ({"q": "5560003"}, [4]),
        ({"needs_staff": True}, [2]),
        ({"needs_staff": False, "since": at(2)}, [5, 4, 3]),
    ],
)
def test_everything_that_is_asked_for_must_hold(salon: World, wanted: dict[str, Any], expected: list[int]) -> None:
    assert found(salon, **wanted) == [KEPT[number] for number in expected]


def test_a_former_number_still_counts_as_the_customers(salon: World) -> None:
    salon.customer_service.change(BUSINESS_ID, id_of(1), {"mobile_phone": "+14155567777"})

    assert found(salon, customer_id=id_of(1)) == [KEPT[1], KEPT[0]]


def test_nobody_elses_replies_and_customers_are_there(salon: World) -> None:
    salon.replies.add(reply(1, 6, key=ContactKey("other", Channel.SMS, "+14155560001").hashed))

    assert KEPT[0] in found(salon)
    assert len(found(salon)) == len(KEPT)
    with pytest.raises(NotFoundError):
        found(salon, customer_id=id_of(99))


def test_each_reply_names_who_may_have_sent_it_the_likeliest_first(salon: World) -> None:
    salon.replies.add(reply(1, 7, customer_id=id_of(4)))
    page = salon.report_replies(BUSINESS_ID, RepliesWanted(), 9, None)
    named = {view.reply.at: [who.customer_id for who in view.customers] for view in page.items}

    assert named[at(7)] == [id_of(4), id_of(1)]
    assert sorted(named[at(0)]) == sorted([id_of(1), id_of(4)])
    assert named[at(4)] == [id_of(2), id_of(3)]
    assert named[at(5)] == []


def test_a_file_goes_on_where_it_ended_and_is_the_whole_report(salon: World) -> None:
    rows: list[ReplyView] = []
    cursor: str | None = None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(report_replies, "PAGE", 2)
        for size in (3, 1, 9):
            views, cursor = salon.report_replies.file(BUSINESS_ID, RepliesWanted(), size, cursor)
            rows.extend(views)

    assert cursor is None
    assert [view.reply for view in rows] == KEPT[::-1]


def test_a_file_ends_before_it_is_too_large_for_an_answer(salon: World) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(report_replies, "PAGE", 1)
        patched.setattr(report_replies, "MOST_BYTES", 5)
        views, cursor = salon.report_replies.file(BUSINESS_ID, RepliesWanted(), 9, None)

    assert [view.reply for view in views] == KEPT[:2:-1]
    assert cursor is not None


DANGEROUS = st.text(max_size=3).flatmap(lambda rest: st.sampled_from("=+-@'").map(lambda first: first + rest))


@given(DANGEROUS, DANGEROUS.filter(lambda name: name.isprintable()))
def test_no_cell_is_a_formula_and_numbers_stay_numbers(body: str, name: str) -> None:
    view = ReplyView(reply(1, body=body), (customer(1, first_name=name),))
    (row,) = csv.DictReader(io.StringIO(write_header() + write_reply(view)))

    assert row["number"] == "+14155560001"
    assert row["to"] == "+14155550100"
    assert row["body"].lstrip("'") == body.replace("\r\n", "\n").lstrip("'") or "\r" in body
    for column, cell in row.items():
        assert column in ("number", "to") or not cell.startswith(("=", "+", "-", "@"))


def test_a_row_says_everything_about_a_reply() -> None:
    said = reply(3, 4, body='Say "C",\nplease', meaning=Meaning.CONFIRMATION, appointment_id="a-1", resolved_at=at(9))
    (row,) = csv.DictReader(io.StringIO(write_header() + write_reply(ReplyView(said, (customer(1), customer(2))))))

    assert row == {
        "at": "2026-11-20T12:00:04.000Z",
        "number": "+14155560003",
        "customers": "Ana1 Silva; Ana2 Silva",
        "body": 'Say "C",\nplease',
        "kind": "confirmation",
        "keyword": "",
        "needs_staff": "false",
        "resolved_at": "2026-11-20T12:00:09.000Z",
        "appointment_id": "a-1",
        "message_id": "",
        "to": "+14155550100",
        "reply_id": "SM3x4",
    }
